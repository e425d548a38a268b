import type { LoadLatency, LoadRtts } from '../../model/throughput.ts';
import { addSample, bucketsOf, type Histogram, histogramQuantile, makeHistogram } from '../../stats/histogram.ts';
import type { Io } from '../../wire/io.ts';
import { gradeOf } from './grade.ts';
import type { RttProbe } from './rtt-probes.ts';

/** An answer later than this is lost. */
const TIMEOUT_MS = 2000;
/** How often the sockets are looked at; kernel stamps carry the times, so this adds no error. */
const POLL_MS = 10;

type Phase = 'idle' | 'omitted' | 'loaded';

interface Series {
  histogram: Histogram;
  sent: number;
}

/** Round trips on a flow of their own, on a fixed schedule, before and while a test runs. */
export class LatencyMeter {
  readonly probe: RttProbe;
  readonly #io: Io;
  readonly #intervalMs: number;
  readonly #series: Record<Phase, Series> = { idle: series(), omitted: series(), loaded: series() };
  readonly #flying = new Map<number, { phase: Phase; sentMs: number }>();
  #phase: Phase = 'idle';
  #next = 0;
  #lastMs: number | null = null;
  #recent: Histogram = makeHistogram();
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(probe: RttProbe, io: Io, intervalMs: number) {
    this.probe = probe;
    this.#io = io;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Probes that leave from now on belong to this phase, whenever they are answered. */
  enter(phase: Phase): void {
    this.#phase = phase;
    this.#recent = makeHistogram();
  }

  /** Median of what was answered since the last call, for a live line; the last one before where there is none. */
  recentMs(): number | null {
    if (this.#recent.count > 0) this.#lastMs = histogramQuantile(this.#recent, 0.5);
    this.#recent = makeHistogram();
    return this.#lastMs;
  }

  answered(phase: Phase): number {
    return this.#series[phase].histogram.count;
  }

  /** A round trip known from elsewhere, e.g. from the handshake of the control connection. */
  add(phase: Phase, rttMs: number): void {
    this.#series[phase].sent++;
    addSample(this.#series[phase].histogram, rttMs);
  }

  /** No more probes; those still on their way are waited for as long as an answer may take, but no longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    await this.#running;
    const untilMs = this.#io.clock.monoMs() + graceMs;
    while (this.#flying.size > 0 && this.#io.clock.monoMs() < untilMs) {
      this.#look();
      await this.#io.clock.sleep(POLL_MS);
    }
    // Neither answered nor late enough to be lost: they say nothing.
    for (const { phase } of this.#flying.values()) this.#series[phase].sent--;
    this.#flying.clear();
    this.probe.close();
  }

  result(): LoadLatency {
    const [idle, loaded] = [summary(this.#series.idle), summary(this.#series.loaded)];
    const increaseMs = idle && loaded ? Math.max(0, loaded.p95Ms - idle.medianMs) : null;
    return {
      method: this.probe.method,
      how: this.probe.how,
      idle,
      loaded,
      increaseMs,
      grade: increaseMs === null ? null : gradeOf(increaseMs),
    };
  }

  async #run(): Promise<void> {
    const { clock } = this.#io;
    const startMs = clock.monoMs();
    let probes = 0;
    while (!this.#stopped) {
      // After a stall of this thread the schedule goes on from now: a burst of probes would measure itself.
      const behind = Math.floor((clock.monoMs() - startMs) / this.#intervalMs) - probes;
      if (behind > 1) probes += behind - 1;
      if (behind >= 0) {
        probes++;
        this.#send();
      }
      this.#look();
      const dueMs = startMs + probes * this.#intervalMs - clock.monoMs();
      await clock.sleep(Math.max(1, Math.min(POLL_MS, dueMs)));
    }
  }

  #send(): void {
    const sequence = this.#next++;
    if (!this.probe.send(sequence)) return;
    this.#flying.set(sequence, { phase: this.#phase, sentMs: this.#io.clock.monoMs() });
    this.#series[this.#phase].sent++;
  }

  #look(): void {
    this.probe.poll((sequence, rttMs) => {
      const flying = this.#flying.get(sequence);
      if (!flying || !this.#flying.delete(sequence)) return;
      if (rttMs === null) this.#series[flying.phase].sent--;
      else if (rttMs <= TIMEOUT_MS) {
        addSample(this.#series[flying.phase].histogram, rttMs);
        addSample(this.#recent, rttMs);
      }
    });
    const nowMs = this.#io.clock.monoMs();
    for (const [sequence, { sentMs }] of this.#flying) {
      if (nowMs - sentMs <= TIMEOUT_MS) return;
      this.#flying.delete(sequence);
      this.probe.forget(sequence);
    }
  }
}

function series(): Series {
  return { histogram: makeHistogram(), sent: 0 };
}

function summary({ histogram, sent }: Series): LoadRtts | null {
  if (histogram.count === 0) return null;
  return {
    sent,
    received: histogram.count,
    minMs: histogram.min,
    medianMs: histogramQuantile(histogram, 0.5),
    p95Ms: histogramQuantile(histogram, 0.95),
    p99Ms: histogramQuantile(histogram, 0.99),
    maxMs: histogram.max,
    histogram: bucketsOf(histogram).map(({ low, high, count }) => ({ lowMs: low, highMs: high, count })),
  };
}
