import { contentType } from '../../../wire/tls/code-points.ts';
import { atBoundary, HeaderSearch, notFound } from './header-search.ts';
import { type Direction, headerBytes, isRecordHeader, type RecordSink } from './record-header.ts';

/**
 * Cuts the octets of one direction into records, in whatever pieces they come, also where only the beginnings of segments were
 * captured. After a hole that does not end inside of a known record it looks for three headers that chain. Memory: numbers.
 */
export class RecordCutter {
  readonly #sink: RecordSink;
  readonly #direction: Direction;
  #search: HeaderSearch | null = null;
  /** Octets of a header that have come, and what they say. */
  #have = 0;
  #type = 0;
  #major = 0;
  #minor = 0;
  #length = 0;
  /** Octets of the fragment still to come. */
  #left = 0;
  #startedAt = 0;
  #wireMs = 0;
  #pendingGap = 0;

  /** @param inMiddle the first octets need not be the beginning of a record */
  constructor(sink: RecordSink, direction: Direction, inMiddle: boolean) {
    this.#sink = sink;
    this.#direction = direction;
    if (inMiddle) this.#search = new HeaderSearch(sink, direction);
  }

  /** Whether it searched for a header for so long that there can be none. */
  get isHopeless(): boolean {
    return this.#search?.isHopeless ?? false;
  }

  /** See StreamSink.data. */
  data(
    bytes: Buffer,
    start: number,
    end: number,
    cut: number,
    atMs: number,
    wireMs: number,
    streamOffset: number,
  ): void {
    if (this.#pendingGap > 0) {
      const octets = this.#pendingGap;
      this.#pendingGap = 0;
      this.#skip(octets, atMs, wireMs, streamOffset - octets);
    }
    let at = start;
    if (this.#search) {
      at = this.#searchIn(this.#search, bytes, start, end, cut, atMs, wireMs, streamOffset);
      if (this.#search || this.#isAtBoundary()) return;
    }
    at = this.#cut(bytes, at, end, atMs, wireMs, streamOffset - start);
    if (this.#search) {
      const rest = this.#searchIn(this.#search, bytes, at, end, cut, atMs, wireMs, streamOffset + at - start);
      if (this.#search || this.#isAtBoundary()) return;
      this.#cut(bytes, rest, end, atMs, wireMs, streamOffset - start);
    }
    if (cut > 0 && !this.#search) this.#skip(cut, atMs, wireMs, streamOffset + end - start);
  }

  #isAtBoundary(): boolean {
    return this.#have === 0 && this.#left === 0;
  }

  /** Octets that never come; when they would have come is known with what comes next. */
  gap(octets: number): void {
    this.#pendingGap += octets;
  }

  /** @returns where the search for a header has to begin, or `end` */
  #cut(bytes: Buffer, from: number, end: number, atMs: number, wireMs: number, base: number): number {
    let at = from;
    while (at < end) {
      if (this.#left > 0) {
        const to = Math.min(end, at + this.#left);
        if (this.#isHello()) this.#sink.handshake(this.#direction, bytes, at, to);
        this.#left -= to - at;
        at = to;
        if (wireMs > this.#wireMs) this.#wireMs = wireMs;
        if (this.#left === 0) this.#finish(atMs);
        continue;
      }
      if (this.#have === 0) {
        this.#startedAt = base + at;
        this.#wireMs = wireMs;
      }
      at = this.#header(bytes, at, end);
      if (this.#have < headerBytes) return end;
      this.#have = 0;
      if (wireMs > this.#wireMs) this.#wireMs = wireMs;
      if (!isRecordHeader(this.#type, this.#major, this.#minor, this.#length)) {
        this.#lose();
        return at;
      }
      this.#left = this.#length;
      if (this.#left === 0) this.#finish(atMs);
    }
    return at;
  }

  #header(bytes: Buffer, from: number, end: number): number {
    let at = from;
    for (; at < end && this.#have < headerBytes; at++, this.#have++) {
      const octet = bytes[at]!;
      switch (this.#have) {
        case 0:
          this.#type = octet;
          break;
        case 1:
          this.#major = octet;
          break;
        case 2:
          this.#minor = octet;
          break;
        case 3:
          this.#length = octet << 8;
          break;
        default:
          this.#length |= octet;
      }
    }
    return at;
  }

  #isHello(): boolean {
    return this.#type === contentType.handshake && this.#sink.wantsHandshake(this.#direction);
  }

  #finish(atMs: number): void {
    this.#sink.record(this.#direction, this.#type, this.#length, atMs, this.#wireMs, this.#startedAt);
  }

  /** Octets that are not there: inside of a record they are only counted. */
  #skip(octets: number, atMs: number, wireMs: number, streamOffset: number): void {
    if (this.#search) {
      this.#search.skip(streamOffset, octets, atMs, wireMs);
      return;
    }
    if (this.#left > 0) {
      if (this.#isHello()) this.#sink.handshakeCut(this.#direction);
      const inside = Math.min(octets, this.#left);
      this.#left -= inside;
      if (wireMs > this.#wireMs) this.#wireMs = wireMs;
      if (this.#left === 0) this.#finish(atMs);
      if (inside === octets) return;
    }
    this.#lose();
  }

  #lose(): void {
    this.#have = 0;
    this.#left = 0;
    this.#search = new HeaderSearch(this.#sink, this.#direction);
    this.#sink.lost(this.#direction);
  }

  #searchIn(
    search: HeaderSearch,
    bytes: Buffer,
    start: number,
    end: number,
    cut: number,
    atMs: number,
    wireMs: number,
    streamOffset: number,
  ): number {
    const found = search.data(bytes, start, end, cut, atMs, wireMs, streamOffset);
    if (found === notFound) return end;
    this.#search = null;
    if (found === atBoundary) return end;
    this.#type = search.type;
    this.#length = search.length;
    this.#left = search.length;
    this.#startedAt = search.startedAt;
    this.#wireMs = wireMs;
    if (this.#left === 0) this.#finish(atMs);
    return found;
  }
}
