import { type Heap, makeHeap, popHeap, pushHeap } from '../../lab/heap.ts';

/** Something that is to be started again and again. */
export interface Recurring {
  /** The same id with the same `everyMs` keeps its place in time. */
  id: string;
  everyMs: number;
}

/** A start that is due. */
export interface Start<Job> {
  job: Job;
  /** When it was meant, CLOCK_MONOTONIC. */
  intendedMs: number;
}

/** Starts that did not take place, by reason. */
export interface Skipped {
  /** The one before had not ended. */
  running: number;
  /** This process did not run, or the machine slept. */
  late: number;
}

interface Slot<Job> {
  job: Job;
  /** Every intended start is a whole number of intervals after this. */
  phaseMs: number;
  /** A first start ahead of all these; null when there is none, or it has been. */
  extraMs: number | null;
  isBusy: boolean;
}

/**
 * An open-loop schedule: start k of a job is meant at phase + k × interval whatever became of those before, on the monotonic clock,
 * so that a step of the wall clock moves nothing. The phase is drawn per job, which spreads jobs of one interval evenly. Of one
 * job there is never more than one under way; a start that meets its predecessor is skipped and counted, and starts that nobody
 * was there for are counted and not made up for: a burst would measure itself.
 */
export class Schedule<Job extends Recurring> {
  #slots: (Slot<Job> | undefined)[] = [];
  readonly #byId = new Map<string, number>();
  #heap: Heap = makeHeap(16);
  readonly skipped: Skipped = { running: 0, late: 0 };

  get size(): number {
    return this.#byId.size;
  }

  /**
   * From now on these and no others. A job that is known keeps its phase, and is not started twice at once.
   * @param firstRoundMs a job that is new is also started once within this, where its interval is longer
   */
  replace(jobs: readonly Job[], nowMs: number, random: () => number, firstRoundMs = Infinity): void {
    const before = new Map([...this.#byId].map(([id, index]) => [id, this.#slots[index] as Slot<Job>]));
    this.#byId.clear();
    this.#slots = [];
    this.#heap = makeHeap(Math.max(16, jobs.length));
    for (const job of jobs) {
      const known = before.get(job.id);
      const phaseMs = known?.job.everyMs === job.everyMs ? known.phaseMs : nowMs + random() * job.everyMs;
      // The same object where it is known: who is under way holds it, and gives it back.
      const slot = known ? Object.assign(known, { job, phaseMs }) : { job, phaseMs, extraMs: null, isBusy: false };
      const index = this.#slots.push(slot) - 1;
      this.#byId.set(job.id, index);
      const regularMs = firstAfter(slot, nowMs);
      const isSoon = known !== undefined || regularMs <= nowMs + firstRoundMs;
      slot.extraMs = isSoon ? null : nowMs + random() * firstRoundMs;
      pushHeap(this.#heap, slot.extraMs ?? regularMs, index);
    }
  }

  /** When something is due next; Infinity when nothing ever is. */
  nextMs(): number {
    return this.#heap.size > 0 ? (this.#heap.dueMs[0] as number) : Infinity;
  }

  /** What is due by now; each is under way until `done` is called with it. */
  due(nowMs: number): (Start<Job> & { done: () => void })[] {
    const starts: (Start<Job> & { done: () => void })[] = [];
    while (this.nextMs() <= nowMs) {
      const dueMs = this.#heap.dueMs[0] as number;
      const index = popHeap(this.#heap);
      const slot = this.#slots[index] as Slot<Job>;
      const isExtra = dueMs === slot.extraMs;
      slot.extraMs = null;
      const missed = isExtra ? 0 : Math.floor((nowMs - dueMs) / slot.job.everyMs);
      this.skipped.late += missed;
      const intendedMs = dueMs + missed * slot.job.everyMs;
      pushHeap(this.#heap, isExtra ? firstAfter(slot, dueMs) : intendedMs + slot.job.everyMs, index);
      if (slot.isBusy) {
        this.skipped.running++;
        continue;
      }
      slot.isBusy = true;
      starts.push({ job: slot.job, intendedMs, done: () => (slot.isBusy = false) });
    }
    return starts;
  }
}

/** The first intended start that is not before `nowMs`. */
function firstAfter({ job, phaseMs }: Slot<Recurring>, nowMs: number): number {
  return phaseMs + Math.max(0, Math.ceil((nowMs - phaseMs) / job.everyMs)) * job.everyMs;
}
