import type { DialectName, InferenceRequest } from '../../model/inference.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import type { Io } from '../../wire/io.ts';
import { watchLoopLag } from '../../wire/loop-lag.ts';
import type { TcpTarget, TcpTransport } from '../../wire/tcp/connection.ts';

import { type BuiltRequest, type Dialect, makePrompt } from '../dialect/index.ts';
import { RoundTrips } from './context.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import { type Exchange, exchange } from './exchange.ts';
import { askTrivially, type TrivialAnswers } from './floor.ts';
import { secretsOf, type Secrets, withoutThem } from './hide.ts';
import { type Link, LinkError, type LinkOptions, openLink } from './link.ts';
import { recordOf } from './record.ts';

/** What to send, how often, and over what connections. */
export interface SessionOptions {
  endpoint: string;
  url: URL;
  dialect: Dialect;
  model: string | undefined;
  apiKey: string | undefined;
  authHeader: string | undefined;
  /** Extra request headers. */
  headers: Record<string, string>;
  promptTokens: number;
  maxTokens: number;
  requests: number;
  /** Requests per second, open loop; undefined = as fast as `concurrency` allows. */
  ratePerS: number | undefined;
  concurrency: number;
  /** A new connection for every request. */
  fresh: boolean;
  stallThresholdMs: number;
  timeoutMs: number;
  maxResponseBytes: number;
  /** Ask the trivial question first (see floor.ts). */
  floor: boolean;
  link: LinkOptions;
}

/** What happens while it runs, for a live view. */
export interface SessionProgress {
  started(id: string): void;
  finished(exchange: Exchange | null, outcome: Outcome, done: number): void;
}

export interface SessionResult {
  requests: InferenceRequest[];
  about: string;
  stamps: 'kernel' | 'user';
  loopLagSamplesMs: readonly number[];
  /** How long token bytes lay in our kernel before our thread read them, ms: 99th percentile, of few reads the 90th. */
  readLagP99Ms: number;
}

/** Raw evidence is heavy: so many finished requests wait for a better floor of round trips before they are judged. */
const heldBack = 1000;
const maxReadLags = 2_000_000;
const fewReads = 1000;
const loopLagPollMs = 1;
/** Shadow handshakes are for attribution, not load: at most ten a second. */
const shadowEveryMs = 100;
const shadowTimeoutMs = 3000;
/** A server may overrun the output tokens it was asked for, but not without end. */
const leastTokenEvents = 100_000;

/** Runs the requests and takes each apart. Ends early, with what it has, when the signal aborts. */
export async function runSession(
  options: SessionOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
  progress: SessionProgress,
): Promise<SessionResult> {
  const session = new Session(options, transport, io, signal, progress);
  return session.run();
}

class Session {
  readonly #options: SessionOptions;
  readonly #secrets: Secrets;
  readonly #transport: TcpTransport;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #progress: SessionProgress;
  readonly #roundTrips = new RoundTrips();
  readonly #idle: Link[] = [];
  readonly #links = new Set<Link>();
  readonly #held: { order: number; exchange: Exchange }[] = [];
  readonly #records: { order: number; record: InferenceRequest }[] = [];
  readonly #loopLag;
  readonly #prompt: string;
  #trivial: TrivialAnswers | null = null;
  #shared: Promise<Link> | null = null;
  readonly #readLagsMs: number[] = [];
  #lastShadowMs = -Infinity;
  #done = 0;

  constructor(
    options: SessionOptions,
    transport: TcpTransport,
    io: Io,
    signal: AbortSignal,
    progress: SessionProgress,
  ) {
    this.#options = options;
    this.#secrets = secretsOf(options);
    this.#transport = transport;
    this.#io = io;
    this.#signal = signal;
    this.#progress = progress;
    this.#loopLag = watchLoopLag(io.clock.monoMs);
    // Filler is made once: at a million tokens it takes longer than the request. The nonce in front differs each time.
    this.#prompt = makePrompt(options.promptTokens, '', io.random);
  }

  async run(): Promise<SessionResult> {
    const options = this.#options;
    const io = this.#io;
    await this.#transport.ready;
    if (options.floor)
      this.#trivial = await askTrivially(
        this.#build('floor'),
        options.link,
        this.#transport,
        this.#roundTrips,
        io,
        this.#signal,
      );
    if (options.ratePerS === undefined) await this.#closedLoop();
    else await this.#openLoop(options.ratePerS);
    for (const link of this.#links) await link.close();
    this.#judge(0);
    this.#loopLag.stop();
    return {
      requests: this.#records.toSorted((a, b) => a.order - b.order).map((r) => r.record),
      about: this.#transport.about,
      stamps: this.#transport.stamps,
      loopLagSamplesMs: this.#loopLag.samples(),
      readLagP99Ms: highReadLagMs(this.#readLagsMs),
    };
  }

  async #closedLoop(): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < this.#options.requests && !this.#signal.aborted) {
        const order = next++;
        await this.#one(order, this.#io.clock.monoMs());
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.concurrency, this.#options.requests) }, worker));
  }

  /** Due times are fixed before anything is sent, so a slow answer cannot hide the wait it causes (coordinated omission). */
  async #openLoop(ratePerS: number): Promise<void> {
    const beginMs = this.#io.clock.monoMs() + 5;
    const running = new Set<Promise<void>>();
    for (let order = 0; order < this.#options.requests && !this.#signal.aborted; order++) {
      const dueMs = beginMs + (order * 1000) / ratePerS;
      await this.#until(dueMs);
      if (this.#signal.aborted) break;
      while (running.size >= this.#options.concurrency) await Promise.race(running);
      const one = this.#one(order, dueMs).finally(() => running.delete(one));
      running.add(one);
    }
    await Promise.all(running);
  }

  async #until(dueMs: number): Promise<void> {
    try {
      for (let waitMs = dueMs - this.#io.clock.monoMs(); waitMs > 0; waitMs = dueMs - this.#io.clock.monoMs())
        await this.#io.clock.sleep(Math.max(loopLagPollMs, waitMs - loopLagPollMs), this.#signal);
    } catch {
      // Aborted: the caller looks at the signal.
    }
  }

  async #one(order: number, intendedMs: number): Promise<void> {
    const options = this.#options;
    const io = this.#io;
    const id = io.random.uuid();
    this.#progress.started(id);
    // Made before the connection, so that no JSON of 250 KB stands between set-up and request.
    const built = this.#build(id);
    const startMs = io.clock.monoMs();
    let link: Link;
    let fresh: boolean;
    try {
      ({ link, fresh } = await this.#take());
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.#records.push({ order, record: this.#unlinked(id, error, intendedMs, startMs) });
      this.#progress.finished(null, withoutThem(error.outcome, this.#secrets), ++this.#done);
      // A dead endpoint must not turn a closed loop into a busy one.
      await this.#until(io.clock.monoMs() + 50);
      return;
    }
    const times = { intendedMs, startMs: fresh ? link.setUp.startMs : io.clock.monoMs() };
    const limits = {
      timeoutMs: options.timeoutMs,
      maxResponseBytes: options.maxResponseBytes,
      maxTokenEvents: Math.max(leastTokenEvents, 4 * options.maxTokens),
    };
    let shadow = null as Promise<number | null> | null;
    const castShadow = () => {
      if (!fresh) shadow = this.#shadow(link.tcp.trace.target);
    };
    const made = await exchange(link, options.dialect, built, id, times, limits, io, this.#signal, castShadow);
    made.shadowRttMs = await shadow;
    made.outcome = withoutThem(made.outcome, this.#secrets);
    made.model = withoutThem(made.model, this.#secrets);
    this.#roundTrips.add(link.tcp.trace, made);
    this.#held.push({ order, exchange: made });
    this.#progress.finished(made, made.outcome, ++this.#done);
    await this.#giveBack(link, made);
    if (this.#held.length > 2 * heldBack) this.#judge(heldBack);
  }

  async #take(): Promise<{ link: Link; fresh: boolean }> {
    const options = this.#options;
    if (!options.fresh && options.link.http2) {
      // HTTP/2: one connection carries everything; who comes while it is being made waits for it.
      const known = this.#shared ? await this.#shared.catch(() => null) : null;
      if (known?.usable() && known.http2) return { link: known, fresh: false };
      this.#shared = this.#open();
      return { link: await this.#shared, fresh: true };
    }
    if (!options.fresh)
      for (let link = this.#idle.pop(); link; link = this.#idle.pop()) {
        if (link.usable()) return { link, fresh: false };
        await this.#drop(link);
      }
    return { link: await this.#open(), fresh: true };
  }

  async #open(): Promise<Link> {
    const link = await openLink(this.#options.url, this.#options.link, this.#transport, this.#io, this.#signal);
    this.#links.add(link);
    this.#roundTrips.add(link.tcp.trace);
    return link;
  }

  /**
   * A bare handshake sent right behind a request on a connection in use. It stands in the same queues as the request's last
   * byte, and its answer is never delayed, which the acknowledgement of the request may be (delayed ACK).
   */
  async #shadow(target: TcpTarget): Promise<number | null> {
    const nowMs = this.#io.clock.monoMs();
    if (this.#transport.stamps !== 'kernel' || nowMs - this.#lastShadowMs < shadowEveryMs) return null;
    this.#lastShadowMs = nowMs;
    const deadline = deadlineOf(this.#signal, shadowTimeoutMs);
    try {
      const connection = await this.#transport.connect(target, deadline.signal);
      const { synRetransmits, handshakeRttMs } = connection.trace;
      void connection.close();
      return synRetransmits === 0 ? handshakeRttMs : null;
    } catch {
      return null;
    } finally {
      deadline.clear();
    }
  }

  async #giveBack(link: Link, made: Exchange): Promise<void> {
    if (link.http2 && link.usable() && !this.#options.fresh) return;
    const clean = made.outcome.kind === 'answered' || made.outcome.kind === 'rejected';
    if (!this.#options.fresh && clean && link.usable()) this.#idle.push(link);
    else await this.#drop(link);
  }

  async #drop(link: Link): Promise<void> {
    this.#links.delete(link);
    await link.close();
  }

  #build(id: string): BuiltRequest {
    const options = this.#options;
    const built = options.dialect.request({
      url: options.url,
      model: options.model,
      // In front, so that no prefix cache can make the second request look faster than the first.
      prompt: `${id} ${this.#prompt}`,
      maxTokens: options.maxTokens,
      apiKey: options.apiKey,
      authHeader: options.authHeader,
      stream: true,
    });
    return { ...built, headers: { ...built.headers, 'x-request-id': id, ...options.headers } };
  }

  /** Judges what is held back, but for the newest `keep`. */
  #judge(keep: number): void {
    const options = this.#options;
    for (const { order, exchange } of this.#held.splice(0, Math.max(0, this.#held.length - keep))) {
      const record = recordOf(exchange, {
        endpoint: options.endpoint,
        dialect: options.dialect.name,
        stallThresholdMs: options.stallThresholdMs,
        roundTrips: this.#roundTrips,
        trivial: this.#trivial,
        loopLag: this.#loopLag,
        stamps: this.#transport.stamps,
        notes: [],
      });
      record.server = withoutThem(record.server, this.#secrets);
      this.#records.push({ order, record });
      this.#noteReadLags(exchange);
    }
  }

  /** A read long after the arrival may have joined tokens that came apart: the sign that this tool is too slow. */
  #noteReadLags(exchange: Exchange): void {
    for (const { atMs, readAtMs, stamp } of exchange.link.tcp.trace.arrivals)
      if (stamp === 'kernel' && atMs >= exchange.handedMs && this.#readLagsMs.length < maxReadLags)
        this.#readLagsMs.push(readAtMs - atMs);
  }

  /** The record of a request that never got a connection. */
  #unlinked(id: string, error: LinkError, intendedMs: number, startMs: number): InferenceRequest {
    const { setUp } = error;
    const span = (part: { startMs: number; endMs: number } | null) => (part ? part.endMs - part.startMs : null);
    return {
      ...emptyRecord(id, this.#options.endpoint, this.#options.dialect.name, this.#transport.stamps),
      startedAt: new Date(this.#io.clock.wallMs()).toISOString(),
      outcome: withoutThem(error.outcome, this.#secrets),
      stallThresholdMs: this.#options.stallThresholdMs,
      phases: {
        ...noPhases,
        scheduleLagMs: Math.max(0, startMs - intendedMs),
        dnsMs: span(setUp.dns),
      },
    };
  }
}

/** The 99th percentile, or of few reads the 90th: their highest is one unlucky turn of the scheduler and says nothing. */
function highReadLagMs(lagsMs: readonly number[]): number {
  return quantile(sorted(lagsMs), lagsMs.length < fewReads ? 0.9 : 0.99) || 0;
}

const noPhases = {
  scheduleLagMs: 0,
  dnsMs: null,
  tcpMs: null,
  proxyMs: null,
  tlsMs: null,
  uploadMs: null,
  waitMs: null,
  ttfbMs: null,
  ttfeMs: null,
  ttftMs: null,
  ttftVisibleMs: null,
  streamMs: null,
  totalMs: null,
  eofMs: null,
};

function emptyRecord(id: string, endpoint: string, dialect: DialectName, stamps: 'kernel' | 'user'): InferenceRequest {
  return {
    id,
    startedAt: '',
    endpoint,
    address: null,
    dialect,
    model: null,
    httpVersion: null,
    status: null,
    reused: false,
    sharedConnection: false,
    connectionId: 0,
    outcome: { kind: 'lost' },
    phases: noPhases,
    split: { ttft: null, total: null, phases: {} },
    stalls: [],
    stallThresholdMs: null,
    tokens: { prompt: null, cachedPrompt: null, output: null, reasoning: null, events: 0 },
    tpotMs: null,
    gaps: [],
    eventsPerRead: 0,
    stamps,
    upload: { bytes: 0, rounds: null },
    receivedBytes: 0,
    tcp: {
      handshakeRttMs: null,
      requestRttMs: null,
      minRttMs: null,
      pdvMs: null,
      retransmits: null,
      outOfOrder: null,
      info: [],
    },
    tls: null,
    server: { reported: [], terminator: [], requestId: null, rateLimit: {} },
    client: { eventLoopLagMs: 0, processingMs: 0 },
    notes: [],
  };
}
