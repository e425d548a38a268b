import type { StreamSink } from '../stream-sink.ts';
import { copyOf, giveBack } from './octet-pool.ts';

/** Octets, and pieces, that wait behind a hole or for their acknowledgement at most; beyond them the reader is told of a gap. */
const maxWaitingOctets = 256 * 1024;
const maxWaitingPieces = 512;
/** A piece waits this long for its acknowledgement at most: captures of one side only have none. */
const maxUnackedMs = 3000;

interface Piece {
  offset: number;
  end: number;
  /** Captured octets are so many of these, from `start` on; what lies behind them up to `end` was cut off. */
  bytes: Buffer;
  start: number;
  captured: number;
  /** Whether they are a copy; else they lie where the packet does. */
  isCopy: boolean;
  wireMs: number;
  deliverableMs: number;
}

/**
 * Puts the octets of one direction in order and hands them on. Near the receiver they are handed on as they become whole. Near the
 * sender the tap sees first copies that the receiver may never get: there a piece waits for its acknowledgement, and what was sent again
 * counts from the last copy, with all behind it.
 */
export class InOrder {
  readonly #direction: 0 | 1;
  readonly #sink: StreamSink;
  /** Everything before was handed on, or waits in `#unacked`. */
  #next = 0;
  /** As the reader said when it last got something: asking it for each packet would fetch all of it. */
  wanted: boolean;
  #started = false;
  #waiting: Piece[] = [];
  #waitingOctets = 0;
  #unacked: Piece[] = [];
  #unackedOctets = 0;
  #releasedMs = Number.NEGATIVE_INFINITY;

  constructor(direction: 0 | 1, sink: StreamSink) {
    this.#direction = direction;
    this.#sink = sink;
    this.wanted = sink.wanted;
  }

  begin(offset: number): void {
    if (this.#started) return;
    this.#started = true;
    this.#next = offset;
  }

  /** The octets of `[offset, end)` arrived, of which `captured` from `start` on are in `bytes`. */
  segment(
    bytes: Buffer,
    start: number,
    captured: number,
    offset: number,
    end: number,
    timeMs: number,
    hold: boolean,
  ): void {
    if (end <= this.#next) return;
    if (offset > this.#next) return this.#wait(bytes, start, captured, offset, end, timeMs);
    const skip = this.#next - offset;
    this.#next = end;
    this.#pass(
      bytes,
      start + Math.min(skip, captured),
      Math.max(0, captured - skip),
      offset + skip,
      end,
      timeMs,
      timeMs,
      hold,
    );
    if (this.#waiting.length > 0) this.#release(timeMs, hold);
  }

  /** Octets before `offset` will never come. */
  lost(offset: number, timeMs: number): void {
    if (offset <= this.#next) return;
    this.acked(Number.POSITIVE_INFINITY, timeMs);
    this.#sink.gap(this.#direction, offset - this.#next);
    this.#next = offset;
    this.#release(timeMs, false);
  }

  /**
   * `[offset, end)` was sent again, and not acknowledged before.
   * @returns when its first octets passed for the first time; NaN: not known
   */
  sentAgain(offset: number, end: number, timeMs: number): number {
    // What waited for too long was handed on before, whenever this is asked.
    this.acked(Number.NEGATIVE_INFINITY, timeMs);
    let firstMs = Number.NaN;
    for (const piece of this.#unacked) {
      if (piece.offset >= end || piece.end <= offset) continue;
      piece.deliverableMs = timeMs;
      if (Number.isNaN(firstMs)) firstMs = piece.wireMs;
    }
    return firstMs;
  }

  /** The receiver has all octets before `offset`. */
  acked(offset: number, timeMs: number): void {
    while (this.#unacked.length > 0) {
      const piece = this.#unacked[0]!;
      if (piece.end > offset && timeMs - piece.wireMs < maxUnackedMs) return;
      this.#unacked.shift();
      this.#unackedOctets -= piece.captured;
      this.#releasedMs = Math.max(this.#releasedMs, piece.deliverableMs);
      this.#hand(
        piece.bytes,
        piece.start,
        piece.start + piece.captured,
        piece.end - piece.offset - piece.captured,
        this.#releasedMs,
        piece.wireMs,
        piece.offset,
      );
      if (piece.isCopy) giveBack(piece.bytes);
    }
  }

  /** Packets seen so far will be gone: what still waits is copied. Most is acknowledged before. */
  keep(): void {
    for (let at = this.#unacked.length - 1; at >= 0 && !this.#unacked[at]!.isCopy; at--) {
      const piece = this.#unacked[at]!;
      piece.bytes = copyOf(piece.bytes, piece.start, piece.captured);
      piece.start = 0;
      piece.isCopy = true;
    }
  }

  #wait(bytes: Buffer, start: number, captured: number, offset: number, end: number, timeMs: number): void {
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.offset > offset) at -= 1;
    const before = this.#waiting[at - 1];
    if (before && before.end >= end) return;
    const piece = {
      offset,
      end,
      bytes: copyOf(bytes, start, captured),
      start: 0,
      captured,
      isCopy: true,
      wireMs: timeMs,
      deliverableMs: timeMs,
    };
    this.#waiting.splice(at, 0, piece);
    this.#waitingOctets += captured;
    if (this.#waitingOctets > maxWaitingOctets || this.#waiting.length > maxWaitingPieces)
      this.lost(this.#waiting[0]!.offset, timeMs);
  }

  #release(timeMs: number, hold: boolean): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.offset <= this.#next) {
      const piece = this.#waiting.shift()!;
      this.#waitingOctets -= piece.captured;
      if (piece.end <= this.#next) {
        giveBack(piece.bytes);
        continue;
      }
      const skip = this.#next - piece.offset;
      this.#next = piece.end;
      const captured = Math.max(0, piece.captured - skip);
      this.#pass(
        piece.bytes,
        Math.min(skip, piece.captured),
        captured,
        piece.offset + skip,
        piece.end,
        timeMs,
        piece.wireMs,
        hold,
      );
      // Held, it has to be a copy of its own.
      if (hold) this.keep();
      giveBack(piece.bytes);
    }
  }

  #pass(
    bytes: Buffer,
    start: number,
    captured: number,
    offset: number,
    end: number,
    timeMs: number,
    wireMs: number,
    hold: boolean,
  ): void {
    if (!hold) {
      if (this.#unacked.length > 0) this.acked(Number.POSITIVE_INFINITY, timeMs);
      return this.#hand(bytes, start, start + captured, end - offset - captured, timeMs, wireMs, offset);
    }
    this.#unacked.push({ offset, end, bytes, start, captured, isCopy: false, wireMs, deliverableMs: timeMs });
    this.#unackedOctets += captured;
    while (this.#unackedOctets > maxWaitingOctets || this.#unacked.length > maxWaitingPieces)
      this.acked(this.#unacked[0]!.end, timeMs);
  }

  #hand(
    bytes: Buffer,
    start: number,
    end: number,
    cut: number,
    deliverableMs: number,
    wireMs: number,
    offset: number,
  ): void {
    const sink = this.#sink;
    sink.data(this.#direction, bytes, start, end, cut, deliverableMs, wireMs, offset);
    this.wanted = sink.wanted;
  }
}
