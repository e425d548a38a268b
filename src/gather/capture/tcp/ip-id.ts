/** Share of steps by one at which the field is believed, at first and when there are enough of them to tell what else counts along. */
const believedShare = { early: 0.7, late: 0.9 };
/** Numbers that are drawn follow one another by chance once in 65,536: three times is no chance. */
const believedSteps = { early: 3, late: 20 };
/** What never comes in the first steps of a connection is a few packets. */
const smallStep = 8;
/** A step further than this is a new beginning and no gap. */
const maxGap = 1000;

/**
 * The identification field of IPv4 as a counter: a sender that counts per connection (Linux, and many others) shows by it what was lost
 * before the tap, and which of two packets it sent first. Others count over all they send, or draw it: then `usable` stays false.
 */
export class IpIdCounter {
  #last = -1;
  /** Packets that the last one may stand for, where the card cut it up later. */
  #lastSegments = 1;
  /** The answer to a SYN had 0, and what followed had not: so Linux does, and then counts for each connection. */
  #fromZero = false;
  #allSmall = true;
  steps = 0;
  regular = 0;
  /** Packets that never came, so far as the counter shows. */
  missing = 0;
  /** Missing just before the packet last seen. */
  gapBefore = 0;

  seen(ipId: number, segments: number): void {
    this.gapBefore = 0;
    // Linux counts from its first acknowledgement on; SYN-ACK has 0.
    if (ipId < 0) return;
    if (ipId === 0 && this.#last < 0) {
      this.#fromZero = true;
      return;
    }
    if (this.#last < 0) {
      this.#last = ipId;
      this.#lastSegments = segments;
      return;
    }
    const step = ((ipId - this.#last) << 16) >> 16;
    if (step < 0 && step >= -maxGap) {
      // Came late: it is no longer missing.
      if (this.missing > 0) this.missing -= 1;
      return;
    }
    this.steps += 1;
    if (step < 1 || step > smallStep) this.#allSmall = false;
    if (step === this.#lastSegments) this.regular += 1;
    else if (step > this.#lastSegments && step <= maxGap) {
      this.gapBefore = step - this.#lastSegments;
      this.missing += this.gapBefore;
    }
    this.#last = ipId;
    this.#lastSegments = segments;
  }

  /** Enough to tell which of two packets was sent first: numbers that are drawn do not keep taking small steps forward. */
  get ordered(): boolean {
    return this.usable || (this.#allSmall && this.steps >= 2);
  }

  /** Enough to tell by a step what never came. */
  get usable(): boolean {
    // No other host is known to begin so; numbers that are drawn take one small step in 8,000.
    if (this.regular < believedSteps.early) return this.#fromZero && this.#allSmall && this.steps > 0;
    const share = this.#fromZero || this.steps < believedSteps.late ? believedShare.early : believedShare.late;
    return this.regular >= share * this.steps;
  }
}
