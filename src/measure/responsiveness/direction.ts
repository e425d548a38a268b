import type { Outcome } from '../../model/outcome.ts';
import type { ResponsivenessDirection } from '../../model/responsiveness.ts';
import type { Io } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import { errorFacts, LinkError, type LinkOptions } from '../inference/link.ts';
import type { TestUrls } from './config.ts';
import { type Evaluation, evaluate, gradeOf, type Interval, pairsPerSecond, type Parameters } from './core.ts';
import { type Direction, type LoadConnection, openLoad } from './load.ts';
import { Prober } from './prober.ts';

export interface DirectionSetup {
  direction: Direction;
  urls: TestUrls;
  link: LinkOptions;
  transport: TcpTransport;
  parameters: Parameters;
  durationMs: number;
  bytesMax: number;
}

/** What is shown while it runs. */
export interface DirectionProgress {
  direction: Direction;
  elapsedMs: number;
  connections: number;
  goodputMbit: number | null;
  rpm: number | null;
}

/** How often limits are looked at between two ends of intervals. */
const LOOK_MS = 200;

/**
 * Loads one direction and probes it, by the algorithm of draft-ietf-ippm-responsiveness-09: more connections every interval, until
 * goodput is stable and then responsiveness, or a limit ends it. Never throws for what the network or the server does.
 */
export async function measureDirection(
  setup: DirectionSetup,
  io: Io,
  signal: AbortSignal,
  progress: (now: DirectionProgress) => void,
): Promise<ResponsivenessDirection> {
  const run = new DirectionRun(setup, io, signal, progress);
  try {
    return await run.measure();
  } finally {
    await run.end();
  }
}

class DirectionRun {
  readonly #setup: DirectionSetup;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #progress: (now: DirectionProgress) => void;
  readonly #loads: LoadConnection[] = [];
  readonly #prober: Prober;
  readonly #intervals: Interval[] = [];
  readonly #rows: ResponsivenessDirection['intervals'] = [];
  readonly #opening = new AbortController();
  #openings = 0;
  #openFailure: unknown = null;
  #startMs = 0;
  #intervalMs = 0;
  #bytes = 0;
  #countedBytes = 0;

  constructor(setup: DirectionSetup, io: Io, signal: AbortSignal, progress: (now: DirectionProgress) => void) {
    this.#setup = setup;
    this.#io = io;
    this.#signal = signal;
    this.#progress = progress;
    const { urls, link, transport } = setup;
    this.#prober = new Prober({ small: urls.small, link, transport, io }, this.#loads);
  }

  async measure(): Promise<ResponsivenessDirection> {
    const { parameters } = this.#setup;
    this.#startMs = this.#io.clock.monoMs();
    this.#intervalMs = this.#startMs;
    await Promise.all(Array.from({ length: parameters.connectionsAtFirst }, () => this.#addLoad()));
    if (this.#loads.length === 0) return this.#report('failed');
    this.#prober.start(pairsPerSecond(null, parameters));
    for (;;) {
      const ended = await this.#untilIntervalEnds();
      if (ended !== null) {
        await this.#closeInterval(ended);
        return this.#report(ended);
      }
      const evaluation = await this.#closeInterval(null);
      if (evaluation.responsivenessStableAt !== null) return this.#report('stable');
      this.#prober.pace(pairsPerSecond(evaluation.goodputBps.at(-1) ?? null, parameters));
      for (let i = 0; i < parameters.connectionsMore; i++) void this.#addLoad();
    }
  }

  async end(): Promise<void> {
    this.#opening.abort();
    await this.#prober.end();
    await Promise.all(this.#loads.map((load) => load.close()));
  }

  async #addLoad(): Promise<void> {
    const { direction, urls, link, transport, parameters } = this.#setup;
    if (this.#loads.length + this.#openings >= parameters.connectionsMax) return;
    this.#openings++;
    const stop = () => this.#opening.abort(this.#signal.reason);
    this.#signal.addEventListener('abort', stop, { once: true });
    if (this.#signal.aborted) stop();
    try {
      const load = await openLoad(direction, urls, link, transport, this.#io, this.#opening.signal);
      // It may be over by the time that this one is ready.
      if (this.#opening.signal.aborted) await load.close();
      else this.#loads.push(load);
    } catch (error) {
      if (!this.#opening.signal.aborted) this.#openFailure = error;
    } finally {
      this.#openings--;
      this.#signal.removeEventListener('abort', stop);
    }
  }

  /** Waits for the end of the interval; the reason when something ends the whole direction first. */
  async #untilIntervalEnds(): Promise<ResponsivenessDirection['ended'] | null> {
    const { parameters, durationMs, bytesMax } = this.#setup;
    const { clock } = this.#io;
    const dueMs = this.#intervalMs + parameters.intervalS * 1000;
    for (;;) {
      this.#bytes = await this.#countBytes();
      if (this.#signal.aborted) return 'interrupted';
      // "If at any point one of these connections terminates with an error, the test should be aborted."
      if (this.#openFailure !== null || this.#loads.some((load) => load.failure() !== null)) return 'failed';
      if (this.#bytes >= bytesMax) return 'bytes';
      const nowMs = clock.monoMs();
      this.#tell(nowMs);
      if (nowMs >= dueMs) return null;
      if (nowMs - this.#startMs >= durationMs) return 'duration';
      await clock.sleep(Math.min(LOOK_MS, dueMs - nowMs), this.#signal).catch(() => undefined);
    }
  }

  async #countBytes(): Promise<number> {
    const counts = await Promise.all(this.#loads.map((load) => load.bytes()));
    return counts.reduce((sum, bytes) => sum + bytes, 0);
  }

  #tell(nowMs: number): void {
    const sinceMs = nowMs - this.#intervalMs;
    this.#progress({
      direction: this.#setup.direction,
      elapsedMs: nowMs - this.#startMs,
      connections: this.#loads.length,
      goodputMbit: sinceMs > 500 ? ((this.#bytes - this.#countedBytes) * 8) / 1000 / sinceMs : null,
      rpm: this.#rows.at(-1)?.rpm ?? null,
    });
  }

  /** Books the interval; one that was cut short only when it is at least half, or all that there is. */
  async #closeInterval(cut: ResponsivenessDirection['ended'] | null): Promise<Evaluation> {
    const { parameters } = this.#setup;
    const nowMs = this.#io.clock.monoMs();
    const durationMs = nowMs - this.#intervalMs;
    const worth = cut === null || durationMs >= parameters.intervalS * 500 || this.#intervals.length === 0;
    if (worth && durationMs > 0) {
      const bytes = this.#bytes - this.#countedBytes;
      const probes = this.#prober.take();
      this.#intervals.push({ durationMs, bytes, ...probes });
      this.#rows.push({
        atMs: nowMs - this.#startMs,
        connections: this.#loads.length,
        goodputMbit: (bytes * 8) / 1000 / durationMs,
        foreignProbes: probes.foreign.length,
        selfProbes: probes.self.length,
        rpm: evaluate(this.#intervals, parameters).responsiveness.at(-1)?.rpm ?? null,
      });
    }
    this.#countedBytes = this.#bytes;
    this.#intervalMs = nowMs;
    return evaluate(this.#intervals, parameters);
  }

  #report(ended: ResponsivenessDirection['ended']): ResponsivenessDirection {
    const { direction, parameters } = this.#setup;
    const evaluation = evaluate(this.#intervals, parameters);
    const last = evaluation.responsiveness.at(-1) ?? null;
    const bps = evaluation.goodputBps.at(-1);
    return {
      direction,
      outcome: this.#outcome(ended),
      ended,
      rpm: last?.rpm ?? null,
      grade: last && gradeOf(last.rpm),
      foreignRpm: last?.foreignRpm ?? null,
      loadedRpm: last?.loadedRpm ?? null,
      goodputMbit: bps === undefined ? null : bps / 1e6,
      confidence: evaluation.confidence,
      trimmedMeans: last && { tcpMs: last.tcpMs, tlsMs: last.tlsMs, httpMs: last.httpMs, selfMs: last.selfMs },
      connections: this.#loads.length,
      bytes: this.#bytes,
      durationMs: this.#io.clock.monoMs() - this.#startMs,
      probes: { ...this.#prober.counts, failure: this.#prober.lastFailure },
      intervals: this.#rows,
    };
  }

  #outcome(ended: ResponsivenessDirection['ended']): Outcome {
    if (ended === 'interrupted' || (ended === 'failed' && this.#signal.aborted)) return { kind: 'interrupted' };
    if (ended !== 'failed') return { kind: 'answered' };
    const error = this.#openFailure ?? this.#loads.map((load) => load.failure()).find((one) => one !== null);
    return outcomeOfError(error, this.#setup.urls.large.host);
  }
}

/** An error of a connection or a request as an outcome. */
export function outcomeOfError(error: unknown, address: string): Outcome {
  if (error instanceof LinkError) return error.outcome;
  const { code, message } = errorFacts(error);
  return { kind: 'failed', phase: 'stream', operation: 'HTTP/2', errno: code, address, message };
}
