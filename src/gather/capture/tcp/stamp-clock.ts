/** Ticks in use, ms: Linux, macOS and current Windows have 1; older systems the others (RFC 7323 section 5.4 allows 1 ms to 1 s). */
const knownTicksMs = [1, 4, 10, 100, 500, 1000];
/** How far from one of them the measured tick may be. */
const tolerance = { least: 0.03, most: 0.25 } as const;
/** Packets come early or late by as much. */
const blurMs = 50;
/** Before this it is not measured. */
const leastMs = 150;

/** Over so many packets the jitter is averaged, and over all of fewer. */
const jitterSteps = 16;

/** The sender's own clock, as its timestamps (RFC 7323) show it: what was sent when, whatever the network did since. */
export class StampClock {
  #firstStamp = 0;
  #firstMs = Number.NaN;
  #tickMs = Number.NaN;
  #lastStamp = 0;
  #lastMs = Number.NaN;
  #steps = 0;
  /** By how much packets come earlier or later than they were sent, as RFC 3550 §6.4.1 keeps it; 0 until the tick is known. */
  jitterMs = 0;

  /** A stamp came at a time. Only of what was sent in order: late ones would bend the clock. */
  seen(stamp: number, timeMs: number): void {
    if (Number.isNaN(this.#firstMs)) {
      this.#firstMs = timeMs;
      this.#firstStamp = stamp;
      return;
    }
    if (this.#tickMs === this.#tickMs) {
      const offMs = Math.abs(timeMs - this.#lastMs - this.betweenMs(this.#lastStamp, stamp));
      if (this.#steps < jitterSteps) this.#steps += 1;
      this.jitterMs += (offMs - this.jitterMs) / this.#steps;
    }
    this.#lastStamp = stamp;
    this.#lastMs = timeMs;
    const elapsedMs = timeMs - this.#firstMs;
    if (elapsedMs < leastMs || this.#tickMs === this.#tickMs) return;
    const ticks = (stamp - this.#firstStamp) | 0;
    const measuredMs = ticks > 0 ? elapsedMs / ticks : Number.NaN;
    // A path that slows down meanwhile shows as a longer tick: then it is looked at again later.
    const within = Math.min(tolerance.most, tolerance.least + blurMs / elapsedMs);
    this.#tickMs = knownTick(measuredMs, within);
  }

  /** Time between two stamps by the sender’s clock; NaN: its tick is not known. Good to one tick. */
  betweenMs(earlier: number, later: number): number {
    return ((later - earlier) | 0) * this.#tickMs;
  }

  get tickMs(): number {
    return this.#tickMs;
  }
}

/** The one that a measured tick is near to; NaN: none. By itself, for the closure would be made for each packet where it looks out of `seen`. */
function knownTick(measuredMs: number, within: number): number {
  return knownTicksMs.find((tickMs) => Math.abs(measuredMs / tickMs - 1) <= within) ?? Number.NaN;
}
