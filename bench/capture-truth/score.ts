import { CaptureAnalysis } from '../../src/gather/capture/analysis.ts';
import { judgeExchange } from '../../src/gather/capture/causes.ts';
import { newStreamReader } from '../../src/gather/capture/streams/stream-reader.ts';
import type { JudgedExchange } from '../../src/model/capture/judged.ts';
import { decodePacket } from '../../src/wire/packet/decode.ts';
import { newPacket } from '../../src/wire/packet/packet.ts';
import { newFrame } from '../../src/wire/pcap/frame.ts';
import { captureReader } from '../../src/wire/pcap/reader.ts';
import type { Peers } from './peers.ts';
import { PORT, type Recorded } from './recorded.ts';
import { atServer, scoreStreams, type StreamScore } from './score-streams.ts';

export interface Counts {
  hits: number;
  wrong: number;
  missed: number;
}

export interface TapScore extends StreamScore {
  ours: Counts;
  tshark: Counts;
  /** By sums per connection; null: not installed. */
  tcptrace: Counts | null;
}

export interface Score {
  retransmissions: number;
  kernelRetransmissions: number;
  client: TapScore;
  server: TapScore;
}

/** A packet of the server that carries something. */
interface DataPacket {
  frame: number;
  flow: string;
  sequence: number;
  octets: number;
  syn: boolean;
  ms: number;
  /** What tells one copy from another: the sender stamps or counts each, where it does. */
  key: string;
}

/** Holds what both taps say against the server’s own tap, its kernel and its log. */
export function scoreOf(recorded: Recorded, peers: Peers): Score {
  const sent = serverPackets(recorded.server);
  const server = atServer(recorded.server);
  const again = resent(sent);
  const score = (tap: 'client' | 'server'): TapScore => {
    const read = analyse(recorded[tap]);
    const far = tap === 'server' ? null : arrived(serverPackets(recorded[tap]), sent);
    const packets = far ?? sent;
    const copies = far ? new Set(far.flatMap(({ frame, left }) => (again.has(left.frame) ? [frame] : []))) : again;
    return {
      ours: countsOf(packets, copies, read.retransmissions),
      tshark: countsOf(packets, copies, new Set(peers[tap].tshark)),
      tcptrace: sumsOf(packets, copies, peers[tap].tcptrace && new Map(peers[tap].tcptrace)),
      ...scoreStreams(read, recorded, server),
    };
  };
  return {
    retransmissions: again.size,
    kernelRetransmissions: recorded.kernelRetransmissions,
    client: score('client'),
    server: score('server'),
  };
}

function countsOf(packets: readonly DataPacket[], again: ReadonlySet<number>, said: ReadonlySet<number>): Counts {
  const counts = { hits: 0, wrong: 0, missed: 0 };
  for (const { frame } of packets) {
    const is = again.has(frame);
    if (is && said.has(frame)) counts.hits += 1;
    else if (is) counts.missed += 1;
    else if (said.has(frame)) counts.wrong += 1;
  }
  return counts;
}

/** Of a peer that gives sums per connection only: at best what both have are the same packets. SYN-ACKs do not count, as it does not count them. */
function sumsOf(
  packets: readonly DataPacket[],
  again: ReadonlySet<number>,
  said: ReadonlyMap<string, number> | null,
): Counts | null {
  if (!said) return null;
  const real = new Map<string, number>();
  for (const { frame, flow, syn } of packets)
    if (!syn) real.set(flow, (real.get(flow) ?? 0) + (again.has(frame) ? 1 : 0));
  const counts = { hits: 0, wrong: 0, missed: 0 };
  for (const [flow, count] of real) {
    const theirs = said.get(flow) ?? 0;
    counts.hits += Math.min(count, theirs);
    counts.missed += Math.max(0, count - theirs);
    counts.wrong += Math.max(0, theirs - count);
  }
  return counts;
}

function serverPackets(bytes: Buffer): DataPacket[] {
  const all: DataPacket[] = [];
  const reader = captureReader();
  const [frame, packet] = [newFrame(), newPacket()];
  reader.push(bytes);
  for (let number = 1; reader.next(frame); number++) {
    if (!decodePacket(frame, packet) || packet.protocol !== 6 || packet.sourcePort !== PORT) continue;
    const octets = packet.payloadBytes + ((packet.flags & 3) === 0 ? 0 : 1);
    if (octets === 0) continue;
    const flow = String(packet.destinationPort);
    const { sequence, tsVal, ipId } = packet;
    const syn = (packet.flags & 2) !== 0;
    const ms = frame.seconds * 1000 + frame.nanoseconds / 1e6;
    all.push({ frame: number, flow, sequence, octets, syn, ms, key: [flow, sequence, octets, tsVal, ipId].join(' ') });
  }
  return all;
}

/** At the server’s own tap a second copy is one whose last octet went out before; nothing is lost or overtaken there. */
function resent(sent: readonly DataPacket[]): Set<number> {
  const highest = new Map<string, number>();
  const again = new Set<number>();
  for (const { frame, flow, sequence, octets } of sent) {
    const end = (sequence + octets) | 0;
    const before = highest.get(flow);
    if (before !== undefined && ((end - before) | 0) <= 0) again.add(frame);
    else highest.set(flow, end);
  }
  return again;
}

/** A packet of the far tap, with that of the server's own tap which it is. */
type Arrived = DataPacket & { left: DataPacket };

/**
 * What arrived, by what left. Where stamps and numbers are the same for all copies (SYN-ACKs without timestamps), one that arrives is the
 * last that had left by then: both taps have one clock. What left when the server's tap had ended already is not judged.
 */
function arrived(seen: readonly DataPacket[], sent: readonly DataPacket[]): Arrived[] {
  const copies = new Map<string, DataPacket[]>();
  for (const one of sent) copies.set(one.key, [...(copies.get(one.key) ?? []), one]);
  return seen.flatMap((one) => {
    const left = copies.get(one.key)?.findLast(({ ms }) => ms <= one.ms);
    return left ? [{ ...one, left }] : [];
  });
}

interface Read {
  retransmissions: Set<number>;
  exchanges: { port: number; exchange: JudgedExchange }[];
  /** Of the first packet, ms since the epoch. */
  startMs: number;
}

function analyse(bytes: Buffer): Read {
  const retransmissions = new Set<number>();
  const judged: { flow: number; exchange: JudgedExchange }[] = [];
  const ports = new Map<number, number>();
  const analysis = new CaptureAnalysis({
    flow: ({ number, client }) => ports.set(number, Number(client.split(':').at(-1))),
    event: (_, event) => {
      if (event.kind === 'retransmission' && event.from === 'server') retransmissions.add(event.frameNumber);
    },
    stream: (flow, connection) =>
      newStreamReader((exchange) => judged.push({ flow, exchange: judgeExchange(exchange, connection()) })),
  });
  const reader = captureReader();
  const frame = newFrame();
  reader.push(bytes);
  while (reader.next(frame)) analysis.frame(frame);
  analysis.finish();
  return {
    retransmissions,
    exchanges: judged.map(({ flow, exchange }) => ({ port: ports.get(flow)!, exchange })),
    startMs: analysis.sorted.startEpochMs!,
  };
}
