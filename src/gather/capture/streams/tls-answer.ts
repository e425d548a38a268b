import { Cadence } from './cadence.ts';
import { Opening, type OpeningFacts } from './opening.ts';

/** A record this far from both neighbours, by time and by the usual pace, may be a keep-alive. */
const loneMs = 200;
const lonePaces = 5;
/** Much smaller than every chunk so far. */
const smallShare = 0.8;
const smallBytes = 72;
/** Records that tell a head from a chunk. */
const enoughToTell = 3;

/** The answer of one exchange, out of records of which only time and size are known. */
export class TlsAnswer {
  readonly cadence = new Cadence();
  firstByteMs = NaN;
  endMs = NaN;
  bytes = 0;
  records = 0;
  tickets = 0;
  heartbeats = 0;
  hasHead = false;
  isSure = true;
  /** When the first chunk came if the head is not what it was taken for; NaN: nothing speaks for that. */
  otherwiseMs = NaN;
  /** Whether the first chunk is of the first of several requests. */
  isFirstKnown = true;
  holes = 0;
  #opening: Opening | null;
  readonly #facts: OpeningFacts;
  #heartbeatBytes = 0;
  #smallestBytes = Infinity;
  #lastAnyMs = NaN;
  /** A lone record that is held until the next one says what it was. */
  #loneMs = NaN;
  #loneWireMs = 0;
  #loneOffset = 0;
  #loneBytes = 0;

  constructor(facts: OpeningFacts) {
    this.#facts = facts;
    this.#opening = new Opening();
  }

  record(atMs: number, wireMs: number, streamOffset: number, bytes: number): void {
    this.records++;
    this.bytes += bytes;
    this.endMs = atMs;
    const opening = this.#opening;
    if (!opening) {
      this.#later(atMs, wireMs, streamOffset, bytes);
      return;
    }
    opening.push(atMs, wireMs, streamOffset, bytes);
    if (opening.isFull && !opening.collapse(this.#facts)) this.#settle(opening);
  }

  /** Median gap as far as it is known; NaN of few. */
  get paceMs(): number {
    return this.#opening ? this.#opening.paceMs : this.cadence.usualMs;
  }

  /** An end marker or the like, too small to carry anything. */
  trailer(atMs: number): void {
    if (this.records > 0) this.endMs = atMs;
  }

  hole(): void {
    this.holes++;
    if (!this.#opening) this.cadence.hole();
  }

  /** Whether nothing of it is an answer yet, so that the request may go on. */
  isNoneYet(): boolean {
    const opening = this.#opening;
    if (!opening || this.records === 0) return this.records === 0;
    return opening.isOnlyTickets(this.#facts) || (opening.count === 1 && opening.bytes[0] === continueBytes);
  }

  /** Whether all of it is records of so many octets at most. */
  isNoLongerThan(bytes: number): boolean {
    return this.#opening?.isNoLongerThan(bytes) ?? false;
  }

  /** What came so far was no answer. */
  forget(): void {
    this.tickets += this.#opening?.count ?? 0;
    this.#opening?.clear();
    Object.assign(this, { records: 0, bytes: 0, endMs: NaN });
  }

  /** Another answer may be among what follows: what came so far has to tell the first chunk. */
  overlap(): void {
    const opening = this.#opening;
    if (!opening) return;
    const isEnough = opening.count >= enoughToTell;
    if (opening.count > 0) this.#settle(opening);
    this.isFirstKnown = isEnough && this.isSure && this.cadence.chunks > 0;
  }

  /** To be called once before it is read. */
  finish(): void {
    if (this.#opening && this.records > 0) this.#settle(this.#opening);
    this.#commitLone();
  }

  #settle(opening: Opening): void {
    this.#opening = null;
    const verdict = opening.resolve(this.#facts);
    const { tickets, heartbeats, heartbeatBytes, hasHead, firstChunk, otherwise, isSure } = verdict;
    this.tickets += tickets;
    Object.assign(this, { heartbeats, hasHead });
    this.isSure &&= isSure;
    this.#heartbeatBytes = heartbeatBytes;
    if (otherwise !== firstChunk) this.otherwiseMs = opening.atMs[otherwise]!;
    if (tickets < opening.count) this.firstByteMs = opening.atMs[tickets]!;
    for (let i = 0; i < tickets; i++) this.bytes -= opening.bytes[i]!;
    if (this.holes > 0) this.cadence.hole();
    for (let i = firstChunk; i < opening.count; i++) {
      const { atMs, wireMs, streamOffset, bytes } = opening;
      this.#later(atMs[i]!, wireMs[i]!, streamOffset[i]!, bytes[i]!);
    }
  }

  #later(atMs: number, wireMs: number, streamOffset: number, bytes: number): void {
    const { cadence } = this;
    const pauseMs = atMs - this.#lastAnyMs;
    this.#lastAnyMs = atMs;
    const isLone = pauseMs >= loneMs && pauseMs >= lonePaces * cadence.usualMs;
    if (!Number.isNaN(this.#loneMs)) {
      if (isLone && this.#isHeartbeat()) this.#dropLone();
      else this.#commitLone();
    }
    if (!isLone) {
      this.#chunk(atMs, wireMs, streamOffset, bytes);
      return;
    }
    this.#loneMs = atMs;
    this.#loneWireMs = wireMs;
    this.#loneOffset = streamOffset;
    this.#loneBytes = bytes;
  }

  /** Whether the lone record is a keep-alive: as long as the others, or tiny beside every chunk. */
  #isHeartbeat(): boolean {
    const bytes = this.#loneBytes;
    return bytes === this.#heartbeatBytes || (bytes <= smallBytes && bytes < smallShare * this.#smallestBytes);
  }

  #dropLone(): void {
    this.heartbeats++;
    this.#heartbeatBytes = this.#loneBytes;
    this.#loneMs = NaN;
  }

  #commitLone(): void {
    if (Number.isNaN(this.#loneMs)) return;
    const atMs = this.#loneMs;
    this.#loneMs = NaN;
    this.#chunk(atMs, this.#loneWireMs, this.#loneOffset, this.#loneBytes);
  }

  #chunk(atMs: number, wireMs: number, streamOffset: number, bytes: number): void {
    if (bytes < this.#smallestBytes) this.#smallestBytes = bytes;
    this.cadence.chunk(atMs, wireMs, streamOffset);
  }
}

/** `HTTP/1.1 100 Continue` and an empty line. */
const continueBytes = 25;
