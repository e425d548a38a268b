import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { probeRun, type ProbeRun } from './probe-run.ts';
import { emitRoundTrips } from './round-trips.ts';
import { stampReader } from './stamp.ts';

const ANSWER = /^(\S+)(?: \(([\da-f.:]+)\))?\s+: \[(\d+)\], \d+ bytes, ([\d.]+) ms/;
const TIMED_OUT = /^(\S+)(?: \(([\da-f.:]+)\))?\s+: \[(\d+)\], timed out/;
const SERIES = /^(\S+)(?: \(([\da-f.:]+)\))?\s+:((?: (?:[\d.]+|-))+)$/;
const SUMS =
  /^(\S+)(?: \(([\da-f.:]+)\))?\s+: (?:\[[\d:]+\],? )?xmt\/rcv\/%(?:loss|return) = (\d+)\/(\d+)\/\d+%(?:, outage.*?)?(?:, min\/avg\/max = ([\d.]+)\/([\d.]+)\/([\d.]+))?$/;
const STATE = /^(\S+)(?: \(([\da-f.:]+)\))? is (alive|unreachable)(?: \(([\d.]+) ms\))?/;
const ICMP = /^ICMP (.+?) from (\S+) for ICMP Echo sent to (\S+?)(?: \(.*\))?$/;
const KNOWN =
  /^(?:\s+\d+ (?:targets|alive|unreachable|unknown addresses|timeouts .*|ICMP .*|other ICMP .*)|\s*[\d.]+ (?:ms|sec) \(.*\)|\[[\d:]+\]|.*: duplicate for \[\d+\].*)$/;
/** Targets of one file that are followed; fping itself has room for no more sequence numbers. */
const MAX_TARGETS = 65_536;

interface Target {
  run: ProbeRun;
  probes: number;
}

/** fping: `-c` and `-l` line by line, `-C` as series, `-s` and plain. One file may hold thousands of targets. */
export const fpingImporter: Importer = {
  format: 'fping',
  about: 'fping -c, -C, -l, -s, with or without -D',
  detect: (head) =>
    marks(head, [
      [/ : \[\d+\], (?:\d+ bytes, [\d.]+ ms|timed out) \(/m, 1, 'lines "target : [n], … bytes, … ms"'],
      [/xmt\/rcv\/%loss = /, 1, 'the words "xmt/rcv/%loss"'],
      [/^\S+(?: \([\da-f.:]+\))?\s+:(?: (?:\d+\.\d+|\d\d|-)){2,}\s*$/m, 0.8, 'lines "target : ms ms - ms"'],
      [/^\S+(?: \([\da-f.:]+\))? is (?:alive|unreachable)(?: \(|$)/m, 0.8, 'lines "target is alive"'],
    ]),
  open: readFping,
};

function readFping(context: ImportContext, sink: Sink): LineReader {
  const takeStamp = stampReader(context);
  const targets = new Map<string, Target>();
  /** What a router said of a target whose probe has not been settled yet. */
  const refused = new Map<string, { by: string; message: string }>();

  const targetOf = (to: string, address: string | undefined): Target | null => {
    const found = targets.get(to);
    if (found) return found;
    if (targets.size >= MAX_TARGETS) return null;
    const head = {
      to: context.to ?? to,
      address: address ?? to,
      method: 'icmp' as const,
      tool: 'fping',
      firstSequence: 0,
    };
    const made = { run: probeRun(head, context, sink), probes: 0 };
    targets.set(to, made);
    return made;
  };
  const add = (
    to: string,
    address: string | undefined,
    sequence: number,
    rttMs: number | null,
    atMs: number | null,
  ) => {
    const target = targetOf(to, address);
    if (!target) return false;
    const refusal = rttMs === null ? refused.get(to) : undefined;
    refused.delete(to);
    const outcome =
      rttMs !== null
        ? { kind: 'answered' as const }
        : refusal
          ? { kind: 'unreachable' as const, ...refusal }
          : { kind: 'lost' as const };
    target.probes++;
    target.run.add({ sequence, address: address ?? to, outcome, rttMs, atMs });
    return true;
  };

  const sums = ([, to = '', address, sent, received, min, mean, max]: readonly (string | undefined)[]) => {
    const target = targets.get(to);
    if (target && target.probes > 0) {
      target.run.close({ sent: Number(sent), received: Number(received) });
      targets.delete(to);
      return;
    }
    const ms = (text: string | undefined) => (text === undefined ? null : Number(text));
    const spread = { minMs: ms(min), medianMs: null, meanMs: ms(mean), maxMs: ms(max), stddevMs: null };
    const figures = { sent: Number(sent), received: Number(received), ...spread };
    emitRoundTrips({ to, address: address ?? to, tool: 'fping', method: 'icmp', figures }, context, sink);
  };

  const readers: readonly (readonly [RegExp, (f: RegExpExecArray, atMs: number | null) => boolean])[] = [
    [ANSWER, ([, to = '', address, n, rtt], atMs) => add(to, address, Number(n), Number(rtt), atMs)],
    [TIMED_OUT, ([, to = '', address, n], atMs) => add(to, address, Number(n), null, atMs)],
    [SUMS, (found) => (sums(found), true)],
    [
      SERIES,
      ([, to = '', address, series = '']) => {
        // The lines of the single probes may stand above: the series only repeats them.
        if ((targets.get(to)?.probes ?? 0) > 0) return true;
        const values = series.trim().split(' ');
        const added = values.every((value, i) => add(to, address, i, value === '-' ? null : Number(value), null));
        targets.get(to)?.run.close({ sent: values.length });
        targets.delete(to);
        return added;
      },
    ],
    [
      STATE,
      ([, to = '', address, state, rtt]) => {
        if (state === 'unreachable') return add(to, address, targets.get(to)?.probes ?? 0, null, null);
        const ms = rtt === undefined ? null : Number(rtt);
        const spread = { minMs: ms, medianMs: ms, meanMs: ms, maxMs: ms, stddevMs: null };
        // Alive after how many tries fping does not say.
        const figures = { sent: null, received: 1, ...spread };
        emitRoundTrips({ to, address: address ?? to, tool: 'fping', method: 'icmp', figures }, context, sink);
        return true;
      },
    ],
    [
      ICMP,
      ([, message = '', by = '', to = '']) => (refused.size < MAX_TARGETS && refused.set(to, { by, message }), true),
    ],
    [KNOWN, () => true],
  ];

  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      const stamped = takeStamp(text);
      const body = (stamped && stamped.rest !== '' ? stamped.rest : text).trimEnd();
      for (const [pattern, read] of readers) {
        const found = pattern.exec(body);
        if (!found) continue;
        if (!read(found, stamped?.ms ?? null)) sink.unread(number, text);
        return;
      }
      sink.unread(number, text);
    },
    end: () => {
      for (const { run } of targets.values()) run.close();
    },
  };
}
