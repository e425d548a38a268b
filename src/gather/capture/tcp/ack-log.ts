/** The last ones that are kept: a request is looked at when its answer is over, and little is asked meanwhile. */
const kept = 32;
/** A frame that steers HTTP/2 has so many in its record at most, 13 and 22, and there may be any number of them. */
const leastOctets = 36;

/** When which octets were acknowledged for the first time, as the tap saw it; the last of them, and of larger pieces only. */
export class AckLog {
  // Plain arrays: V8 has numbers lie side by side in these, too, and making a small typed array costs more than filling it.
  readonly #ends: number[] = [];
  readonly #times: number[] = [];
  #count = 0;

  /** All octets before `end` are acknowledged, after all before `from` were. */
  add(from: number, end: number, timeMs: number): void {
    if (end - from < leastOctets) return;
    const at = this.#count++ % kept;
    this.#ends[at] = end;
    this.#times[at] = timeMs;
  }

  /** When the octet before `end` was acknowledged; NaN: not seen, or too long ago. */
  whenMs(end: number): number {
    const ends = this.#ends;
    const first = Math.max(0, this.#count - kept);
    // The first that is left may have come long after the one that was meant.
    if (first > 0 && ends[first % kept]! >= end) return Number.NaN;
    for (let i = first; i < this.#count; i++) if (ends[i % kept]! >= end) return this.#times[i % kept]!;
    return Number.NaN;
  }
}
