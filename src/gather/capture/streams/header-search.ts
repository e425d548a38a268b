import { contentType } from '../../../wire/tls/code-points.ts';
import { type Direction, headerBytes, isRecordHeader, type RecordSink } from './record-header.ts';

/** Headers that have to chain before they are believed. One alone is random once in some millions of octets. */
const chainOf = 3;
/** Results of a search beside an index. */
export const notFound = -1;
export const atBoundary = -2;
const maxChains = 4;
/** Who finds no three headers in so many octets reads no TLS. */
const hopelessAfterBytes = 512 * 1024;

/** A row of headers, each where the one before said that the next one is. */
interface Chain {
  headers: number;
  /** Its first header was at the beginning of a segment. */
  isAtStart: boolean;
  /** Where the next header has to be. */
  nextAt: number;
  /** The record that the last header began: complete once its octets have passed. */
  type: number;
  length: number;
  startedAt: number;
  endMs: number;
  wireMs: number;
  isComplete: boolean;
  /** The record before it; there are never more than that. */
  before: { type: number; length: number; startedAt: number; endMs: number; wireMs: number } | null;
}

/** Finds where records begin, in octets that may start anywhere and have holes. */
export class HeaderSearch {
  readonly #sink: RecordSink;
  readonly #direction: Direction;
  #chains: Chain[] = [];
  /** The last octets of what came: a header may be cut by the end of a segment. */
  readonly #tail = new Uint8Array(headerBytes - 1);
  #tailBytes = 0;
  /** Where the octet behind the last one that came stands in the stream. */
  #nextOffset = -1;
  #scanned = 0;
  /** The header that closed the chain. */
  type = 0;
  length = 0;
  startedAt = 0;

  constructor(sink: RecordSink, direction: Direction) {
    this.#sink = sink;
    this.#direction = direction;
  }

  get isHopeless(): boolean {
    return this.#scanned > hopelessAfterBytes;
  }

  /**
   * @param cut octets of the segment that were not captured
   * @returns index behind the header that closed a chain; `notFound`; or `atBoundary`, where records fill whole segments, which is
   * as good as a chain: the next octet begins one
   */
  data(
    bytes: Buffer,
    start: number,
    end: number,
    cut: number,
    atMs: number,
    wireMs: number,
    streamOffset: number,
  ): number {
    if (this.#nextOffset !== streamOffset) this.#tailBytes = 0;
    const endOffset = streamOffset + end - start;
    const firstOffset = streamOffset - this.#tailBytes;
    this.#scanned += end - start;
    const octetAt = (offset: number): number =>
      offset < streamOffset ? this.#tail[offset - firstOffset]! : bytes[start + offset - streamOffset]!;

    // Positions in the tail were looked at as far as their five octets were there.
    for (let offset = firstOffset; offset + headerBytes <= endOffset; offset++) {
      // What is a header has a 3 in its second octet: most of a segment is passed by looking for it alone.
      if (offset >= streamOffset) {
        let three = start + offset - streamOffset + 1;
        while (three < end && bytes[three] !== 3) three++;
        offset = streamOffset + three - 1 - start;
        if (offset + headerBytes > endOffset) break;
      } else if (octetAt(offset + 1) !== 3) continue;
      const length = (octetAt(offset + 3) << 8) | octetAt(offset + 4);
      const type = octetAt(offset);
      if (!isLikely(type, octetAt(offset + 2), length)) continue;
      this.#passed(offset, atMs, wireMs);
      if (this.#link(offset, type, length, offset === streamOffset))
        return start + (offset + headerBytes - streamOffset);
    }
    this.#passed(endOffset, atMs, wireMs);
    // A chain whose next header has been here and was none is broken.
    this.#chains = this.#chains.filter((chain) => chain.nextAt + headerBytes > endOffset);
    this.#keepTail(octetAt, firstOffset, endOffset);
    if (cut > 0) this.skip(endOffset, cut, atMs, wireMs);
    const whole = this.#chains.find(({ isAtStart, nextAt }) => isAtStart && nextAt === endOffset + cut);
    if (!whole) return notFound;
    this.#tell(whole);
    return atBoundary;
  }

  /** Octets that are not there; chains that lead across them hold. */
  skip(streamOffset: number, octets: number, atMs: number, wireMs: number): void {
    const after = streamOffset + octets;
    this.#passed(after, atMs, wireMs);
    this.#chains = this.#chains.filter((chain) => chain.nextAt >= after);
    this.#tailBytes = 0;
    this.#nextOffset = after;
  }

  /** Everything before `offset` has come. */
  #passed(offset: number, atMs: number, wireMs: number): void {
    for (const chain of this.#chains) {
      if (chain.isComplete) continue;
      chain.wireMs = Math.max(chain.wireMs, wireMs);
      if (chain.nextAt > offset) continue;
      chain.isComplete = true;
      chain.endMs = atMs;
    }
  }

  /** @returns whether this header closes a chain */
  #link(offset: number, type: number, length: number, isAtStart: boolean): boolean {
    const chain = this.#chains.find(({ nextAt }) => nextAt === offset);
    if (!chain) {
      if (this.#chains.length === maxChains) this.#chains.shift();
      this.#chains.push(newChain(offset, type, length, isAtStart));
      return false;
    }
    if (chain.headers + 1 === chainOf) {
      this.#tell(chain);
      Object.assign(this, { type, length, startedAt: offset });
      return true;
    }
    const { type: beforeType, length: beforeLength, startedAt, endMs, wireMs } = chain;
    const next = newChain(offset, type, length, chain.isAtStart);
    next.before = { type: beforeType, length: beforeLength, startedAt, endMs, wireMs };
    next.headers = chain.headers + 1;
    this.#chains[this.#chains.indexOf(chain)] = next;
    return false;
  }

  /** The records that the chain led across. */
  #tell(chain: Chain): void {
    const { before } = chain;
    for (const { type, length, endMs, wireMs, startedAt } of before ? [before, chain] : [chain])
      this.#sink.record(this.#direction, type, length, endMs, wireMs, startedAt);
  }

  #keepTail(octetAt: (offset: number) => number, firstOffset: number, endOffset: number): void {
    const from = Math.max(firstOffset, endOffset - (headerBytes - 1));
    const kept = endOffset - from;
    // In rising order, so that octets of the tail itself are read before they are written over.
    for (let i = 0; i < kept; i++) this.#tail[i] = octetAt(from + i);
    this.#tailBytes = kept;
    this.#nextOffset = endOffset;
  }
}

const newChain = (offset: number, type: number, length: number, isAtStart: boolean): Chain => ({
  headers: 1,
  isAtStart,
  nextAt: offset + headerBytes + length,
  type,
  length,
  startedAt: offset,
  endMs: 0,
  wireMs: 0,
  isComplete: false,
  before: null,
});

/** Stricter than what is accepted in order: encrypted records of today. */
function isLikely(type: number, minor: number, length: number): boolean {
  if (!isRecordHeader(type, 3, minor, length)) return false;
  if (type === contentType.applicationData) return minor === 3 && length >= 17;
  return type === contentType.handshake ? length >= 4 : minor === 3;
}
