import type { ThroughputReport } from '../../model/throughput.ts';
import { streamId } from '../../wire/iperf/control.ts';
import type { ClientOptions } from './options.ts';
import { type DataStream, type RawTest, type Snapshot, type StreamSnapshot } from './transfer.ts';

/**
 * The shape of `iperf3 -J` of one client's test, for scripts that read that: start, intervals, end. Same names, same units; what
 * iperf3 cannot know is not in it.
 */
export function iperfJson(report: ThroughputReport, raw: RawTest, options: ClientOptions): Record<string, unknown> {
  const { transfer, snapshots, remote, cookie, blockBytes } = raw;
  const udp = options.protocol === 'udp';
  const millis = Date.parse(report.startedAt);
  return {
    start: {
      connected: transfer.streams.map((_, i) => ({
        socket: streamId(i),
        remote_host: report.address,
        remote_port: report.port,
      })),
      version: `inferpath ${report.version}`,
      timestamp: { time: new Date(millis).toUTCString(), timesecs: Math.floor(millis / 1000) },
      connecting_to: { host: report.target, port: report.port },
      cookie,
      test_start: {
        protocol: options.protocol.toUpperCase(),
        num_streams: options.parallel,
        blksize: blockBytes,
        omit: options.omitS,
        duration: options.bytes === undefined && options.blocks === undefined ? options.durationS : 0,
        bytes: options.bytes ?? 0,
        blocks: options.blocks ?? 0,
        reverse: Number(options.direction === 'down'),
        tos: options.tos ?? 0,
        target_bitrate: options.bitsPerS,
        bidir: Number(options.direction === 'both'),
      },
    },
    intervals: snapshots
      .slice(1)
      .map((now, i) => intervalJson(transfer.streams, snapshots[i]!, now, now.atMs <= transfer.base.atMs, udp)),
    end: endJson(report, raw, udp),
    ...(remote?.server_output_text !== undefined && { server_output_text: remote.server_output_text }),
  };
}

function intervalJson(
  streams: readonly DataStream[],
  before: Snapshot,
  now: Snapshot,
  omitted: boolean,
  udp: boolean,
): Record<string, unknown> {
  const one = ({ role }: DataStream, i: number) => ({
    socket: streamId(i),
    ...amount(now.streams[i]!.bytes - before.streams[i]!.bytes, before.atMs, now.atMs),
    ...(udp
      ? packets(before.streams[i]!, now.streams[i]!, role)
      : tcpFields(before.streams[i]!, now.streams[i]!, role)),
    omitted,
    sender: role === 'send',
  });
  const all = streams.map(one);
  const sum = (role: DataStream['role']) => ({
    ...amount(
      all.reduce((n, s) => n + (s.sender === (role === 'send') ? s.bytes : 0), 0),
      before.atMs,
      now.atMs,
    ),
    omitted,
    sender: role === 'send',
  });
  const roles = [...new Set(streams.map(({ role }) => role))];
  return { streams: all, sum: sum(roles[0] ?? 'send'), ...(roles[1] && { sum_bidir_reverse: sum(roles[1]) }) };
}

function amount(bytes: number, fromMs: number, toMs: number) {
  const seconds = Math.max(1e-3, (toMs - fromMs) / 1000);
  return { start: fromMs / 1000, end: toMs / 1000, seconds, bytes, bits_per_second: (bytes * 8) / seconds };
}

function tcpFields(before: StreamSnapshot, now: StreamSnapshot, role: DataStream['role']): Record<string, unknown> {
  if (role !== 'send' || now.retransmits === null) return {};
  const micro = (ms: number | null) => Math.round((ms ?? 0) * 1000);
  return {
    retransmits: now.retransmits - (before.retransmits ?? 0),
    snd_cwnd: now.cwndBytes ?? 0,
    rtt: micro(now.rttMs),
  };
}

function packets(before: StreamSnapshot, now: StreamSnapshot, role: DataStream['role']): Record<string, unknown> {
  const came = now.packets - before.packets;
  if (role === 'send') return { packets: came };
  const lost = now.lost - before.lost;
  return {
    jitter_ms: now.jitterMs,
    lost_packets: lost,
    packets: came + lost,
    lost_percent: (100 * lost) / Math.max(1, came + lost),
  };
}

/** The names of the sums: bidirectional tests have those of the other way under names of their own. */
function endJson(report: ThroughputReport, { transfer, remote }: RawTest, udp: boolean): Record<string, unknown> {
  const { test } = report;
  const end: Record<string, unknown> = {};
  end['streams'] = (test?.directions ?? []).flatMap(({ direction, durationS, streams, udp: counted }) =>
    streams.map((s) => {
      const side = (bytes: number) => ({
        socket: s.id,
        ...amount(bytes, 0, durationS * 1000),
        sender: direction === 'up',
      });
      if (udp) return { udp: { ...side(s.bytesReceived), ...lossOf(counted) } };
      return {
        sender: { ...side(s.bytesSent), ...(s.retransmits !== null && { retransmits: s.retransmits }) },
        receiver: side(s.bytesReceived),
      };
    }),
  );
  for (const [i, d] of (test?.directions ?? []).entries()) {
    const suffix = i === 0 ? '' : '_bidir_reverse';
    const sum = (bytes: number) => ({ ...amount(bytes, 0, d.durationS * 1000), sender: d.direction === 'up' });
    const sentBytes = d.streams.reduce((n, s) => n + s.bytesSent, 0);
    const sent = { ...sum(sentBytes), ...(sentBytes > 0 && { bits_per_second: d.senderMbitPerS * 1e6 }) };
    end[`sum_sent${suffix}`] = { ...sent, ...(d.retransmits !== null && { retransmits: d.retransmits }) };
    end[`sum_received${suffix}`] = { ...sum(d.bytes), ...lossOf(d.udp) };
    if (udp) end[`sum${suffix}`] = { ...sum(sentBytes), ...lossOf(d.udp) };
  }
  const share = (ms: number) => (100 * ms) / Math.max(1, transfer.end.atMs);
  const { userMs, systemMs } = transfer.cpu;
  end['cpu_utilization_percent'] = {
    host_total: share(userMs + systemMs),
    host_user: share(userMs),
    host_system: share(systemMs),
    remote_total: remote?.cpu_util_total ?? 0,
    remote_user: remote?.cpu_util_user ?? 0,
    remote_system: remote?.cpu_util_system ?? 0,
  };
  if (!udp && transfer.congestion !== null) end['sender_tcp_congestion'] = transfer.congestion;
  if (remote?.congestion_used !== undefined) end['receiver_tcp_congestion'] = remote.congestion_used;
  return end;
}

function lossOf(udp: { jitterMs: number; lost: number; packets: number; lossShare: number } | null): object {
  if (udp === null) return {};
  return { jitter_ms: udp.jitterMs, lost_packets: udp.lost, packets: udp.packets, lost_percent: 100 * udp.lossShare };
}
