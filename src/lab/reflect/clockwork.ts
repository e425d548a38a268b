import type { Clock } from '../../wire/io.ts';
import { DueQueue, type DueTask } from './due-queue.ts';

/**
 * Runs many due tasks from one timer. setTimeout counts whole milliseconds and fires up to 2 ms off, so the last stretch of a
 * wait is spun through setImmediate (which still serves sockets) as long as the spinning stays within a share of one core;
 * beyond that, lateness of about a millisecond is accepted rather than a core burnt. Measured numbers: bench/reflect.
 */
const spinWithinMs = 1.3;
const spinShare = 0.2;
const spinSavedMaxMs = 30;
/** Tasks per turn of the event loop: enough to amortise the turn, few enough to keep reading requests. */
const tasksPerTurn = 64;

export class Clockwork {
  readonly #queue = new DueQueue();
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #armedForMs = Number.POSITIVE_INFINITY;
  #spinSavedMs = spinSavedMaxMs;
  #lastTurnMs: number;
  #spinning = false;
  #inTurn = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastTurnMs = clock.monoMs();
  }

  /** Queues a task for its `dueMs` on the monotonic clock; a task in the past runs in the next turn. */
  add(task: DueTask): void {
    this.#queue.push(task);
    if (!this.#inTurn && !this.#immediate && task.dueMs < this.#armedForMs) this.#arm();
  }

  cancel(task: DueTask): void {
    this.#queue.remove(task);
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Forgets the timer; queued tasks never run. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  readonly #turn = (): void => {
    this.stop();
    this.#armedForMs = Number.POSITIVE_INFINITY;
    let nowMs = this.#clock.monoMs();
    this.#account(nowMs);
    this.#inTurn = true;
    for (let ran = 0; ran < tasksPerTurn && this.#queue.nextDueMs <= nowMs; ran++) {
      this.#queue.pop()?.run();
      nowMs = this.#clock.monoMs();
    }
    this.#inTurn = false;
    this.#arm();
  };

  /** Earns spinning time while asleep, spends it while spinning. */
  #account(nowMs: number): void {
    const passedMs = nowMs - this.#lastTurnMs;
    this.#lastTurnMs = nowMs;
    const change = this.#spinning ? (spinShare - 1) * passedMs : spinShare * passedMs;
    this.#spinSavedMs = Math.min(spinSavedMaxMs, this.#spinSavedMs + change);
  }

  #arm(): void {
    if (this.#queue.size === 0) return;
    this.#armedForMs = this.#queue.nextDueMs;
    const waitMs = this.#armedForMs - this.#clock.monoMs();
    const maySpin = this.#spinSavedMs > spinWithinMs;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#spinning = waitMs > 0 && waitMs <= spinWithinMs && maySpin;
    if (waitMs <= 0 || this.#spinning) this.#immediate ??= setImmediate(this.#turn);
    else this.#timer = setTimeout(this.#turn, Math.max(1, Math.floor(maySpin ? waitMs - spinWithinMs : waitMs)));
  }
}
