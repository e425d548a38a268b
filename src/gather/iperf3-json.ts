import { printable } from '../model/outcome.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { asArray, asNumber, asObject, asText, documentReader, type JsonObject, ndjsonReader } from './json.ts';
import { count, emitTransfer, iperfFailure, MAX_INTERVALS, meanRate, type TransferSums } from './transfer.ts';

/** `iperf3 --json` of client or server, and `--json-stream` (3.17), whose events make up the same document. */
export const iperfJsonImporter: Importer = {
  format: 'iperf3-json',
  about: 'iperf3 --json and --json-stream',
  detect: (head) =>
    marks(head, [
      [/"version"\s*:\s*"iperf 3/, 1, 'the key "version" of iperf 3'],
      [/^\{"event":"(?:start|interval|end|error)","data":/m, 1, 'events of iperf3 --json-stream'],
      [/"intervals"\s*:[\s\S]*"end"\s*:/, 0.6, 'the keys "intervals" and "end"'],
    ]),
  open: (context, sink) => {
    const read = (document: JsonObject, line: number) => {
      if (!readDocument(document, context, sink)) sink.warning(line, 'the document is not of iperf3');
    };
    let reader: LineReader | null = null;
    return {
      line: (text, number) => {
        if (!reader && text.trim() === '') return;
        reader ??= text.startsWith('{"event":')
          ? eventReader(sink, read)
          : documentReader(sink, (document, line) => read(asObject(document) ?? {}, line));
        reader.line(text, number);
      },
      end: () => reader?.end(),
    };
  },
};

function eventReader(sink: Sink, read: (document: JsonObject, line: number) => void): LineReader {
  let parts: { start?: unknown; end?: unknown; error?: unknown; intervals: unknown[] } = { intervals: [] };
  let first = 1;
  const give = () => {
    if (parts.start !== undefined || parts.error !== undefined || parts.intervals.length > 0) read({ ...parts }, first);
    parts = { intervals: [] };
  };
  return ndjsonReader(
    sink,
    ({ event, data }, line) => {
      if (event === 'start') {
        give();
        first = line;
        parts.start = data;
      } else if (event === 'interval') {
        if (parts.intervals.length < MAX_INTERVALS) parts.intervals.push(data);
      } else if (event === 'end') parts.end = data;
      else if (event === 'error') parts.error = data;
      return typeof event === 'string';
    },
    give,
  );
}

/** Sums of the two directions: plain keys, and those that `--bidir` adds for the way back. */
const DIRECTIONS = ['', '_bidir_reverse'] as const;

function readDocument(document: JsonObject, context: ImportContext, sink: Sink): boolean {
  const start = asObject(document['start']);
  const end = asObject(document['end']) ?? {};
  const test = asObject(start?.['test_start']) ?? {};
  const peer = asObject(start?.['connecting_to']) ?? asObject(start?.['accepted_connection']);
  const error = asText(document['error']);
  if (!start && error === null) return false;
  const address = asText(peer?.['host']) ?? '';
  const seconds = asNumber(asObject(start?.['timestamp'])?.['timesecs']);
  const named = (asText(test['protocol']) ?? '').toLowerCase();
  const protocol: TransferSums['protocol'] = named === 'tcp' || named === 'udp' ? named : 'unknown';
  const target = asNumber(test['target_bitrate']);
  const streams = asNumber(test['num_streams']);
  const base = {
    to: address === '' ? 'unnamed' : address,
    address,
    tool: `${printable(asText(start?.['version']) ?? 'iperf3', 40).replace('iperf ', 'iperf3 ')} --json`,
    protocol,
    streams,
    targetMbitPerS: target === null || target === 0 ? null : (target * (streams ?? 1)) / 1e6,
    atMs: seconds === null ? null : seconds * 1000,
    ...(error === null ? {} : { outcome: iperfFailure(printable(error), address) }),
  };
  const found = DIRECTIONS.flatMap((suffix) => directionOf(document, end, suffix) ?? []);
  if (found.length === 0) emitTransfer({ ...base, ...nothing(directionByOrder(start, test)) }, context, sink);
  for (const direction of found) emitTransfer({ ...base, ...direction }, context, sink);
  return true;
}

type Direction = Omit<TransferSums, 'to' | 'address' | 'tool' | 'protocol' | 'streams' | 'targetMbitPerS'>;

function nothing(direction: 'up' | 'down'): Direction {
  const rates = { senderMbitPerS: null, receiverMbitPerS: null, bytes: null, durationS: null };
  return { direction, ...rates, retransmits: null, congestion: null, loadedRtt: null, udp: null, intervals: [] };
}

/** Before 3.7 nothing says who sends but the order that was given. */
function directionByOrder(start: JsonObject | null, test: JsonObject): 'up' | 'down' {
  const reverse = asNumber(test['reverse']) === 1;
  const isServer = start?.['accepted_connection'] !== undefined;
  return reverse === isServer ? 'up' : 'down';
}

function directionOf(document: JsonObject, end: JsonObject, suffix: string): Direction | null {
  const sent = asObject(end[`sum_sent${suffix}`]) ?? (suffix === '' ? asObject(end['sum']) : null);
  const received = asObject(end[`sum_received${suffix}`]);
  const intervals = intervalsOf(document, suffix);
  const sums = sent ?? received;
  if (!sums && intervals.length === 0) return null;
  const start = asObject(document['start']);
  const order = directionByOrder(start, asObject(start?.['test_start']) ?? {});
  const says = sent?.['sender'] ?? asObject(asObject(asArray(document['intervals'])[0])?.[`sum${suffix}`])?.['sender'];
  const direction =
    typeof says === 'boolean' ? (says ? 'up' : 'down') : suffix === '' ? order : order === 'up' ? 'down' : 'up';
  const counts = received ?? asObject(end['sum']) ?? {};
  // One that was cut short has no sums: what this side saw of it is in the intervals.
  const cut = sums ? null : meanRate(intervals);
  return {
    direction,
    senderMbitPerS: mbit(sent) ?? (direction === 'up' ? cut : null),
    receiverMbitPerS: mbit(received) ?? (direction === 'down' ? cut : null),
    bytes: asNumber(received?.['bytes']),
    durationS: asNumber(received?.['seconds'] ?? sent?.['seconds']) ?? intervals.at(-1)?.endS ?? null,
    retransmits: count(asNumber(sent?.['retransmits'])),
    congestion: congestionOf(end, suffix),
    loadedRtt: loadedRtt(end, direction === 'up'),
    udp: udpOf(counts),
    intervals,
  };
}

/** Of two senders only the first is named; the other's is known where the receiver's is the same. */
function congestionOf(end: JsonObject, suffix: string): string | null {
  const name = asText(end['sender_tcp_congestion']);
  const shown = name === null ? null : printable(name, 40);
  return suffix === '' || end['receiver_tcp_congestion'] === name ? shown : null;
}

function mbit(sums: JsonObject | null): number | null {
  const rate = asNumber(sums?.['bits_per_second']);
  return rate === null ? null : rate / 1e6;
}

function udpOf(sums: JsonObject): TransferSums['udp'] {
  const [packets, lost] = [count(asNumber(sums['packets'])), count(asNumber(sums['lost_packets']))];
  return packets === null || lost === null ? null : { packets, lost, jitterMs: asNumber(sums['jitter_ms']) };
}

function intervalsOf(document: JsonObject, suffix: string): TransferSums['intervals'] {
  return asArray(document['intervals'])
    .slice(0, MAX_INTERVALS)
    .flatMap((one) => {
      const sum = asObject(asObject(one)?.[`sum${suffix}`]);
      const [startS, endS, mbitPerS] = [asNumber(sum?.['start']), asNumber(sum?.['end']), mbit(sum)];
      if (startS === null || endS === null || mbitPerS === null) return [];
      return [{ startS, endS, mbitPerS, omitted: sum?.['omitted'] === true }];
    });
}

/** Round trips in µs, of the connections on which this side sends; zeros where it does not know. */
function loadedRtt(end: JsonObject, isUp: boolean): TransferSums['loadedRtt'] {
  const senders = asArray(end['streams']).flatMap((stream) => {
    const sender = asObject(asObject(stream)?.['sender']);
    const [min, mean, max] = ['min_rtt', 'mean_rtt', 'max_rtt'].map((key) => asNumber(sender?.[key]));
    const sends = sender?.['sender'];
    if (sends !== isUp || !isUp || !min || !mean || !max) return [];
    return [{ min, mean, max }];
  });
  if (senders.length === 0) return null;
  return {
    minMs: Math.min(...senders.map(({ min }) => min)) / 1000,
    meanMs: senders.reduce((sum, { mean }) => sum + mean, 0) / senders.length / 1000,
    maxMs: Math.max(...senders.map(({ max }) => max)) / 1000,
  };
}
