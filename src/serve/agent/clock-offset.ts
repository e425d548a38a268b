/**
 * How far the clock of the server is ahead of ours, in bounds. An answer says "it was so late here" at some moment between our
 * sending and the head of its answer; `Date` (RFC 9110 §6.6.1) has whole seconds, so that one answer alone bounds the offset to a
 * second and the round trip. The bounds of many answers have to hold all at once, and answers that come at different parts of a
 * second cut each other down to little more than the round trip.
 */
export class ClockOffset {
  #seen: { lowMs: number; highMs: number; atMs: number }[] = [];

  /**
   * @param answer.dateMs what the server says, cut to whole `resolutionMs`
   * @param monoMs CLOCK_MONOTONIC, for the age of what was seen
   */
  note(answer: { dateMs: number; resolutionMs: number; sentAtMs: number; headAtMs: number }, monoMs: number): void {
    const { dateMs, resolutionMs, sentAtMs, headAtMs } = answer;
    // The wall clock was set back in between: this answer says nothing.
    if (!Number.isFinite(dateMs) || headAtMs < sentAtMs) return;
    this.#seen.push({ lowMs: dateMs - headAtMs, highMs: dateMs + resolutionMs - sentAtMs, atMs: monoMs });
    if (this.#seen.length > most) this.#seen.shift();
  }

  /** Our own clock was set: what was seen before it is of another clock. */
  reset(): void {
    this.#seen = [];
  }

  /** Bounds of (server - own) in ms; null when nothing was heard. */
  bounds(monoMs: number): [lowMs: number, highMs: number] | null {
    // Newest first, as far as they agree: where they do not, one of the clocks was set, and the older ones are of before.
    let [low, high] = [-Infinity, Infinity];
    for (const { lowMs, highMs, atMs } of this.#seen.toReversed()) {
      const driftMs = Math.max(0, monoMs - atMs) * maxDrift;
      const [nextLow, nextHigh] = [Math.max(low, lowMs - driftMs), Math.min(high, highMs + driftMs)];
      if (nextLow > nextHigh) break;
      [low, high] = [nextLow, nextHigh];
    }
    return low === -Infinity ? null : [low, high];
  }
}

const most = 64;
/** Two free-running quartz clocks drift apart by less than this. */
const maxDrift = 100e-6;
