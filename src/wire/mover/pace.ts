/** A stall longer than this is not made up for: what should keep a rate must not end in a flood. */
const CATCH_UP_MS = 100;

/**
 * Open-loop pacing: octet n is due at start + 8n / rate, whatever became of the ones before. Rate 0 means that everything is due
 * at once.
 */
export class Pace {
  readonly #bytesPerMs: number;
  #startMs = NaN;
  #sent = 0;

  constructor(bitsPerS: number) {
    this.#bytesPerMs = bitsPerS / 8000;
  }

  /** How long until the next octet is due, ms; 0 when it is. */
  delayMs(nowMs: number): number {
    if (this.#bytesPerMs === 0) return 0;
    if (Number.isNaN(this.#startMs)) this.#startMs = nowMs;
    const aheadMs = this.#startMs + this.#sent / this.#bytesPerMs - nowMs;
    if (aheadMs < -CATCH_UP_MS) this.#startMs -= aheadMs + CATCH_UP_MS;
    return Math.max(0, aheadMs);
  }

  /** Octets that are due by now, at least 0; after delayMs(). */
  dueBytes(nowMs: number): number {
    if (this.#bytesPerMs === 0) return Infinity;
    return Math.max(0, (nowMs - this.#startMs) * this.#bytesPerMs - this.#sent);
  }

  sent(octets: number): void {
    this.#sent += octets;
  }
}
