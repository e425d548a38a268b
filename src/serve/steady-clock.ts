import type { Clock } from '../wire/io.ts';

/** Clocks that are kept by NTP move by less than this between two looks. */
const stepMs = 60_000;
/** A clock that was set is believed when it has stayed so for so long. */
const trustedAfterMs = 3_600_000;

/**
 * The wall clock for what cannot be undone. A step forward counts after an hour, so that a clock that is years ahead for some minutes does not
 * make everything that is kept past its time; a step backward counts at once.
 */
export class SteadyClock {
  readonly #clock: Pick<Clock, 'monoMs' | 'wallMs'>;
  /** Wall clock minus CLOCK_MONOTONIC: what is believed, and what was seen last, since when. */
  #believedMs: number;
  #seenMs: number;
  #sinceMs: number;

  constructor(clock: Pick<Clock, 'monoMs' | 'wallMs'>) {
    this.#clock = clock;
    this.#sinceMs = clock.monoMs();
    this.#seenMs = clock.wallMs() - this.#sinceMs;
    this.#believedMs = this.#seenMs;
  }

  /** To be asked every few seconds, or steps are not seen. */
  nowMs(): number {
    const monoMs = this.#clock.monoMs();
    const offsetMs = this.#clock.wallMs() - monoMs;
    if (Math.abs(offsetMs - this.#seenMs) > stepMs) this.#sinceMs = monoMs;
    this.#seenMs = offsetMs;
    const isNear = Math.abs(offsetMs - this.#believedMs) <= stepMs;
    if (isNear || monoMs - this.#sinceMs >= trustedAfterMs) this.#believedMs = offsetMs;
    return monoMs + Math.min(this.#believedMs, offsetMs);
  }
}
