import type { Clock, Log, Random } from '../../wire/io.ts';
import { type Recurring, Schedule, type Skipped, type Start } from './schedule.ts';

export interface SchedulerParts<Job extends Recurring> {
  clock: Clock;
  random: Random;
  log: Log;
  /** Runs of all jobs at once; more wait for their turn, and their wait is part of their lag. */
  concurrency: number;
  /** Within this a job has its first run; default Infinity, for no such run apart. */
  firstRoundMs?: number;
  /** One run. @param lagMs how late it starts */
  run: (job: Job, lagMs: number, signal: AbortSignal) => Promise<void>;
}

export interface SchedulerFigures {
  jobs: number;
  started: number;
  running: number;
  waiting: number;
  /** Runs that threw: mistakes of ours. */
  failed: number;
  skipped: Skipped;
}

/** Lags kept between two looks at them. */
const maxLags = 10_000;
/** A timer is never longer than this, so that a list that changes, or a machine that wakes, is noticed. */
const longestSleepMs = 60_000;

/** Starts jobs when they are due, so many at once, and knows how late it was. */
export class Scheduler<Job extends Recurring> {
  readonly #parts: SchedulerParts<Job>;
  readonly #schedule = new Schedule<Job>();
  readonly #waiting: (Start<Job> & { done: () => void })[] = [];
  readonly #running = new Set<Promise<void>>();
  #lags: number[] = [];
  #started = 0;
  #failed = 0;
  #wake: () => void = () => undefined;

  constructor(parts: SchedulerParts<Job>) {
    this.#parts = parts;
  }

  replace(jobs: readonly Job[]): void {
    const { clock, random, firstRoundMs = Infinity } = this.#parts;
    this.#schedule.replace(jobs, clock.monoMs(), () => random.next(), firstRoundMs);
    this.#wake();
  }

  figures(): SchedulerFigures {
    return {
      jobs: this.#schedule.size,
      started: this.#started,
      running: this.#running.size,
      waiting: this.#waiting.length,
      failed: this.#failed,
      skipped: { ...this.#schedule.skipped },
    };
  }

  /** How late each start since the last call was, ms. */
  takeLags(): number[] {
    return this.#lags.splice(0);
  }

  /** Runs until the signal aborts; resolves when the runs that were under way have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort);
    while (!signal.aborted) {
      this.#waiting.push(...this.#schedule.due(this.#parts.clock.monoMs()));
      while (this.#running.size < this.#parts.concurrency && this.#waiting.length > 0)
        this.#start(this.#waiting.shift()!, signal);
      await this.#pause(signal);
    }
    signal.removeEventListener('abort', onAbort);
    await Promise.all(this.#running);
  }

  #start({ job, intendedMs, done }: Start<Job> & { done: () => void }, signal: AbortSignal): void {
    const { clock, run, log } = this.#parts;
    const lagMs = Math.max(0, clock.monoMs() - intendedMs);
    if (this.#lags.length < maxLags) this.#lags.push(lagMs);
    this.#started++;
    const work = run(job, lagMs, signal)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        this.#failed++;
        log.warn(`job ${job.id} failed: ${String(error)}`);
      })
      .finally(() => {
        this.#running.delete(work);
        done();
        this.#wake();
      });
    this.#running.add(work);
  }

  /** Until something is due, or happens. */
  async #pause(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const woken = new Promise<void>((done) => {
      this.#wake = done;
    });
    if (signal.aborted) return;
    const { clock } = this.#parts;
    const ms = Math.min(longestSleepMs, Math.max(0, this.#schedule.nextMs() - clock.monoMs()));
    await Promise.race([woken, clock.sleep(ms, stop.signal).catch(() => undefined)]);
    stop.abort();
    this.#wake = () => undefined;
  }
}
