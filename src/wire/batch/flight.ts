import { type Columns, Counter, LAG_BUCKETS, ProbeState } from './columns.ts';

/** When and how probes go out and how long they are waited for. Times in ms. */
export interface SweepPlan {
  /** From the first probe of one round to that of the next, and from one target to the next; both 0 is as fast as it goes. */
  roundMs: number;
  spacingMs: number;
  timeoutMs: number;
  /** How long after the timeout of the last probe late answers are still taken. */
  graceMs: number;
  /** Every how many packets the kernel is asked when it sent one: 1 is all; in between, the times are interpolated. */
  stampEvery: number;
}

/** More probes than this are not remembered once they timed out: a later answer is then late by an unknown time. */
const LARGEST_RING = 1 << 21;

/**
 * The books of a sweep: which probe is due next, which are on their way and since when, and what an answer makes of one. No
 * system call, no clock: all times come in. Probes are numbered in the order of sending: round × targets + target.
 */
export class Flight {
  readonly columns: Columns;
  readonly total: number;
  /** What probe `p` is known by lies at `p & mask`: when it went out by the monotonic clock, by the wall clock (stamp), ± ms. */
  readonly mask: number;
  readonly sentMs: Float64Array;
  readonly txMs: Float64Array;
  readonly txErrorMs: Float32Array;
  next = 0;
  nextTarget = 0;
  nextRound = 0;
  flying = 0;
  startMs = NaN;
  readonly #plan: SweepPlan;
  #oldest = 0;
  #lastSentMs = -Infinity;
  #unanswered = 0;
  #dropsFromMs = Infinity;
  #dropsUntilMs = -Infinity;

  constructor(columns: Columns, plan: SweepPlan) {
    this.columns = columns;
    this.#plan = plan;
    this.total = columns.targets * columns.rounds;
    const ring = powerOfTwo(Math.min(Math.max(this.total, 2), LARGEST_RING));
    this.mask = ring - 1;
    this.sentMs = new Float64Array(ring);
    this.txMs = new Float64Array(ring);
    this.txErrorMs = new Float32Array(ring);
  }

  /** When the next probe is due; Infinity after the last. Targets without an address have to be skipped before. */
  dueMs(): number {
    if (this.next >= this.total) return Infinity;
    return this.startMs + this.nextRound * this.#plan.roundMs + this.nextTarget * this.#plan.spacingMs;
  }

  /** Steps over targets that have no address. */
  skipUnaddressed(): void {
    while (this.next < this.total && this.columns.family[this.nextTarget] === 0) this.#advance();
  }

  /** The next probe went out at `nowMs`. */
  sent(nowMs: number): number {
    const { columns } = this;
    const { roundMs, spacingMs } = this.#plan;
    const slot = this.next & this.mask;
    this.sentMs[slot] = nowMs;
    this.txMs[slot] = NaN;
    columns.state[this.nextTarget * columns.rounds + this.nextRound] = ProbeState.flying;
    if (roundMs > 0 || spacingMs > 0) noteLag(columns.counters, nowMs - this.dueMs());
    columns.counters[Counter.sent]!++;
    this.flying++;
    this.#lastSentMs = nowMs;
    return this.#advance();
  }

  /** The next probe could not be sent. */
  failed(errno: number): void {
    const { columns } = this;
    columns.state[this.nextTarget * columns.rounds + this.nextRound] = ProbeState.failed;
    columns.errno[this.nextTarget] = errno;
    columns.counters[Counter.otherEnds]!++;
    this.#advance();
  }

  /** Whether there was such a probe and it is still remembered. */
  knows(probe: number): boolean {
    return probe >= 0 && probe < this.next && probe >= this.next - this.mask - 1;
  }

  /** Index of the target of a probe. */
  targetOf(probe: number): number {
    return probe % this.columns.targets;
  }

  /**
   * An answer to `probe` came.
   * @param rttMs by the stamps; NaN when there are none to trust
   * @param waitedMs by the monotonic clock, for want of better
   * @param state what it is when it came in time
   * @returns whether it was the first one
   */
  answered(probe: number, rttMs: number, waitedMs: number, state: number): boolean {
    const { columns } = this;
    const target = this.targetOf(probe);
    const round = (probe - target) / columns.targets;
    const cell = target * columns.rounds + round;
    const before = columns.state[cell];
    if (before !== ProbeState.flying && before !== ProbeState.lost && before !== ProbeState.unsure) {
      columns.duplicates[target]!++;
      return false;
    }
    const { timeoutMs } = this.#plan;
    const isLate = (Number.isNaN(rttMs) ? waitedMs : rttMs) > timeoutMs;
    this.#land(cell, isLate ? ProbeState.late : state);
    columns.rttMs[cell] = isLate && Number.isNaN(rttMs) ? waitedMs : rttMs;
    const error = this.txErrorMs[probe & this.mask]!;
    if (error > columns.errorMs[target]!) columns.errorMs[target] = error;
    if (round + 1 < columns.answeredRound[target]!) columns.reordered[target]!++;
    else columns.answeredRound[target] = round + 1;
    return true;
  }

  /** The kernel, a router or the peer said that `probe` will have no answer. Returns whether it was still waited for. */
  undeliverable(probe: number, state: number = ProbeState.unreachable): boolean {
    const { columns } = this;
    const target = this.targetOf(probe);
    const cell = target * columns.rounds + (probe - target) / columns.targets;
    if (columns.state[cell] !== ProbeState.flying) return false;
    this.#land(cell, state);
    return true;
  }

  /** Gives up the probes whose time is over. */
  expire(nowMs: number): void {
    const { columns, mask } = this;
    const beforeMs = nowMs - this.#plan.timeoutMs;
    for (; this.#oldest < this.next; this.#oldest++) {
      const target = this.targetOf(this.#oldest);
      const cell = target * columns.rounds + (this.#oldest - target) / columns.targets;
      if (columns.state[cell] !== ProbeState.flying) continue;
      const sentMs = this.sentMs[this.#oldest & mask]!;
      if (sentMs > beforeMs) return;
      this.#unanswered++;
      // Its answer may be among those that found our buffer full.
      const isOurs = sentMs <= this.#dropsUntilMs && sentMs + this.#plan.timeoutMs >= this.#dropsFromMs;
      this.#land(cell, isOurs ? ProbeState.unsure : ProbeState.lost);
    }
  }

  /** When expire() has something to do next; Infinity when nothing is on its way. */
  expiryMs(): number {
    return this.flying === 0 ? Infinity : this.sentMs[this.#oldest & this.mask]! + this.#plan.timeoutMs;
  }

  /** When no answer to anything is waited for any more. */
  overMs(): number {
    if (this.next < this.total || this.flying > 0) return Infinity;
    return this.#unanswered > 0 ? this.#lastSentMs + this.#plan.timeoutMs + this.#plan.graceMs : -Infinity;
  }

  /** `count` packets found our buffer full since the books were last looked at, at `fromMs` or after. */
  dropped(count: number, fromMs: number, nowMs: number): void {
    this.columns.counters[Counter.ownDrops]! += count;
    this.#dropsFromMs = Math.min(this.#dropsFromMs, fromMs);
    this.#dropsUntilMs = nowMs;
  }

  /** The wall clock was stepped: what was sent before has no round trip by it. */
  voidStamps(): void {
    for (let probe = Math.max(0, this.next - this.mask - 1); probe < this.next; probe++)
      this.txMs[probe & this.mask] = NaN;
  }

  /** What is on its way will not be waited for. */
  interrupt(): void {
    const { columns } = this;
    for (let probe = this.#oldest; probe < this.next; probe++) {
      const target = this.targetOf(probe);
      const cell = target * columns.rounds + (probe - target) / columns.targets;
      if (columns.state[cell] === ProbeState.flying) this.#land(cell, ProbeState.interrupted);
    }
  }

  #land(cell: number, state: number): void {
    const { columns } = this;
    const { counters } = columns;
    if (columns.state[cell] === ProbeState.flying) this.flying--;
    else counters[Counter.lost]!--;
    columns.state[cell] = state;
    if (state === ProbeState.answered || state === ProbeState.refused) counters[Counter.answered]!++;
    else if (state === ProbeState.lost || state === ProbeState.unsure) counters[Counter.lost]!++;
    else counters[Counter.otherEnds]!++;
  }

  #advance(): number {
    if (++this.nextTarget === this.columns.targets) {
      this.nextTarget = 0;
      this.nextRound++;
    }
    return this.next++;
  }
}

function noteLag(counters: Float64Array, lagMs: number): void {
  counters[Counter.scheduled]!++;
  counters[Counter.lagSumMs]! += lagMs;
  if (lagMs > counters[Counter.lagMaxMs]!) counters[Counter.lagMaxMs] = lagMs;
  const bucket = Math.min(LAG_BUCKETS - 1, 32 - Math.clz32(Math.max(0, Math.floor(lagMs * 1e3))));
  counters[Counter.lagBuckets + bucket]!++;
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}
