import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { probeRun, type ProbeRun } from './probe-run.ts';

const HEADER = /^HPING (\S+) \(\S+ ([\da-f.:]+)\): (.*)$/;
const ANSWER = /^len=\d+ ip=(\S+) .*?(?:sport=\d+ flags=(\S+) )?seq=(\d+) .*?rtt=([\d.]+) ms/;
const TOTALS = /^(\d+) packets (?:transmitted|tramitted), (\d+) packets received/;
const KNOWN = /^(?:--- .* hping statistic ---|round-trip min\/avg\/max = .*|DUP! .*|.*using \S+, addr: .*)$/;

/** hping3 by TCP or ICMP. Its statistics go to stderr and may stand before the lines that they count. */
export const hpingImporter: Importer = {
  format: 'hping3',
  about: 'hping3',
  detect: (head) =>
    marks(head, [
      [/^HPING \S+ \(/m, 1, 'the line "HPING …"'],
      [/^len=\d+ ip=\S+ .*rtt=[\d.]+ ms/m, 1, 'lines "len=… ip=… rtt=… ms"'],
    ]),
  open: readHping,
};

function readHping(context: ImportContext, sink: Sink): LineReader {
  let run: ProbeRun | null = null;
  let target = '';
  let totals: { sent: number; received: number } | undefined;

  const begin = (to: string, address: string, isTcp: boolean): ProbeRun => {
    run?.close();
    target = address;
    const method = isTcp ? ('tcp-connect' as const) : ('icmp' as const);
    run = probeRun({ to: context.to ?? to, address, method, tool: 'hping3', firstSequence: 0 }, context, sink);
    return run;
  };

  const take = (text: string): boolean => {
    const header = HEADER.exec(text);
    const answer = ANSWER.exec(text);
    const counted = TOTALS.exec(text);
    if (header) begin(header[1] ?? '', header[2] ?? '', !(header[3] ?? '').startsWith('icmp'));
    else if (counted) totals = { sent: Number(counted[1]), received: Number(counted[2]) };
    else if (answer) {
      const [, address = '', tcpFlags, sequence, rtt] = answer;
      const to = run ?? begin(address, address, tcpFlags !== undefined);
      // A reset is an answer with a round trip, but nobody listens.
      const isReset = tcpFlags?.includes('R') ?? false;
      const outcome = isReset ? ({ kind: 'refused', address } as const) : ({ kind: 'answered' } as const);
      to.add({ sequence: Number(sequence), address: target, outcome, rttMs: Number(rtt), atMs: null });
    } else return KNOWN.test(text);
    return true;
  };

  return {
    line: (text, number) => {
      if (text.trim() !== '' && !take(text.trimEnd())) sink.unread(number, text);
    },
    end: () => run?.close(totals),
  };
}
