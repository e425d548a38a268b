/** Something that an alarm is about. */
export interface Alarm {
  sinceMs: number;
  why: string;
}

export interface DeadManOptions {
  /** Attempts without an acknowledgement, one after the other. */
  missedAcks: number;
  /** And at least so long without one, ms: a restart of the server is no emergency. */
  patienceMs: number;
}

export const deadManOptions: DeadManOptions = { missedAcks: 5, patienceMs: 60_000 };

export type DeadManEvent = { kind: 'raised' | 'cleared'; alarm: Alarm };

/**
 * The agents' part of the dead man's switch: who alarms when the server is dead? Those that it does not answer. Pure: told how the
 * sender fares, it says when an alarm begins and ends.
 */
export class DeadMan {
  readonly #options: DeadManOptions;
  #goodMs: number;
  #alarm: Alarm | null = null;

  /** @param nowMs wall clock: until now nothing is known to be wrong */
  constructor(nowMs: number, options: DeadManOptions = deadManOptions) {
    this.#options = options;
    this.#goodMs = nowMs;
  }

  get alarm(): Alarm | null {
    return this.#alarm;
  }

  look(
    { failuresInARow, trouble }: { failuresInARow: number; trouble: string | null },
    nowMs: number,
  ): DeadManEvent | null {
    if (failuresInARow === 0) {
      this.#goodMs = nowMs;
      const alarm = this.#alarm;
      this.#alarm = null;
      return alarm && { kind: 'cleared', alarm };
    }
    // A clock that was set back must not hold an alarm up.
    this.#goodMs = Math.min(this.#goodMs, nowMs);
    const { missedAcks, patienceMs } = this.#options;
    if (this.#alarm || failuresInARow < missedAcks || nowMs - this.#goodMs < patienceMs) return null;
    this.#alarm = { sinceMs: this.#goodMs, why: trouble ?? 'no acknowledgement' };
    return { kind: 'raised', alarm: this.#alarm };
  }
}
