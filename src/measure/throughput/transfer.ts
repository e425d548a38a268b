import { streamId } from '../../wire/iperf/control.ts';
import type { CpuUse, Mover, StreamCounters } from '../../wire/mover/mover.ts';
import { congestionOf, endWriting, readTcpInfo, unackedBytes } from '../../wire/mover/sockets.ts';
import type { IperfResults, SenderFacts } from './results.ts';

/** One data stream of a test, as this side has it. */
export interface DataStream {
  fd: number;
  role: 'send' | 'receive';
}

/** What is known of one stream at one moment, since it began. */
export interface StreamSnapshot extends StreamCounters {
  /** Null for UDP, and where we only receive. */
  retransmits: number | null;
  cwndBytes: number | null;
  rttMs: number | null;
  minRttMs: number | null;
  busyMs: number;
  rwndLimitedMs: number;
  sndbufLimitedMs: number;
}

export interface Snapshot {
  /** Since the data began to flow. */
  atMs: number;
  streams: StreamSnapshot[];
}

/** Everything a client's test exchanged and counted. */
export interface RawTest {
  cookie: string;
  transfer: Transfer;
  snapshots: Snapshot[];
  remote: IperfResults | null;
  blockBytes: number;
}

/** The data of one test while it flows, on either side: streams, their counters, and what was omitted. */
export class Transfer {
  readonly streams: readonly DataStream[];
  readonly protocol: 'tcp' | 'udp';
  readonly congestion: string | null;
  readonly #mover: Mover;
  readonly #monoMs: () => number;
  #startMs = 0;
  #base: Snapshot | null = null;
  #end: Snapshot | null = null;

  constructor(mover: Mover, protocol: 'tcp' | 'udp', streams: readonly DataStream[], monoMs: () => number) {
    this.#mover = mover;
    this.#monoMs = monoMs;
    this.streams = streams;
    this.protocol = protocol;
    this.congestion = protocol === 'tcp' && streams[0] ? congestionOf(streams[0].fd) : null;
  }

  begin(): void {
    this.#startMs = this.#monoMs();
    this.#base = this.snapshot();
    this.#mover.start(this.streams.map(({ fd, role }) => ({ fd, role })));
  }

  get elapsedMs(): number {
    return this.#monoMs() - this.#startMs;
  }

  /** What came before now does not count. */
  omit(): Snapshot {
    this.#base = this.snapshot();
    return this.#base;
  }

  /** Where counting began: at the start, or at the end of what was omitted. */
  get base(): Snapshot {
    return this.#base ?? { atMs: 0, streams: [] };
  }

  /** The last moment; after stop(). */
  get end(): Snapshot {
    return this.#end ?? this.base;
  }

  get cpu(): CpuUse {
    return this.#mover.cpu();
  }

  snapshot(): Snapshot {
    const atMs = this.#startMs === 0 ? 0 : this.elapsedMs;
    return { atMs, streams: this.streams.map((stream, index) => this.#one(stream, index)) };
  }

  /** All senders have sent what they may, and the peer's kernel has it. */
  get drained(): boolean {
    return this.streams.every(
      ({ fd, role }, i) =>
        role !== 'send' ||
        (this.#mover.counters(i).ended !== 'running' && (this.protocol === 'udp' || unackedBytes(fd) === 0)),
    );
  }

  async stop(): Promise<void> {
    // The clock is read first: how long the threads take to notice is not time in which they were asked to move octets.
    const atMs = this.elapsedMs;
    await this.#mover.stop();
    this.#end = { ...this.snapshot(), atMs };
  }

  /** Tells the receivers of our TCP streams that nothing more comes; after stop(). */
  endSending(): void {
    if (this.protocol === 'udp') return;
    for (const { fd, role } of this.streams) if (role === 'send') endWriting(fd);
  }

  #one({ fd, role }: DataStream, index: number): StreamSnapshot {
    const counters = this.#mover.counters(index);
    const tcp = this.protocol === 'tcp' && role === 'send' ? readTcpInfo(fd) : null;
    return {
      ...counters,
      retransmits: tcp?.totalRetrans ?? null,
      cwndBytes: tcp ? tcp.sndCwnd * tcp.sndMssBytes : null,
      rttMs: tcp?.rttMs ?? null,
      minRttMs: tcp?.minRttMs ?? null,
      busyMs: tcp?.busyMs ?? 0,
      rwndLimitedMs: tcp?.rwndLimitedMs ?? 0,
      sndbufLimitedMs: tcp?.sndbufLimitedMs ?? 0,
    };
  }
}

/** What the kernel says about who held up our senders while it counted; all 0 but the CPU where we send no TCP. */
export function senderFactsOf(transfer: Transfer): SenderFacts {
  const { base, end, streams, protocol } = transfer;
  const { busiestShare, waitedShare } = transfer.cpu;
  const cpu = { busiestThread: busiestShare, waitedForCore: waitedShare };
  const facts = { elapsedMs: 0, busyMs: 0, rwndLimitedMs: 0, sndbufLimitedMs: 0, ...cpu };
  streams.forEach(({ role }, i) => {
    const [from, to] = [base.streams[i], end.streams[i]];
    if (protocol !== 'tcp' || role !== 'send' || !from || !to) return;
    facts.elapsedMs += end.atMs - base.atMs;
    for (const key of ['busyMs', 'rwndLimitedMs', 'sndbufLimitedMs'] as const)
      facts[key] += Math.max(0, to[key] - from[key]);
  });
  return facts;
}

/** Our results as iperf3 exchanges them, with what only our kernel knows beside them. */
export function resultsJson(transfer: Transfer, text?: string): IperfResults {
  const { base, end, streams, cpu, protocol, congestion } = transfer;
  const elapsedMs = Math.max(1, end.atMs);
  const facts = senderFactsOf(transfer);
  return {
    cpu_util_total: (100 * (cpu.userMs + cpu.systemMs)) / elapsedMs,
    cpu_util_user: (100 * cpu.userMs) / elapsedMs,
    cpu_util_system: (100 * cpu.systemMs) / elapsedMs,
    sender_has_retransmits: streams.some((s) => s.role === 'send') ? Number(protocol === 'tcp') : -1,
    ...(congestion !== null && { congestion_used: congestion }),
    ...(text !== undefined && { server_output_text: text }),
    streams: streams.map(({ role }, i) => {
      const [from, to] = [base.streams[i]!, end.streams[i]!];
      return {
        id: streamId(i),
        bytes: to.bytes - from.bytes,
        // Never −1 from a sender: clients print that as 4294967295.
        retransmits: role === 'send' ? Math.max(0, (to.retransmits ?? 0) - (from.retransmits ?? 0)) : -1,
        jitter: to.jitterMs / 1000,
        errors: to.lost,
        packets: expected(to, role),
        omitted_errors: from.lost,
        omitted_packets: expected(from, role),
        start_time: 0,
        end_time: (end.atMs - base.atMs) / 1000,
      };
    }),
    inferpath: facts,
  };
}

/** iperf3 counts the packets that should have come: those that did and those that are missing. */
function expected({ packets, lost }: StreamSnapshot, role: DataStream['role']): number {
  return role === 'send' ? packets : packets + lost;
}
