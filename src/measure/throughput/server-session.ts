import { printable } from '../../model/outcome.ts';
import type { Io } from '../../wire/io.ts';
import { ChannelClosedError, ChannelTimeoutError, type ControlChannel } from '../../wire/iperf/channel.ts';
import { encodeServerError, IperfProtocolError, iperfState } from '../../wire/iperf/control.ts';
import { UDP_HELLO, UDP_WELCOME } from '../../wire/iperf/datagram.ts';
import { SystemCallError } from '../../wire/libc.ts';
import { Mover } from '../../wire/mover/mover.ts';
import {
  closeSocket,
  connectUdp,
  type Endpoint,
  prepareAccepted,
  sendNow,
  takeStrays,
} from '../../wire/mover/sockets.ts';
import type { AddressLocks } from './address-locks.ts';
import { type IperfParameters, readParameters } from './parameters.ts';
import type { ServedTest } from '../../model/throughput.ts';
import { describeServed } from './served.ts';
import { type IperfResults, readResults } from './results.ts';
import { type DataStream, resultsJson, type Snapshot, Transfer } from './transfer.ts';

/** What one test may use. */
export interface SessionLimits {
  maxDurationS: number;
  /** All streams of a test together; undefined: no bound. */
  maxBitsPerS: number | undefined;
  maxStreams: number;
}

/** iperf3's own error numbers, so that a stock client explains them. */
const ERROR = { duration: 5, streams: 6, totalRate: 27, parameters: 114 } as const;
const STEP_MS = 10_000;
/** The first word of a peer comes at once; a slow one has this long for every further step. */
const RESULTS_MS = 30_000;
const STREAMS_MS = 20_000;
/** What a test may take beyond what it asked for: slow start of both sides, the way of its last word. */
const GRACE_S = 10;
const POLL_MS = 100;
/** A test that exceeds the bound on its rate, averaged over this time, is ended. */
const RATE_WINDOW_MS = 2000;

class Refused extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface SessionSetup {
  id: number;
  client: Endpoint & { local: Endpoint };
  channel: ControlChannel;
  limits: SessionLimits;
  io: Io;
  locks: AddressLocks;
  /** Takes the first datagram of a stream that came to the wrong socket. */
  greet(hello: Endpoint): void;
}

/** One test, from its parameters to its results. */
export class ServerSession {
  readonly id: number;
  /** Resolves when run() is over. */
  readonly ended: Promise<void>;
  readonly #setup: SessionSetup;
  readonly #markEnded: () => void;
  readonly #fds: number[] = [];
  #parameters: (IperfParameters & { len: number }) | null = null;
  /** Streams that are still to come; 0 unless the client is opening them. */
  #missing = 0;
  #complete: (() => void) | null = null;
  #mover: Mover | null = null;
  #transfer: Transfer | null = null;

  constructor(setup: SessionSetup) {
    this.id = setup.id;
    this.#setup = setup;
    let markEnded: () => void = () => undefined;
    this.ended = new Promise((resolve) => {
      markEnded = resolve;
    });
    this.#markEnded = markEnded;
  }

  /** Never rejects: what the client does is the record. */
  async run(over: AbortSignal): Promise<ServedTest> {
    let end: Pick<ServedTest, 'ended' | 'reason'> = { ended: 'done', reason: null };
    try {
      await this.#serve(over);
    } catch (error) {
      end = this.#explain(error, over);
    }
    await this.#mover?.stop();
    for (const fd of this.#fds) closeSocket(fd);
    this.#setup.channel.close();
    this.#markEnded();
    return { ...this.#record(), ...end };
  }

  /** A TCP connection with our cookie: ours when we expect one. */
  offerTcp(fd: number): boolean {
    if (this.#parameters?.udp !== false || this.#missing === 0) return false;
    this.#missing--;
    this.#take(fd);
    return true;
  }

  /** The first datagram of a stream, from the address of our client while we expect one. */
  offerUdp(from: Endpoint): boolean {
    if (this.#parameters?.udp !== true || this.#missing === 0) return false;
    if (from.address !== this.#setup.client.address) return false;
    this.#missing--;
    void this.#welcome(from);
    return true;
  }

  /** The protocol, step by step. */
  async #serve(over: AbortSignal): Promise<void> {
    const { channel } = this.#setup;
    channel.sendState(iperfState.paramExchange);
    const parameters = await readParameters(channel, { timeoutMs: STEP_MS, signal: over });
    this.#parameters = parameters;
    this.#admit(parameters);
    const roles = rolesOf(parameters);
    this.#mover = this.#makeMover(parameters, roles.length);
    await this.#mover.ready;
    await this.#openStreams(roles.length, over);
    const streams = roles.map((role, i): DataStream => ({ role, fd: this.#fds[i]! }));
    const transfer = new Transfer(this.#mover, parameters.udp ? 'udp' : 'tcp', streams, () =>
      this.#setup.io.clock.monoMs(),
    );
    channel.sendState(iperfState.testStart);
    channel.sendState(iperfState.testRunning);
    transfer.begin();
    this.#transfer = transfer;
    await this.#untilEnd(transfer, parameters, over);
    await this.#results(transfer, parameters, over);
  }

  #admit(p: IperfParameters): void {
    const { maxDurationS, maxBitsPerS, maxStreams } = this.#setup.limits;
    if (p.time + p.omit > maxDurationS)
      throw new Refused(ERROR.duration, `asks for ${p.time + p.omit} s, at most ${maxDurationS} s are served`);
    if (rolesOf(p).length > maxStreams)
      throw new Refused(ERROR.streams, `asks for ${rolesOf(p).length} streams, at most ${maxStreams} are served`);
    if (maxBitsPerS !== undefined && p.bandwidth * p.parallel > maxBitsPerS)
      throw new Refused(
        ERROR.totalRate,
        `asks for ${p.bandwidth * p.parallel} bit/s, at most ${maxBitsPerS} are served`,
      );
  }

  #makeMover(p: IperfParameters & { len: number }, streams: number): Mover {
    const { maxBitsPerS } = this.#setup.limits;
    const share = maxBitsPerS === undefined ? 0 : maxBitsPerS / p.parallel;
    const amount = p.num > 0 ? p.num : p.blockcount * p.len;
    return new Mover({
      protocol: p.udp ? 'udp' : 'tcp',
      streams,
      blockBytes: p.len,
      // Without a rate of its own a test gets the bound.
      bitsPerS: p.bandwidth > 0 ? p.bandwidth : share,
      counters64: p.udp_counters_64bit,
      // With --omit the client counts later than we do, so only it can tell when it has enough.
      budgetBytes: amount > 0 && p.omit === 0 && p.reverse ? amount : undefined,
    });
  }

  async #openStreams(count: number, over: AbortSignal): Promise<void> {
    const { channel, locks, client } = this.#setup;
    const release = this.#parameters?.udp ? await locks.take(client.address) : () => undefined;
    try {
      const complete = new Promise<void>((resolve) => {
        this.#complete = resolve;
      });
      this.#missing = count;
      channel.sendState(iperfState.createStreams);
      const stop = new AbortController();
      const spoke = channel.state({ timeoutMs: STREAMS_MS, signal: AbortSignal.any([stop.signal, over]) });
      const early = spoke.then((state) => {
        throw endOf(state);
      });
      await Promise.race([complete, early]).finally(() => stop.abort());
    } finally {
      this.#missing = 0;
      release();
    }
  }

  #take(fd: number): void {
    const { window, nodelay, TOS, congestion } = this.#parameters!;
    this.#fds.push(fd);
    try {
      const options = { windowBytes: window, noDelay: nodelay, tos: TOS, congestion };
      prepareAccepted(fd, this.#setup.client.address, options);
    } catch (error) {
      // The client asked its own side for the same, so only what is missing here is refused: it goes on without.
      this.#setup.io.log.debug(`test ${this.id}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#opened();
  }

  #opened(): void {
    if (this.#fds.length === rolesOf(this.#parameters!).length) this.#complete?.();
  }

  async #welcome(from: Endpoint): Promise<void> {
    const { client, io, greet } = this.#setup;
    const { window, TOS } = this.#parameters!;
    try {
      const fd = await connectUdp(from, { windowBytes: window, tos: TOS }, client.local);
      this.#fds.push(fd);
      // Between its bind and its connect the socket took whatever came to the port: another client waits for an answer.
      for (const stray of takeStrays(fd, UDP_HELLO.length))
        if (stray.address !== from.address || stray.port !== from.port) greet(stray);
      sendNow(fd, UDP_WELCOME, from.address);
      this.#opened();
    } catch (error) {
      io.log.debug(`test ${this.id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #untilEnd(transfer: Transfer, p: IperfParameters, over: AbortSignal): Promise<void> {
    const { channel, io, limits } = this.#setup;
    const endMs = 1000 * (GRACE_S + (p.time > 0 ? p.time + p.omit : limits.maxDurationS));
    const stop = new AbortController();
    const heard: { said: number | Error | null } = { said: null };
    const watching = channel.state({ timeoutMs: 2 ** 31 - 1, signal: stop.signal }).then(
      (state) => (heard.said = state),
      (error: unknown) => (heard.said = error as Error),
    );
    let [omitMs, window] = [p.omit > 0 ? p.omit * 1000 : Number.POSITIVE_INFINITY, transfer.base];
    try {
      while (heard.said === null) {
        over.throwIfAborted();
        if (transfer.elapsedMs > endMs) throw new Refused(ERROR.duration, 'lasts longer than it asked for');
        if (transfer.elapsedMs >= omitMs) {
          omitMs = Number.POSITIVE_INFINITY;
          transfer.omit();
        }
        window = this.#checkRate(transfer, window);
        const nextMs = Math.min(POLL_MS, omitMs - transfer.elapsedMs);
        // Woken by the client's word, so that the end is not counted late.
        await Promise.race([watching, io.clock.sleep(Math.max(1, nextMs), over)]);
      }
    } finally {
      await transfer.stop();
      stop.abort();
    }
    if (heard.said instanceof Error) throw heard.said;
    if (heard.said !== iperfState.testEnd) throw endOf(heard.said);
  }

  /** A bound on the rate holds for what we receive as well, where nothing here paces. */
  #checkRate(transfer: Transfer, window: Snapshot): Snapshot {
    const { maxBitsPerS } = this.#setup.limits;
    const now = transfer.snapshot();
    const spanMs = now.atMs - window.atMs;
    if (maxBitsPerS === undefined || spanMs < RATE_WINDOW_MS) return window;
    const bytes = now.streams.reduce(
      (sum, s, i) => sum + (transfer.streams[i]!.role === 'receive' ? s.bytes - window.streams[i]!.bytes : 0),
      0,
    );
    if ((bytes * 8000) / spanMs > 1.1 * maxBitsPerS)
      throw new Refused(ERROR.totalRate, `sends more than ${maxBitsPerS} bit/s`);
    return now;
  }

  async #results(transfer: Transfer, p: IperfParameters, over: AbortSignal): Promise<IperfResults> {
    const { channel } = this.#setup;
    const wait = { timeoutMs: RESULTS_MS, signal: over };
    // A stock client that receives goes over to blocking reads of whole blocks now: only an end lets it come back.
    transfer.endSending();
    channel.sendState(iperfState.exchangeResults);
    const theirs = await readResults(channel, wait);
    channel.sendJson(resultsJson(transfer, p.get_server_output ? `${describeServed(this.#record())}\n` : undefined));
    channel.sendState(iperfState.displayResults);
    // IPERF_DONE. Some clients just close.
    await channel.state(wait).catch(() => undefined);
    return theirs;
  }

  #explain(error: unknown, over: AbortSignal): Pick<ServedTest, 'ended' | 'reason'> {
    const { channel } = this.#setup;
    if (over.aborted) {
      channel.sendState(iperfState.serverTerminate);
      return { ended: 'terminated', reason: 'the server was stopped' };
    }
    if (error instanceof Refused) {
      channel.send(encodeServerError(error.code, 0));
      return { ended: 'refused', reason: error.message };
    }
    if (error instanceof ClientTerminated) return { ended: 'terminated', reason: 'the client gave up' };
    if (error instanceof IperfProtocolError || error instanceof SystemCallError) {
      channel.send(encodeServerError(ERROR.parameters, 0));
      return { ended: 'broken', reason: printable(error.message) };
    }
    if (error instanceof ChannelClosedError || error instanceof ChannelTimeoutError)
      return { ended: 'broken', reason: error.message };
    // A fault of ours: this test ends, the others go on.
    this.#setup.io.log.warn(
      `test ${this.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return { ended: 'broken', reason: 'internal error' };
  }

  #record(): ServedTest {
    const { id, client } = this.#setup;
    const p = this.#parameters;
    const transfer = this.#transfer;
    const sum = (role: DataStream['role'], field: 'bytes' | 'lost' | 'retransmits') =>
      transfer?.streams.reduce((n, s, i) => {
        const [from, to] = [transfer.base.streams[i]!, transfer.end.streams[i]!];
        return s.role === role ? n + (to[field] ?? 0) - (from[field] ?? 0) : n;
      }, 0) ?? 0;
    return {
      id,
      client: client.address,
      clientPort: client.port,
      protocol: p ? (p.udp ? 'udp' : 'tcp') : null,
      direction: p ? (p.bidirectional ? 'both' : p.reverse ? 'down' : 'up') : null,
      streams: transfer?.streams.length ?? 0,
      durationS: transfer ? (transfer.end.atMs - transfer.base.atMs) / 1000 : 0,
      receivedBytes: sum('receive', 'bytes'),
      sentBytes: sum('send', 'bytes'),
      retransmits: transfer?.protocol === 'tcp' && p?.reverse !== p?.bidirectional ? sum('send', 'retransmits') : null,
      lost: transfer?.protocol === 'udp' ? sum('receive', 'lost') : null,
      ended: 'done',
      reason: null,
    };
  }
}

class ClientTerminated extends Error {}

function endOf(state: number): Error {
  return state === iperfState.clientTerminate
    ? new ClientTerminated('the client gave up')
    : new IperfProtocolError(`state ${state} out of turn`);
}

/** What this side does with each stream: the client's senders come first. */
function rolesOf(p: IperfParameters): DataStream['role'][] {
  const all = (role: DataStream['role']) => Array.from({ length: p.parallel }, () => role);
  if (p.bidirectional) return [...all('receive'), ...all('send')];
  return all(p.reverse ? 'send' : 'receive');
}
