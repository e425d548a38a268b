import { Socket } from 'node:net';
import type { Outcome } from '../../model/outcome.ts';
import type { ThroughputInterval, ThroughputTest } from '../../model/throughput.ts';
import type { Io } from '../../wire/io.ts';
import { ControlChannel } from '../../wire/iperf/channel.ts';
import { iperfState, makeCookie } from '../../wire/iperf/control.ts';
import { Mover } from '../../wire/mover/mover.ts';
import { closeSocket, connectTcp, readTcpInfo } from '../../wire/mover/sockets.ts';
import type { ClientOptions } from './options.ts';
import { chooseMeter } from './choose-meter.ts';
import { clientOutcome, endOutcome, PeerEnded, saidInstead } from './client-outcome.ts';
import { openStreams } from './client-streams.ts';
import type { LatencyMeter } from './latency.ts';
import { parametersJson, TCP_BLOCK_BYTES, UDP_BLOCK_MAX_BYTES } from './parameters.ts';
import { readResults, type IperfResults } from './results.ts';
import { intervalBetween, reportTest } from './report-test.ts';
import { type DataStream, type RawTest, resultsJson, type Snapshot, Transfer } from './transfer.ts';

/** What the caller may show while it runs. */
export interface ClientEvents {
  /** What it is doing before the data flows. */
  phase?(what: string): void;
  interval?(tick: Tick): void;
}

/** One interval of a running test. */
export interface Tick {
  up: ThroughputInterval | null;
  down: ThroughputInterval | null;
  idleMs: number | null;
  loadedMs: number | null;
}

export interface ClientResult {
  outcome: Outcome;
  how: string;
  test: ThroughputTest | null;
  /** Everything the test exchanged, for the shape that iperf3 -J has. */
  raw: RawTest | null;
}

/** How long each step of the protocol may take. */
const STEP_MS = 10_000;
/** The end of a test travels behind whatever the load has queued on the way. */
const END_MS = 30_000;
const IDLE_PROBING_MS = 1000;
const POLL_MS = 20;
const HOW = "iperf3's protocol; octets counted at the sockets, TCP_INFO of the own connections";

/** One test against an iperf3 server, stock or ours. Never throws for what the network or the peer does. */
export async function runClient(
  options: ClientOptions,
  io: Io,
  signal: AbortSignal,
  events: ClientEvents = {},
): Promise<ClientResult> {
  const run = new ClientRun(options, io, signal, events);
  try {
    return await run.go();
  } catch (error) {
    return { outcome: run.outcomeOf(error), how: HOW, test: null, raw: null };
  } finally {
    await run.close();
  }
}

class ClientRun {
  readonly #options: ClientOptions;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #events: ClientEvents;
  readonly #cookie: string;
  readonly #fds: number[] = [];
  #channel: ControlChannel | null = null;
  #mover: Mover | null = null;
  #meter: LatencyMeter | null = null;
  #blockBytes = TCP_BLOCK_BYTES;
  #phase: 'tcp' | 'wait' | 'stream' = 'tcp';

  constructor(options: ClientOptions, io: Io, signal: AbortSignal, events: ClientEvents) {
    this.#options = options;
    this.#io = io;
    this.#signal = signal;
    this.#events = events;
    this.#cookie = makeCookie(() => io.random.next());
  }

  /** The protocol, step by step. */
  async go(): Promise<ClientResult> {
    const channel = await this.#connect();
    await this.#expect(channel, iperfState.paramExchange);
    await this.#measureIdle();
    channel.sendJson(this.#parameters());
    await this.#mover?.ready;
    await this.#expect(channel, iperfState.createStreams);
    const streams = await this.#openStreams();
    await this.#expect(channel, iperfState.testStart);
    await this.#expect(channel, iperfState.testRunning);
    const transfer = new Transfer(this.#mover!, this.#options.protocol, streams, () => this.#io.clock.monoMs());
    const { endedBy, snapshots, peer } = await this.#load(channel, transfer);
    const remote = endedBy === 'peer' || endedBy === 'interrupted' ? null : await this.#exchange(channel, transfer);
    if (endedBy === 'interrupted') channel.sendState(iperfState.clientTerminate);
    await this.#meter?.stop(endedBy === 'interrupted' ? 0 : 1000);
    const raw = { cookie: this.#cookie, transfer, snapshots, remote, blockBytes: this.#blockBytes };
    const test = reportTest(raw, this.#options, endedBy, this.#meter?.result() ?? null);
    return { outcome: peer ?? endOutcome(endedBy), how: HOW, test, raw };
  }

  outcomeOf(error: unknown): Outcome {
    const { address, connectTimeoutMs } = this.#options;
    return clientOutcome(error, { address, connectTimeoutMs, phase: this.#phase, aborted: this.#signal.aborted });
  }

  async close(): Promise<void> {
    if (this.#channel?.ended === null && this.#signal.aborted) this.#channel.sendState(iperfState.clientTerminate);
    await this.#mover?.stop();
    await this.#meter?.stop(0);
    for (const fd of this.#fds) closeSocket(fd);
    this.#channel?.close();
  }

  async #connect(): Promise<ControlChannel> {
    const { address, port, connectTimeoutMs } = this.#options;
    this.#events.phase?.('connecting');
    const wait = { timeoutMs: connectTimeoutMs, signal: this.#signal };
    const fd = await connectTcp({ address, port }, {}, wait);
    const info = readTcpInfo(fd);
    // From here on the descriptor is the Socket's, which closes it.
    const channel = new ControlChannel(new Socket({ fd, readable: true, writable: true }));
    this.#channel = channel;
    this.#phase = 'wait';
    channel.sendCookie(this.#cookie);
    this.#prepare(info?.sndMssBytes ?? 0, info?.rttMs ?? null);
    return channel;
  }

  #controlRttMs: number | null = null;

  #prepare(mssBytes: number, rttMs: number | null): void {
    const { protocol, blockBytes, parallel, bitsPerS, direction } = this.#options;
    const udpBytes = Math.min(UDP_BLOCK_MAX_BYTES, mssBytes > 0 ? mssBytes : 1460);
    this.#blockBytes = blockBytes ?? (protocol === 'udp' ? udpBytes : TCP_BLOCK_BYTES);
    this.#controlRttMs = rttMs;
    // Threads take a moment to start: they do while the idle round trips are measured.
    this.#mover = new Mover({
      protocol,
      streams: parallel * (direction === 'both' ? 2 : 1),
      blockBytes: this.#blockBytes,
      bitsPerS,
      counters64: true,
      // The bound on a test that ends by time is watched here: counting it octet by octet would cost the thread more than it is worth.
      budgetBytes: this.#askedBytes(),
    });
  }

  /** What is asked for in octets, or the bound on a test that asks for a time. */
  #capBytes(): number {
    return this.#askedBytes() ?? this.#options.capBytes;
  }

  #askedBytes(): number | undefined {
    const { bytes, blocks } = this.#options;
    return bytes ?? (blocks === undefined ? undefined : blocks * this.#blockBytes);
  }

  async #measureIdle(): Promise<void> {
    const { latency, latencyIntervalMs } = this.#options;
    if (!latency) return;
    this.#events.phase?.('measuring the idle round trip');
    const meter = await chooseMeter(this.#options, this.#io, this.#signal);
    this.#meter = meter;
    if (meter.probe.method === 'tcp-connect') {
      // A stock server would take a handshake for a client before the test runs: what is known of ours has to do.
      if (this.#controlRttMs !== null) meter.add('idle', this.#controlRttMs);
      return;
    }
    meter.start();
    const untilMs = this.#io.clock.monoMs() + Math.max(IDLE_PROBING_MS, 10 * latencyIntervalMs);
    while (this.#io.clock.monoMs() < untilMs) await this.#io.clock.sleep(POLL_MS, this.#signal);
    meter.enter('omitted');
  }

  #parameters(): Record<string, unknown> {
    const o = this.#options;
    return parametersJson({
      ...(o.protocol === 'udp' ? { udp: true, udp_counters_64bit: true } : { tcp: true }),
      omit: o.omitS,
      time: o.bytes === undefined && o.blocks === undefined ? Math.ceil(o.durationS) : 0,
      num: o.bytes ?? 0,
      blockcount: o.blocks ?? 0,
      parallel: o.parallel,
      reverse: o.direction === 'down',
      bidirectional: o.direction === 'both',
      len: this.#blockBytes,
      bandwidth: o.bitsPerS,
      window: o.windowBytes ?? 0,
      MSS: o.mssBytes ?? 0,
      nodelay: o.noDelay ?? false,
      TOS: o.tos ?? 0,
      ...(o.congestion !== undefined && { congestion: o.congestion }),
    });
  }

  async #openStreams(): Promise<DataStream[]> {
    this.#phase = 'tcp';
    this.#events.phase?.('opening streams');
    const streams = await openStreams(this.#options, this.#cookie, this.#io, this.#signal, (fd, rttMs) => {
      this.#fds.push(fd);
      if (this.#meter?.probe.method === 'tcp-connect' && rttMs !== null) this.#meter.add('idle', rttMs);
    });
    this.#phase = 'wait';
    return streams;
  }

  async #load(
    channel: ControlChannel,
    transfer: Transfer,
  ): Promise<{ endedBy: ThroughputTest['endedBy']; snapshots: Snapshot[]; peer: Outcome | null }> {
    this.#phase = 'stream';
    const snapshots: Snapshot[] = [];
    let peer: Outcome | null = null;
    const watching = this.#watch(channel).then((outcome) => (peer = outcome));
    transfer.begin();
    this.#meter?.enter(this.#options.omitS > 0 ? 'omitted' : 'loaded');
    this.#meter?.start();
    snapshots.push(transfer.base);
    const endedBy = await this.#untilOver(transfer, snapshots, () => peer !== null);
    await transfer.stop();
    this.#meter?.enter('omitted');
    snapshots.push(transfer.end);
    this.#stopWatching.abort();
    await watching;
    return { endedBy, snapshots, peer };
  }

  readonly #stopWatching = new AbortController();

  /** Whatever the server says while data flows is the end of it; null when we stopped listening first. */
  async #watch(channel: ControlChannel): Promise<Outcome | null> {
    try {
      const state = await channel.state({ timeoutMs: 2 ** 31 - 1, signal: this.#stopWatching.signal });
      return await saidInstead(channel, state, STEP_MS);
    } catch (error) {
      if (this.#stopWatching.signal.aborted) return null;
      return this.outcomeOf(error);
    }
  }

  async #untilOver(
    transfer: Transfer,
    snapshots: Snapshot[],
    peerEnded: () => boolean,
  ): Promise<ThroughputTest['endedBy']> {
    const { durationS, omitS, intervalS } = this.#options;
    const asked = this.#askedBytes();
    const endMs = asked === undefined ? (durationS + omitS) * 1000 : Number.POSITIVE_INFINITY;
    let [omitMs, intervals] = [omitS > 0 ? omitS * 1000 : Number.POSITIVE_INFINITY, 1];
    for (;;) {
      const nowMs = transfer.elapsedMs;
      if (this.#signal.aborted) return 'interrupted';
      if (peerEnded() || this.#mover?.failure || this.#broken(transfer)) return 'peer';
      if (nowMs >= endMs) return 'time';
      if (this.#enough(transfer, nowMs < omitMs)) return asked === undefined ? 'cap' : 'bytes';
      if (nowMs >= omitMs) {
        omitMs = Number.POSITIVE_INFINITY;
        if (asked !== undefined) this.#mover?.setBudget(asked);
        this.#tick(snapshots, transfer.omit(), true);
        this.#meter?.enter('loaded');
        intervals = Math.floor(nowMs / (intervalS * 1000)) + 1;
      } else if (nowMs >= intervals * intervalS * 1000) {
        intervals = Math.floor(nowMs / (intervalS * 1000)) + 1;
        this.#tick(snapshots, transfer.snapshot(), omitMs !== Number.POSITIVE_INFINITY);
      }
      const nextMs = Math.min(endMs, omitMs, intervals * intervalS * 1000) - transfer.elapsedMs;
      await this.#io.clock.sleep(Math.max(1, Math.min(POLL_MS, nextMs)), this.#signal).catch(() => undefined);
    }
  }

  /** A data connection that ended by itself: the peer went away, or was reset. */
  #broken(transfer: Transfer): boolean {
    return transfer.streams.some((_, i) => ['peer', 'error'].includes(this.#mover!.counters(i).ended));
  }

  #enough(transfer: Transfer, counting: boolean): boolean {
    const { direction } = this.#options;
    const limit = this.#capBytes();
    if (direction !== 'down' && transfer.drained) return true;
    if (!counting && this.#askedBytes() !== undefined) return false;
    const { base } = transfer;
    const moved = (role: DataStream['role'] | null) =>
      transfer.streams.reduce(
        (sum, s, i) =>
          role === null || s.role === role ? sum + this.#mover!.counters(i).bytes - base.streams[i]!.bytes : sum,
        0,
      );
    return this.#askedBytes() === undefined ? moved(null) >= limit : moved('receive') >= limit;
  }

  #tick(snapshots: Snapshot[], now: Snapshot, omitted: boolean): void {
    const before = snapshots.at(-1)!;
    snapshots.push(now);
    if (!this.#events.interval) return;
    const of = (role: DataStream['role']) => this.#intervalOf(role, before, now, omitted);
    const idle = this.#meter?.result().idle?.medianMs ?? null;
    this.#events.interval({
      up: of('send'),
      down: of('receive'),
      idleMs: idle,
      loadedMs: this.#meter?.recentMs() ?? null,
    });
  }

  #intervalOf(role: DataStream['role'], before: Snapshot, now: Snapshot, omitted: boolean): ThroughputInterval | null {
    const { direction, parallel } = this.#options;
    const has = direction === 'both' || (direction === 'up') === (role === 'send');
    if (!has) return null;
    const first = direction === 'both' && role === 'receive' ? parallel : 0;
    const pick = (s: Snapshot) => ({ ...s, streams: s.streams.slice(first, first + parallel) });
    return intervalBetween(pick(before), pick(now), omitted, role, this.#options.protocol);
  }

  /** The end: both sides tell each other what they counted. */
  async #exchange(channel: ControlChannel, transfer: Transfer): Promise<IperfResults | null> {
    channel.sendState(iperfState.testEnd);
    try {
      await this.#expect(channel, iperfState.exchangeResults, END_MS);
      channel.sendJson(resultsJson(transfer));
      const remote = await readResults(channel, { timeoutMs: END_MS, signal: this.#signal });
      await this.#expect(channel, iperfState.displayResults, END_MS);
      channel.sendState(iperfState.iperfDone);
      return remote;
    } catch (error) {
      // What we counted ourselves stands, with or without the peer's part.
      this.outcomeOf(error);
      return null;
    }
  }

  async #expect(channel: ControlChannel, wanted: number, timeoutMs = STEP_MS): Promise<void> {
    const state = await channel.state({ timeoutMs, signal: this.#signal });
    if (state !== wanted) throw new PeerEnded(await saidInstead(channel, state, STEP_MS));
  }
}
