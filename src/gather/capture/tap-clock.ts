import type { Frame } from '../../wire/pcap/frame.ts';

/** Rotated files overlap by less: packets of several queues come late to the one that is being closed. */
const overlapMs = 1000;
/** So many packets in a row, all of them so far behind, are no late ones: the clock was set, or another capture was appended. */
const behind = { packets: 1000, ms: 60_000 } as const;

/**
 * Time of a capture, by its packets. It never runs backwards, so that conversations can be told to be over; but a file that begins before the
 * one ahead of it ended, and packets that stay far behind, are taken to come from another tap, with a time of its own.
 */
export class TapClock {
  /** Seconds of the first packet since the epoch, and its nanoseconds; NaN: none had a time. */
  firstSeconds = Number.NaN;
  firstNanoseconds = 0;
  /** Latest time of all, ms since the first packet. */
  lastMs = 0;
  /** Latest of this tap. */
  nowMs = 0;
  /** Packets whose time was before that of the packet ahead of them. */
  backwards = 0;
  /** Taps so far, this one included. */
  taps = 1;
  #isBegin = false;
  #behind = 0;
  #behindMs = 0;

  /** The next packet is the first one of another file. */
  beginFile(): void {
    this.#isBegin = true;
  }

  /** @returns time of the packet, ms since the first one; where it has none, that of the one ahead */
  see(frame: Frame): number {
    if (!frame.hasTime) return this.nowMs;
    if (Number.isNaN(this.firstSeconds)) {
      this.firstSeconds = frame.seconds;
      this.firstNanoseconds = frame.nanoseconds;
    }
    const ms = (frame.seconds - this.firstSeconds) * 1000 + (frame.nanoseconds - this.firstNanoseconds) / 1e6;
    if (this.#isBegin) {
      this.#isBegin = false;
      if (ms < this.nowMs - overlapMs) this.#other(ms);
    }
    if (ms >= this.nowMs) {
      this.nowMs = ms;
      if (ms > this.lastMs) this.lastMs = ms;
      this.#behind = 0;
      return ms;
    }
    this.backwards += 1;
    this.#behind = ms < this.nowMs - behind.ms ? this.#behind + 1 : 0;
    this.#behindMs = ms;
    return ms;
  }

  /** Whether packets have stayed so far behind that what comes next is of another tap; to be told by `turn`. */
  get isBehind(): boolean {
    return this.#behind >= behind.packets;
  }

  /** What comes next is of another tap, if it is behind. */
  turn(): void {
    if (this.isBehind) this.#other(this.#behindMs);
  }

  #other(ms: number): void {
    this.taps += 1;
    this.nowMs = ms;
    this.#behind = 0;
  }
}
