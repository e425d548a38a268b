import { psnDistance } from '../../../wire/roce.ts';

/** Packet sequence numbers below the newest of which is known whether they were seen. */
const windowPsns = 1024;
/** A jump further than this is no loss but another connection on the same queue pair. */
const restartPsns = 2 ** 20;
/** Packets that overtook each other come this soon; one that is sent again needs a NAK or a timeout. RDMA waits at least as long. */
const reorderMs = 5;

/**
 * The sequence of requests of one queue pair. RC is go-back-N in most adapters: after a NAK or a timeout, the sender starts over at the
 * first packet that is missing; newer ones send single packets. Either way a number that comes twice was sent twice.
 */
export class PsnSequence {
  gaps = 0;
  missing = 0;
  sentAgain = 0;
  reordered = 0;
  repeats = 0;
  stepsBack = 0;
  /** Another connection began with numbers far away. */
  restarts = 0;
  /** Next number; -1 while none was seen. */
  next = -1;
  /** The number of the next packet cannot be known: whatever comes is right. */
  #isOpen = false;
  #isBack = false;
  #afterNak = false;
  #gapMs = 0;
  readonly #seen = new Uint32Array(windowPsns / 32);

  /** @param span numbers that the packet takes: 1, more for a READ; 0 where that is not known */
  add(psn: number, span: number, timeMs: number): 'new' | 'late' {
    const distance = this.next < 0 ? 0 : psnDistance(psn, this.next);
    if (this.next < 0 || Math.abs(distance) >= restartPsns) {
      if (this.next >= 0) this.restarts++;
      this.#seen.fill(0);
      this.next = psn;
    } else if (distance < 0) {
      this.#late(psn, -distance, timeMs);
      return 'late';
    } else if (distance > 0) this.#skip(distance, timeMs);
    this.#isBack = false;
    this.#isOpen = span === 0;
    this.#take(Math.max(1, span));
    return 'new';
  }

  /** The receiver says that it misses a packet. */
  nak(): void {
    this.#afterNak = true;
  }

  get neverSeen(): number {
    return Math.max(0, this.missing - this.sentAgain - this.reordered);
  }

  #skip(count: number, timeMs: number): void {
    for (let i = Math.min(count, windowPsns); i > 0; i--) this.#mark(this.next + count - i, this.#isOpen);
    this.next = (this.next + count) & 0xff_ffff;
    if (this.#isOpen) return;
    this.gaps++;
    this.missing += count;
    this.#gapMs = timeMs;
    this.#afterNak = false;
  }

  #take(span: number): void {
    for (let i = Math.min(span, windowPsns); i > 0; i--) this.#mark(this.next + span - i, true);
    this.next = (this.next + span) & 0xff_ffff;
  }

  #late(psn: number, behind: number, timeMs: number): void {
    const wasSeen = behind > windowPsns || (this.#seen[(psn >>> 5) & (windowPsns / 32 - 1)]! & (1 << (psn & 31))) !== 0;
    this.#mark(psn, true);
    if (!wasSeen && !this.#afterNak && timeMs - this.#gapMs < reorderMs) {
      this.reordered++;
      return;
    }
    if (wasSeen) this.repeats++;
    else this.sentAgain++;
    if (!this.#isBack) this.stepsBack++;
    this.#isBack = true;
  }

  #mark(psn: number, isSeen: boolean): void {
    const word = (psn >>> 5) & (windowPsns / 32 - 1);
    const bit = 1 << (psn & 31);
    if (isSeen) this.#seen[word]! |= bit;
    else this.#seen[word]! &= ~bit;
  }
}
