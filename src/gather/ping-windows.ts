import { spoken } from './echo-errors.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { probeRun, type ProbeRun } from './probe-run.ts';
import { stampReader } from './stamp.ts';

const ADDRESS = String.raw`[\da-fA-F]*[.:][\da-fA-F.:]+(?:%\w+)?`;
/** `Pinging server [10.1.0.2] with 32 bytes of data:` in any language: an address, a number of bytes, a colon at the end. */
const HEADER = new RegExp(String.raw`^\S.*?(?:(\S+) \[(${ADDRESS})\]|\s(${ADDRESS})).*\b\d+ \S+.*:$`);
/** `Reply from 10.1.0.2: bytes=32 time=12ms TTL=61`; IPv6 has the time only. The words differ, the signs do not. */
const ANSWER = new RegExp(
  String.raw`^\S.* (${ADDRESS})\s?: (?:[^\s=]+=\d+ )?[^\s=<]+\s?([=<])\s?(\d+)\s?ms(?:\s+TTL=\d+)?$`,
  'i',
);
/** `Reply from 10.2.0.1: Destination host unreachable.` */
const ERROR = new RegExp(String.raw`^\S.* (${ADDRESS})\s?: ([^=<]+)$`);
const TIMED_OUT =
  /^(?:Request timed out|Zeit.{1,3}berschreitung der Anforderung|D.{1,2}lai d.attente de la demande d.{1,2}pass|Tiempo de espera agotado|Richiesta scaduta|Time-out bij opdracht|Esgotado o tempo limite|Beg.ran gjorde timeout|Tidsfristen for anmodningen)/i;
const CANNOT_SEND = /^(?:General failure|Allgemeiner Fehler|PING: |Hardware error|Err(?:or|eur) g.n.ral)/i;
/** `Packets: Sent = 4, Received = 3, Lost = 1 (25% loss),` */
const TOTALS = /^\s+\S.*?= (\d+), \S.*?= (\d+), \S.*?= (\d+)/;
const TIMES = /^\s+\S+ = \d+\s?ms, \S+ = \d+\s?ms, \S+ = \d+\s?ms/;
const KNOWN =
  /^(?:Ping statistics for .*|Ping-Statistik f.*|Statisti.* Ping.*|.*: *$|\s+\(\d+% .*|Control-C|\^C|STRG-C|C:\\.*>.*|PS .*>.*)$/i;

/** ping of Windows, also with `-t` and a time in front of each line, in any language whose signs are the same. */
export const pingWindowsImporter: Importer = {
  format: 'ping-windows',
  about: 'ping of Windows, in any language, also with a time in front of each line',
  detect: (head) =>
    marks(head, [
      [
        /^.*?\S+.* [\da-fA-F.:]+\s?: \S+=32 \S+\s?[=<]\s?\d+\s?ms TTL=\d+\s*$/m,
        1,
        'answers of the shape "bytes=32 time=…ms TTL=…"',
      ],
      [/: (?:\S+=\d+ )?\S+\s?[=<]\s?\d+\s?ms TTL=\d+\s*$/m, 0.9, 'answers that end with "TTL=…"'],
      [/^(?:Pinging|Ping wird ausgef).*\[?[\da-fA-F.:]+\]?.*:\s*$/m, 0.9, 'the line "Pinging … with … bytes of data:"'],
      [/^\s+\S+: \S+ = \d+, \S+ = \d+, \S+ = \d+/m, 0.6, 'a line "Sent = …, Received = …, Lost = …"'],
      [/Request timed out\./, 0.4, 'the words "Request timed out.", but no answer of ping'],
    ]),
  open: readPing,
};

function readPing(context: ImportContext, sink: Sink): LineReader {
  const takeStamp = stampReader(context);
  let run: ProbeRun | null = null;
  let target = { to: 'unnamed', address: '' };
  let sequence = 0;
  let unread = 0;

  const begin = (to: string, address: string) => {
    run?.close();
    target = { to: context.to ?? to, address };
    sequence = 0;
    unread = 0;
    const tool = 'ping (Windows), whole milliseconds, "<1ms" as 1';
    run = probeRun({ ...target, method: 'icmp', tool, firstSequence: 1 }, context, sink);
  };
  const add = (address: string, rest: Pick<Parameters<ProbeRun['add']>[0], 'outcome' | 'rttMs' | 'atMs'>) => {
    if (!run) begin(address === '' ? 'unnamed' : address, address);
    // Windows prints no numbers: each line is the next probe.
    sequence++;
    run?.add({ sequence, address: target.address === '' ? address : target.address, ...rest });
  };

  const probe = (body: string, atMs: number | null): boolean => {
    const answer = ANSWER.exec(body);
    const error = ERROR.exec(body);
    if (answer) add(answer[1] ?? '', { outcome: { kind: 'answered' }, rttMs: Number(answer[3]), atMs });
    else if (TIMED_OUT.test(body)) add('', { outcome: { kind: 'lost' }, rttMs: null, atMs });
    else if (CANNOT_SEND.test(body))
      add('', { outcome: { kind: 'unreachable', by: 'own host', message: spoken(body) }, rttMs: null, atMs });
    else if (error)
      add('', {
        outcome: { kind: 'unreachable', by: error[1] ?? '', message: spoken(error[2] ?? '') },
        rttMs: null,
        atMs,
      });
    else return false;
    return true;
  };

  const totals = (body: string): boolean => {
    const found = TOTALS.exec(body);
    if (!found || !run) return found !== null;
    const sent = Number(found[1]);
    if (sent !== sequence)
      sink.warning(
        null,
        `${target.to}: ${sent} sent by ping's own count, ${sequence} lines about a probe were understood`,
      );
    run.close();
    run = null;
    return true;
  };

  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      const stamped = takeStamp(text);
      const body = (stamped?.rest ?? text).trimEnd();
      if (body === '' || TIMES.test(body) || totals(body)) return;
      if (probe(body, stamped?.ms ?? null)) return;
      const header = HEADER.exec(body);
      if (header) begin(header[1] ?? header[3] ?? '', header[2] ?? header[3] ?? '');
      else if (!KNOWN.test(body)) {
        unread++;
        sink.unread(number, text);
      }
    },
    end: () => {
      if (run && unread > 0) sink.warning(null, `${target.to}: lines that were not understood may be lost probes`);
      run?.close();
    },
  };
}
