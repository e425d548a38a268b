import type { Frame } from '../../wire/pcap/frame.ts';

/** Words of a row: where its octets lie, what its decoding needs, its number in the capture and its direction; and two times behind them. */
const column = { start: 0, end: 1, originalLength: 2, link: 3, number: 4, forward: 5 } as const;
const rowWords = 10;
const rowTimes = rowWords / 2;
/** Its own time, and the clock of its tap, which never runs backwards. */
const timeAt = 3;
const clockAt = 4;
const fcsShift = 16;
/** A header lies in two lines of the memory. */
const lineBytes = 64;

/** What a batch lies in: memory that threads may share. */
export interface BatchMemory {
  rows: ArrayBufferLike;
  order: ArrayBufferLike;
  chains: ArrayBufferLike;
}

/** What a batch is beside its memory. */
export interface BatchHead {
  chains: number;
  /** Conversations that have to end, before the others are looked at, since there are too many. */
  cut: readonly number[];
  /** Of the capture, so far. */
  frames: number;
  clockMs: number;
  /** Of another tap than all before: conversations that are open are over. */
  isOtherTap: boolean;
}

/**
 * The frames of one piece of a capture, in chains by conversation. What is kept of a conversation lies all over the memory: taken in chains
 * it is fetched once for many packets, where in the order of the capture hundreds of others come between two of its own.
 */
export class Batch {
  readonly mostFrames: number;
  head: BatchHead = { chains: 0, cut: [], frames: 0, clockMs: 0, isOtherTap: false };
  bytes: Buffer = Buffer.alloc(0);
  /** Numbers of rows, chain behind chain. */
  readonly order: Int32Array;
  /** Of each chain the place of its conversation, and where it ends in `order`. */
  readonly chains: Int32Array;
  readonly #rows: Int32Array;
  readonly #times: Float64Array;
  /** Read by nobody: what was touched must seem to be of use. */
  touched = 0;

  constructor(memory: BatchMemory) {
    this.#rows = new Int32Array(memory.rows);
    this.#times = new Float64Array(memory.rows);
    this.order = new Int32Array(memory.order);
    this.chains = new Int32Array(memory.chains);
    this.mostFrames = this.order.length;
  }

  put(row: number, frame: Frame, number: number, timeMs: number, clockMs: number): void {
    const rows = this.#rows;
    const at = row * rowWords;
    rows[at + column.start] = frame.start;
    rows[at + column.end] = frame.end;
    rows[at + column.originalLength] = frame.originalLength;
    rows[at + column.link] = frame.linkType | (frame.fcsBytes << fcsShift);
    rows[at + column.number] = number;
    const time = row * rowTimes;
    this.#times[time + timeAt] = timeMs;
    this.#times[time + clockAt] = clockMs;
  }

  /** A row moves to where there is none: those between were copies. */
  move(from: number, to: number): void {
    const rows = this.#rows;
    for (let word = 0; word < rowWords; word++) rows[to * rowWords + word] = rows[from * rowWords + word]!;
  }

  setForward(row: number, forward: boolean): void {
    this.#rows[row * rowWords + column.forward] = forward ? 1 : 0;
  }

  /**
   * Fetches the headers of the rows `[from, to)` of the order: each of these reads waits for none of the others, where those of decoding come
   * one by one.
   */
  fetch(from: number, to: number): void {
    const { order, bytes } = this;
    const rows = this.#rows;
    let sum = 0;
    for (let k = from; k < to; k++) {
      const start = rows[order[k]! * rowWords]!;
      sum ^= bytes[start]! ^ bytes[start + lineBytes]!;
    }
    this.touched = sum;
  }

  /** Number of the frame in the capture. */
  number(row: number): number {
    return this.#rows[row * rowWords + column.number]! >>> 0;
  }

  forward(row: number): boolean {
    return this.#rows[row * rowWords + column.forward] === 1;
  }

  timeMs(row: number): number {
    return this.#times[row * rowTimes + timeAt]!;
  }

  clockMs(row: number): number {
    return this.#times[row * rowTimes + clockAt]!;
  }

  /** What decoding needs of the frame; its time and interface stay what they were. */
  read(row: number, frame: Frame): void {
    const rows = this.#rows;
    const at = row * rowWords;
    const link = rows[at + column.link]!;
    frame.bytes = this.bytes;
    frame.start = rows[at + column.start]!;
    frame.end = rows[at + column.end]!;
    frame.originalLength = rows[at + column.originalLength]! >>> 0;
    frame.linkType = link & ((1 << fcsShift) - 1);
    frame.fcsBytes = link >>> fcsShift;
  }
}

/** Memory for so many frames; it is touched only as far as there are some. */
export function batchMemory(frames: number, make: (octets: number) => ArrayBufferLike): BatchMemory {
  return { rows: make(frames * rowWords * 4), order: make(frames * 4), chains: make(frames * 8) };
}
