import { describeLocal, spoken } from './echo-errors.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { probeRun, type ProbeRun } from './probe-run.ts';
import { emitRoundTrips } from './round-trips.ts';
import { stampReader } from './stamp.ts';

const HEADER = /^PING (\S+?) ?\(([^)\s]+)\)(:?)(?: from \S+(?: \S+)?:)? (\d+)(?:\(\d+\))? (?:data )?bytes/;
/** BSD's ping6 names both ends: `PING6(56=40+8+8 bytes) fd00::1 --> fd00::2`. */
const HEADER6 = /^PING6\(\S+ bytes\) (\S+) --> (\S+)/;
const ANSWER =
  /^\d+ bytes from (?:\S+ \()?([^\s()]+?)\)?[:,] (?:icmp_)?seq=(\d+)(?: (?:ttl|hlim)=\d+)?.*? time=([\d.]+) ms(.*)$/;
const NOT_YET = /^no answer yet for icmp_seq=(\d+)/;
const TIMED_OUT = /^Request timeout for icmp_seq (\d+)/;
const ERROR = /^From (?:\S+ \()?([^\s()]+?)\)?:? icmp_seq=(\d+) (.+)$/i;
const BSD_ERROR =
  /^\d+ bytes from (?:\S+ \()?([^\s()]+?)\)?: (Destination .+|Time to live exceeded.*|Redirect .*|.*[Uu]nreachable.*)$/;
const TOTALS =
  /^(\d+) packets transmitted, (\d+) (?:packets )?received,(?: \+(\d+) duplicates,)?(?: \+\d+ errors,)?.*?(?:, time (\d+)ms)?$/;
const SPREAD =
  /^(?:rtt|round-trip) min\/avg\/max(?:\/(?:mdev|stddev|std-dev))? = ([\d.]+)\/([\d.]+)\/([\d.]+)(?:\/([\d.]+))? ms/;
/** Lines that tell nothing that the others do not. */
const KNOWN =
  /^(?:--- .* ---|Vr HL TOS .*|[ \d]+ [\da-f ]{4,}(?: +[\d.]+)*|\^C.*|.*\((?:truncated|different address).*|WARNING: .*|pipe \d+)$/;
const LOCAL = /^ping6?: (.+)$/;

interface State {
  to: string;
  address: string;
  tool: string;
  run: ProbeRun;
  highest: number;
  duplicates: number;
  /** An ICMP error whose probe the text does not name: the next time-out is its. */
  error: { by: string; message: string } | null;
  totals: { sent: number; received: number } | null;
  closed: boolean;
}

/** ping of Linux (iputils, busybox), macOS and the BSDs. */
export const pingImporter: Importer = {
  format: 'ping',
  about: 'ping of Linux (also -D, -O, -q), macOS and the BSDs',
  detect: (head) =>
    marks(head, [
      [/^PING6?[ (].*bytes/m, 1, 'a line "PING … bytes of data"'],
      [/^.*\d+ bytes from \S+.*seq=\d+.* time=/m, 0.9, 'answers with a sequence number, "seq=… time=…"'],
      [/\d+ packets transmitted, \d+ (?:packets )?received/, 0.6, 'the line "… packets transmitted, … received"'],
      [
        /^ping6?: .*(?:not known|unknown host|cannot resolve|failure in name resolution|unreachable)/im,
        0.6,
        'an error that begins with "ping:"',
      ],
      [/icmp_seq/, 0.4, 'the word "icmp_seq", but no whole line of ping'],
    ]),
  open: readPing,
};

function readPing(context: ImportContext, sink: Sink): LineReader {
  const takeStamp = stampReader(context);
  let state: State | null = null;

  const begin = (to: string, address: string, tool: string, firstSequence: number | null): State => {
    close();
    const name = context.to ?? to;
    const head = { to: name, address, method: 'icmp' as const, tool, firstSequence };
    const run = probeRun(head, context, sink);
    state = { to: name, address, tool, run, highest: -1, duplicates: 0, error: null, totals: null, closed: false };
    return state;
  };
  const close = () => {
    if (!state || state.closed) return;
    state.closed = true;
    state.run.close();
    if (state.duplicates > 0) sink.warning(null, `${state.to}: ${state.duplicates} duplicate answers, not counted`);
  };
  /** The run that lines without a header belong to. */
  const current = (address: string): State => (state && !state.closed ? state : begin(address, address, 'ping', null));

  const probe = (s: State, text: string, rest: { address: string; rttMs: number | null; atMs: number | null }) => {
    const sequence = unwrapped(Number(text), s.highest);
    s.highest = Math.max(s.highest, sequence);
    return { sequence, ...rest };
  };

  const readers: readonly (readonly [RegExp, (f: RegExpExecArray, atMs: number | null, line: number) => void])[] = [
    [
      ANSWER,
      ([, address = '', sequence = '', rtt, tail = ''], atMs) => {
        const s = current(address);
        if (tail.includes('(DUP!)')) s.duplicates++;
        else
          s.run.add({
            ...probe(s, sequence, { address, rttMs: Number(rtt), atMs }),
            outcome: { kind: 'answered' },
          });
      },
    ],
    [
      HEADER,
      ([, to = '', address = '', colon]) =>
        void begin(to, address, colon ? 'ping (BSD, macOS)' : 'ping (iputils)', colon ? 0 : 1),
    ],
    [HEADER6, ([, , to = '']) => void begin(to, to, 'ping6 (BSD, macOS)', 0)],
    [
      // An answer may still come: whether this one is lost shows at the end.
      NOT_YET,
      ([, sequence = '']) => {
        const s = current('');
        s.highest = Math.max(s.highest, unwrapped(Number(sequence), s.highest));
      },
    ],
    [
      TIMED_OUT,
      ([, sequence = ''], atMs) => {
        const s = current('');
        const outcome = s.error ? { kind: 'unreachable' as const, ...s.error } : { kind: 'lost' as const };
        s.run.add({ ...probe(s, sequence, { address: s.address, rttMs: null, atMs }), outcome });
        s.error = null;
      },
    ],
    [
      ERROR,
      ([, by = '', sequence = '', message = ''], atMs) => {
        const s = current('');
        const outcome = { kind: 'unreachable' as const, by, message: spoken(message) };
        s.run.add({ ...probe(s, sequence, { address: s.address, rttMs: null, atMs }), outcome });
      },
    ],
    [BSD_ERROR, ([, by = '', message = '']) => void (current('').error = { by, message: spoken(message) })],
    [
      TOTALS,
      ([, sent, received, duplicates, duration]) => {
        if (!state || state.closed) return;
        state.totals = { sent: Number(sent), received: Number(received) };
        if (duplicates !== undefined) state.duplicates = Number(duplicates);
        if (state.run.count() === 0) return;
        state.closed = true;
        state.run.close({ ...state.totals, durationMs: duration === undefined ? null : Number(duration) });
        if (state.duplicates > 0) sink.warning(null, `${state.to}: ${state.duplicates} duplicate answers, not counted`);
      },
    ],
    [
      SPREAD,
      ([, min, mean, max, deviation]) => {
        if (!state?.totals || state.run.count() > 0) return;
        const stddevMs = deviation === undefined ? null : Number(deviation);
        summarise(state, { minMs: Number(min), meanMs: Number(mean), maxMs: Number(max), stddevMs });
      },
    ],
    [LOCAL, ([, message = ''], _atMs, line) => describeLocal(message, line, context, sink)],
    [KNOWN, () => undefined],
  ];

  /** A quiet ping tells sums only. */
  const summarise = (
    s: State,
    spread: { minMs: number; meanMs: number; maxMs: number; stddevMs: number | null } | null,
  ) => {
    if (!s.totals || s.closed) return;
    s.closed = true;
    const { sent, received } = s.totals;
    const none = { minMs: null, meanMs: null, maxMs: null, stddevMs: null };
    const figures = { sent, received, medianMs: null, ...(spread ?? none) };
    emitRoundTrips({ to: s.to, address: s.address, tool: s.tool, method: 'icmp', figures }, context, sink);
  };

  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      const stamped = takeStamp(text);
      const body = (stamped?.rest ?? text).trimEnd();
      for (const [pattern, read] of readers) {
        const found = pattern.exec(body);
        if (!found) continue;
        read(found, stamped?.ms ?? null, number);
        return;
      }
      sink.unread(number, text);
    },
    end: () => {
      if (state && state.run.count() === 0) summarise(state, null);
      close();
    },
  };
}

/** ICMP sequence numbers have 16 bits and begin again: the number that is nearest to what was seen. */
function unwrapped(sequence: number, highest: number): number {
  if (highest < 0 || sequence >= 65_536) return sequence;
  const base = highest - (highest % 65_536) + sequence;
  if (base < highest - 32_768) return base + 65_536;
  return base > highest + 32_768 && base >= 65_536 ? base - 65_536 : base;
}
