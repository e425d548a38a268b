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

/** A moment on both clocks: time that passes is monotonic, moments that are told are on the wall. */
export interface OnBothClocks {
  monoMs: number;
  wallMs: number;
}

/**
 * The agents' part of the dead man's switch: who alarms when the server is dead? Those that it does not answer. Pure: told how the
 * sender fares, it says when an alarm begins and ends. A wall clock that is set neither raises an alarm nor holds one up.
 */
export class DeadMan {
  readonly #options: DeadManOptions;
  /** CLOCK_MONOTONIC. */
  #goodMs: number;
  #alarm: Alarm | null = null;

  /** @param monoMs until now nothing is known to be wrong */
  constructor(monoMs: number, options: DeadManOptions = deadManOptions) {
    this.#options = options;
    this.#goodMs = monoMs;
  }

  get alarm(): Alarm | null {
    return this.#alarm;
  }

  look(
    { failuresInARow, trouble }: { failuresInARow: number; trouble: string | null },
    { monoMs, wallMs }: OnBothClocks,
  ): DeadManEvent | null {
    if (failuresInARow === 0) {
      this.#goodMs = monoMs;
      const alarm = this.#alarm;
      this.#alarm = null;
      return alarm && { kind: 'cleared', alarm };
    }
    const { missedAcks, patienceMs } = this.#options;
    const silentMs = monoMs - this.#goodMs;
    if (this.#alarm || failuresInARow < missedAcks || silentMs < patienceMs) return null;
    this.#alarm = { sinceMs: wallMs - silentMs, why: trouble ?? 'no acknowledgement' };
    return { kind: 'raised', alarm: this.#alarm };
  }
}
