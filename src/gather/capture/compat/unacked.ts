/** Segments that Wireshark remembers of one direction at most; the ones after that are not. */
const maxSegments = 10_000;

interface Segment {
  sequence: number;
  next: number;
  frame: number;
  seconds: number;
  nanoseconds: number;
}

/** What an acknowledgement matches. */
export interface Acked {
  frame: number;
  seconds: number;
  nanoseconds: number;
}

/** The segments of one direction that were not acknowledged yet, the newest last. */
export class Unacked {
  #segments: Segment[] = [];

  get isFull(): boolean {
    return this.#segments.length >= maxSegments;
  }

  get oldest(): Acked | null {
    return this.#segments[0] ?? null;
  }

  push(segment: Segment): void {
    this.#segments.push(segment);
  }

  /**
   * Forgets what is acknowledged. From the newest to the oldest: one that ends where the acknowledgement stands is what it is for, so
   * the oldest of them wins, and an answer to a retransmission is timed from the original.
   */
  acknowledge(acknowledgement: number): Acked | null {
    let found: Acked | null = null;
    let kept = 0;
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      const segment = this.#segments[i]!;
      if (segment.next === acknowledgement) found = segment;
      else if (((acknowledgement - segment.next) | 0) < 0) {
        if (((segment.sequence - acknowledgement) | 0) < 0) segment.sequence = acknowledgement;
        this.#segments[this.#segments.length - 1 - kept++] = segment;
      }
    }
    if (kept < this.#segments.length) this.#segments.splice(0, this.#segments.length - kept);
    return found;
  }
}
