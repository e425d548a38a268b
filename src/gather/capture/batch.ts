import type { Frame } from '../../wire/pcap/frame.ts';

/** Frames that are kept at most before they are looked at. */
const mostFrames = 1 << 14;
/** Columns of a row: where its octets lie, what its decoding needs, and the next row of the same conversation. */
const column = { start: 0, end: 1, originalLength: 2, link: 3, number: 4, place: 5, forward: 6, next: 7 } as const;
const columns = 8;
/** And its times: its own, and the clock of the capture, which never runs backwards. */
const timeColumns = 2;
const fcsShift = 16;

/**
 * The frames of one piece of a capture, in chains by conversation. What is kept of a conversation lies all over the memory: taken in chains
 * it is fetched once for many packets, where in the order of the capture hundreds of others come between two of its own.
 */
export class Batch {
  readonly #rows = new Int32Array(mostFrames * columns);
  readonly #times = new Float64Array(mostFrames * timeColumns);
  /** First row of each chain, in the order of these. */
  readonly #heads = new Int32Array(mostFrames);
  /** By place: the last row of its chain + 1; 0: it has none. */
  #tails = new Int32Array(1024);
  #bytes: Buffer = Buffer.alloc(0);
  frames = 0;
  chains = 0;

  /** Whether a frame fits: its octets have to lie where those of the others do. */
  takes({ bytes }: Frame): boolean {
    return this.frames === 0 || (this.frames < mostFrames && bytes === this.#bytes);
  }

  /** @param place number of its conversation */
  add(frame: Frame, number: number, place: number, forward: boolean, timeMs: number, clockMs: number): void {
    const row = this.frames++;
    const rows = this.#rows;
    const at = row * columns;
    this.#bytes = frame.bytes;
    rows[at + column.start] = frame.start;
    rows[at + column.end] = frame.end;
    rows[at + column.originalLength] = frame.originalLength;
    rows[at + column.link] = frame.linkType | (frame.fcsBytes << fcsShift);
    rows[at + column.number] = number;
    rows[at + column.place] = place;
    rows[at + column.forward] = forward ? 1 : 0;
    rows[at + column.next] = -1;
    this.#times[row * timeColumns] = timeMs;
    this.#times[row * timeColumns + 1] = clockMs;
    if (place >= this.#tails.length) this.#grow(place);
    const last = this.#tails[place]! - 1;
    if (last < 0) this.#heads[this.chains++] = row;
    else rows[last * columns + column.next] = row;
    this.#tails[place] = row + 1;
  }

  head(chain: number): number {
    return this.#heads[chain]!;
  }

  /** The next row of the chain; -1: this was the last. */
  next(row: number): number {
    return this.#rows[row * columns + column.next]!;
  }

  place(row: number): number {
    return this.#rows[row * columns + column.place]!;
  }

  /** Number of the frame in the capture. */
  number(row: number): number {
    return this.#rows[row * columns + column.number]! >>> 0;
  }

  forward(row: number): boolean {
    return this.#rows[row * columns + column.forward] === 1;
  }

  timeMs(row: number): number {
    return this.#times[row * timeColumns]!;
  }

  clockMs(row: number): number {
    return this.#times[row * timeColumns + 1]!;
  }

  /** What decoding needs of the frame; its time and interface stay what they were. */
  read(row: number, frame: Frame): void {
    const rows = this.#rows;
    const at = row * columns;
    const link = rows[at + column.link]!;
    frame.bytes = this.#bytes;
    frame.start = rows[at + column.start]!;
    frame.end = rows[at + column.end]!;
    frame.originalLength = rows[at + column.originalLength]! >>> 0;
    frame.linkType = link & ((1 << fcsShift) - 1);
    frame.fcsBytes = link >>> fcsShift;
  }

  clear(): void {
    for (let chain = 0; chain < this.chains; chain++) this.#tails[this.place(this.#heads[chain]!)] = 0;
    this.frames = 0;
    this.chains = 0;
  }

  #grow(place: number): void {
    const larger = new Int32Array(2 * Math.max(place, this.#tails.length));
    larger.set(this.#tails);
    this.#tails = larger;
  }
}
