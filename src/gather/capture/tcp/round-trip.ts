/** Longest time that a stamp waits for its echo: after that an echo tells of something else. */
const patienceMs = 10_000;
/** Round trips are judged by the lowest of this long, and of as long before. */
const windowMs = 10_000;
/** Both are powers of two, so that going round is a mask. */
const firstCapacity = 8;
/** Most conversations of a scan never have anything to wait for. */
const none = new Float64Array(0);
const maxCapacity = 1024;

/**
 * The round trip from the tap to one end and back. Two ways: timestamps (RFC 7323) as pping does it, each value at its first sight and
 * once only; without them acknowledgements by Karn's rule. The windowed lowest leaves out what delayed acknowledgements and senders that
 * wait add.
 */
export class RoundTrip {
  samples = 0;
  sumMs = 0;
  lowestMs = Number.POSITIVE_INFINITY;
  highestMs = 0;
  smoothedMs = 0;
  /** Mean deviation, as RFC 6298 keeps it. */
  deviationMs = 0;
  #windowStartMs = 0;
  #windowLowestMs = Number.POSITIVE_INFINITY;
  #beforeLowestMs = Number.POSITIVE_INFINITY;

  // What waits for its echo: a ring of stamps (or sequence ends) with their times, oldest first.
  #keys = none;
  #timesMs = none;
  #head = 0;
  #length = 0;
  #newest = -1;

  /** A value went towards the far end; only the first sight of each, and only forward, counts. */
  sent(key: number, timeMs: number): void {
    if (key === this.#newest) return;
    this.#newest = key;
    if (this.#length === this.#keys.length) {
      if (this.#keys.length < maxCapacity) this.#grow();
      else this.#drop();
    }
    const at = (this.#head + this.#length) & (this.#keys.length - 1);
    this.#keys[at] = key;
    this.#timesMs[at] = timeMs;
    this.#length += 1;
  }

  /** A 32-bit stamp came back: everything older has had its chance. */
  echoedStamp(stamp: number, timeMs: number): void {
    while (this.#length > 0) {
      const key = this.#keys[this.#head]!;
      const ahead = (key - stamp) | 0;
      if (ahead > 0) return;
      const sentMs = this.#timesMs[this.#head]!;
      this.#drop();
      if (ahead === 0) return this.#sample(timeMs - sentMs, timeMs);
    }
  }

  /** Octets before `end` are acknowledged: a sample only where it ends exactly there, since later ones were delayed on purpose. */
  acknowledged(end: number, timeMs: number): void {
    while (this.#length > 0 && this.#keys[this.#head]! <= end) {
      const exact = this.#keys[this.#head]! === end;
      const sentMs = this.#timesMs[this.#head]!;
      this.#drop();
      if (exact) return this.#sample(timeMs - sentMs, timeMs);
    }
  }

  /** Something was sent again: whatever waits would be timed from the wrong copy (Karn). */
  forgetWaiting(): void {
    this.#length = 0;
  }

  /** From a handshake: sure, and taken where nothing better is there. */
  handshake(ms: number, timeMs: number): void {
    this.#sample(ms, timeMs);
  }

  /** Lowest of the last 10 to 20 s, or of all before where they gave none; NaN: never measured. */
  recentMs(timeMs: number): number {
    if (timeMs - this.#windowStartMs > windowMs) this.#turn(timeMs);
    const recent = Math.min(this.#windowLowestMs, this.#beforeLowestMs);
    if (recent < Number.POSITIVE_INFINITY) return recent;
    return this.samples > 0 ? this.lowestMs : Number.NaN;
  }

  #sample(ms: number, timeMs: number): void {
    if (!(ms >= 0) || ms > patienceMs) return;
    if (timeMs - this.#windowStartMs > windowMs) this.#turn(timeMs);
    if (ms < this.#windowLowestMs) this.#windowLowestMs = ms;
    if (ms < this.lowestMs) this.lowestMs = ms;
    if (ms > this.highestMs) this.highestMs = ms;
    this.deviationMs = this.samples === 0 ? ms / 2 : 0.75 * this.deviationMs + 0.25 * Math.abs(ms - this.smoothedMs);
    this.smoothedMs = this.samples === 0 ? ms : 0.875 * this.smoothedMs + 0.125 * ms;
    this.samples += 1;
    this.sumMs += ms;
  }

  #turn(timeMs: number): void {
    this.#beforeLowestMs = this.#windowLowestMs;
    this.#windowLowestMs = Number.POSITIVE_INFINITY;
    this.#windowStartMs = timeMs;
  }

  #drop(): void {
    this.#head = (this.#head + 1) & (this.#keys.length - 1);
    this.#length -= 1;
  }

  #grow(): void {
    const [keys, times, n] = [this.#keys, this.#timesMs, this.#keys.length];
    this.#keys = new Float64Array(Math.max(firstCapacity, 2 * n));
    this.#timesMs = new Float64Array(this.#keys.length);
    for (let i = 0; i < this.#length; i++) {
      this.#keys[i] = keys[(this.#head + i) % n]!;
      this.#timesMs[i] = times[(this.#head + i) % n]!;
    }
    this.#head = 0;
  }
}
