import type { LoadLatency, ThroughputDirection, ThroughputInterval, ThroughputTest } from '../../model/throughput.ts';
import { streamId } from '../../wire/iperf/control.ts';
import { whoLimited } from './limited.ts';
import type { ClientOptions } from './options.ts';
import type { IperfResults, StreamResult } from './results.ts';
import { type DataStream, type RawTest, senderFactsOf, type Snapshot, type StreamSnapshot } from './transfer.ts';

/** What both sides counted, put together: the receiver's octets are the throughput, the sender's kernel says what held it up. */
export function reportTest(
  raw: RawTest,
  options: ClientOptions,
  endedBy: ThroughputTest['endedBy'],
  latency: LoadLatency | null,
): ThroughputTest {
  const { transfer, remote } = raw;
  const { direction, parallel, protocol, bitsPerS, omitS } = options;
  const directions: ThroughputDirection[] = [];
  if (direction !== 'down') directions.push(oneDirection('up', 0, raw, options, latency));
  if (direction !== 'up')
    directions.push(oneDirection('down', direction === 'both' ? parallel : 0, raw, options, latency));
  const { userMs, systemMs, busiestShare } = transfer.cpu;
  return {
    protocol,
    parallel,
    blockBytes: raw.blockBytes,
    targetMbitPerS: bitsPerS > 0 ? bitsPerS / 1e6 : null,
    omitS,
    endedBy,
    server: latency?.method === 'udp-echo' || remote?.inferpath ? 'inferpath' : 'iperf3',
    directions,
    latency,
    cpu: {
      local: (userMs + systemMs) / Math.max(1, transfer.end.atMs),
      busiestThread: busiestShare,
      remote: remote === null ? null : remote.cpu_util_total / 100,
    },
  };
}

function oneDirection(
  direction: 'up' | 'down',
  first: number,
  raw: RawTest,
  options: ClientOptions,
  latency: LoadLatency | null,
): ThroughputDirection {
  const { transfer, remote } = raw;
  const { parallel, protocol, bitsPerS } = options;
  const role: DataStream['role'] = direction === 'up' ? 'send' : 'receive';
  const { base, end } = transfer;
  const durationS = Math.max(1e-3, (end.atMs - base.atMs) / 1000);
  const indices = Array.from({ length: parallel }, (_, i) => first + i);
  const streams = indices.map((i) => oneStream(i, role, base, end, remote));
  const sum = (field: 'bytesSent' | 'bytesReceived') => streams.reduce((n, s) => n + s[field], 0);
  const retransmits = total(streams.map((s) => s.retransmits));
  // Each side divides by its own time: the receiver counts until our last word has come, behind whatever the load has queued.
  const theirS = remoteSeconds(remote, indices, durationS);
  const [receivedS, sentS] = role === 'send' ? [theirS, durationS] : [durationS, theirS];
  const mbitPerS = (sum('bytesReceived') * 8) / 1e6 / receivedS;
  const senderMbitPerS = (sum('bytesSent') * 8) / 1e6 / sentS;
  const udp = protocol === 'udp' ? udpOf(indices, role, base, end, remote) : null;
  const facts = role === 'send' ? senderFactsOf(transfer) : (remote?.inferpath ?? null);
  const increaseMs = latency?.increaseMs ?? null;
  return {
    direction,
    mbitPerS,
    senderMbitPerS,
    bytes: sum('bytesReceived'),
    durationS: receivedS,
    retransmits,
    congestion: (role === 'send' ? transfer.congestion : remote?.congestion_used) ?? null,
    udp,
    intervals: intervalsOf(raw.snapshots, first, parallel, base.atMs, role, protocol),
    streams,
    limitedBy: whoLimited({
      protocol,
      targetMbitPerS: bitsPerS > 0 ? (bitsPerS * parallel) / 1e6 : null,
      senderMbitPerS,
      receiverMbitPerS: mbitPerS,
      facts,
      localThread: transfer.cpu.busiestShare,
      localWait: transfer.cpu.waitedShare,
      remoteWait: remote?.inferpath?.waitedForCore ?? null,
      remoteCpu: remote === null ? null : (remote.inferpath?.busiestThread ?? remote.cpu_util_total / 100),
      retransmits,
      lossShare: udp?.lossShare ?? null,
      increaseMs,
      durationS,
      loopback: /^(127\.|::1$|::ffff:127\.)/.test(options.address),
    }),
  };
}

function oneStream(
  index: number,
  role: DataStream['role'],
  base: Snapshot,
  end: Snapshot,
  remote: IperfResults | null,
): ThroughputDirection['streams'][number] {
  const [from, to] = [base.streams[index]!, end.streams[index]!];
  const theirs = remoteStream(remote, index);
  const ours = to.bytes - from.bytes;
  const sending = role === 'send';
  const retransmits = sending ? to.retransmits : (theirs?.retransmits ?? -1);
  return {
    id: streamId(index),
    bytesSent: sending ? ours : Math.max(0, theirs?.bytes ?? ours),
    // Without the peer's count ours has to do: what was sent is the most that can have arrived.
    bytesReceived: sending ? Math.max(0, theirs?.bytes ?? ours) : ours,
    retransmits:
      retransmits === null || retransmits < 0 ? null : sending ? retransmits - (from.retransmits ?? 0) : retransmits,
    minRttMs: to.minRttMs,
    maxCwndBytes: to.cwndBytes,
  };
}

/** How long the peer counted; ours where it does not say, or says what cannot be. */
function remoteSeconds(remote: IperfResults | null, indices: readonly number[], oursS: number): number {
  const spans = indices.map((i) => {
    const stream = remoteStream(remote, i);
    return stream ? stream.end_time - stream.start_time : 0;
  });
  const longestS = Math.max(...spans);
  return longestS >= oursS / 2 && longestS <= oursS + 60 ? longestS : oursS;
}

function remoteStream(remote: IperfResults | null, index: number): StreamResult | undefined {
  return remote?.streams.find(({ id }) => id === streamId(index));
}

/** Loss and jitter are what the receiver saw: we, or the peer. */
function udpOf(
  indices: readonly number[],
  role: DataStream['role'],
  base: Snapshot,
  end: Snapshot,
  remote: IperfResults | null,
): ThroughputDirection['udp'] {
  const seen = indices.map((i) => {
    const [from, to] = [base.streams[i]!, end.streams[i]!];
    if (role === 'receive') {
      const lost = Math.max(0, to.lost - from.lost);
      return {
        packets: to.packets - from.packets + lost,
        lost,
        outOfOrder: to.outOfOrder - from.outOfOrder,
        jitterMs: to.jitterMs,
      };
    }
    const theirs = remoteStream(remote, i);
    const lost = theirs ? Math.max(0, theirs.errors - theirs.omitted_errors) : 0;
    return { packets: to.packets - from.packets, lost, outOfOrder: null, jitterMs: (theirs?.jitter ?? 0) * 1000 };
  });
  const packets = seen.reduce((n, s) => n + s.packets, 0);
  const lost = Math.min(
    packets,
    seen.reduce((n, s) => n + s.lost, 0),
  );
  return {
    packets,
    lost,
    lossShare: packets > 0 ? lost / packets : 0,
    outOfOrder: total(seen.map((s) => s.outOfOrder)),
    jitterMs: seen.reduce((n, s) => n + s.jitterMs, 0) / Math.max(1, seen.length),
  };
}

function intervalsOf(
  snapshots: readonly Snapshot[],
  first: number,
  count: number,
  countsFromMs: number,
  role: DataStream['role'],
  protocol: 'tcp' | 'udp',
): ThroughputInterval[] {
  const pick = (s: Snapshot) => ({ ...s, streams: s.streams.slice(first, first + count) });
  return (
    snapshots
      .slice(1)
      .map((now, i) => ({ before: snapshots[i]!, now }))
      // A last sliver of a few milliseconds is no interval.
      .filter(({ before, now }) => now.atMs - before.atMs >= 10)
      .map(({ before, now }) => intervalBetween(pick(before), pick(now), now.atMs <= countsFromMs, role, protocol))
  );
}

/** What happened between two moments, over the streams in them. */
export function intervalBetween(
  before: Snapshot,
  now: Snapshot,
  omitted: boolean,
  role: DataStream['role'],
  protocol: 'tcp' | 'udp',
): ThroughputInterval {
  const grown = (field: 'bytes' | 'lost') =>
    now.streams.reduce((sum, s, i) => sum + s[field] - before.streams[i]![field], 0);
  const bytes = grown('bytes');
  const known = (field: 'cwndBytes' | 'rttMs') => now.streams.map((s) => s[field]);
  const rtts = known('rttMs').filter((ms) => ms !== null);
  const receivesUdp = protocol === 'udp' && role === 'receive';
  const resent = total(
    now.streams.map((s, i) => (s.retransmits === null ? null : s.retransmits - (before.streams[i]!.retransmits ?? 0))),
  );
  return {
    startS: before.atMs / 1000,
    endS: now.atMs / 1000,
    omitted,
    bytes,
    mbitPerS: (bytes * 8) / 1e3 / Math.max(1e-3, now.atMs - before.atMs),
    retransmits: resent,
    cwndBytes: total(known('cwndBytes')),
    tcpRttMs: rtts.length > 0 ? rtts.reduce((a, b) => a + b, 0) / rtts.length : null,
    lost: receivesUdp ? Math.max(0, grown('lost')) : null,
    jitterMs: receivesUdp ? meanJitter(now.streams) : null,
  };
}

function meanJitter(streams: readonly StreamSnapshot[]): number {
  return streams.reduce((sum, s) => sum + s.jitterMs, 0) / Math.max(1, streams.length);
}

/** The sum; null when any part is unknown. */
function total(parts: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const part of parts) {
    if (part === null) return null;
    sum += part;
  }
  return parts.length === 0 ? null : sum;
}
