import type { StreamSink } from '../stream-sink.ts';
import { AnswerBody } from './answer-body.ts';
import type { ExchangeReport } from './exchange.ts';
import { FrameCutter } from './http2-frames.ts';
import { reportPlain } from './plain-http.ts';

type Direction = 0 | 1;

/** Streams that go on at once; more are not followed. */
const maxStreams = 1000;
/** RFC 9113 §6. */
const frameType = { data: 0, headers: 1, reset: 3, continuation: 9 } as const;
const flag = { endStream: 1, padded: 8 } as const;

interface Stream {
  startMs: number;
  endMs: number;
  bytes: number;
  endOffset: number;
  firstByteMs: number;
  body: AnswerBody | null;
  /** What came of a body that has not shown what it is. */
  held: Buffer | null;
  holes: number;
}

/** The frame that is coming, of one direction. */
interface Coming {
  type: number;
  endsStream: boolean;
  stream: number;
  /** The first octet says how long the padding is. */
  isPadded: boolean;
  isFirst: boolean;
  /** Octets of content still to come. */
  left: number;
}

/**
 * HTTP/2 in the clear (RFC 9113), known by its preface or by an upgrade: streams by their frames, chunks by their events. Fields of
 * heads are packed with the memory of the whole connection (RFC 7541) and are not unpacked: what a body is, it shows itself.
 */
export class PlainHttp2 implements StreamSink {
  readonly #report: ExchangeReport;
  readonly #cutters: readonly [FrameCutter, FrameCutter];
  readonly #coming: [Coming | null, Coming | null] = [null, null];
  readonly #streams = new Map<number, Stream>();
  #isOver = false;
  /** Of the octets that are being read. */
  #atMs = 0;
  #wireMs = 0;
  #offset = 0;
  #endOffset = 0;

  /** @param upgraded the request that asked for the upgrade: its answer is on stream 1 (RFC 7540 §3.2) */
  constructor(report: ExchangeReport, upgraded: Requested | null) {
    this.#report = report;
    if (upgraded) this.#streams.set(1, newStream(upgraded));
    this.#cutters = [new FrameCutter(this.#sinkOf(0), true), new FrameCutter(this.#sinkOf(1), false)];
  }

  get wanted(): boolean {
    return !this.#isOver;
  }

  data(
    direction: Direction,
    bytes: Buffer,
    start: number,
    end: number,
    cut: number,
    deliverableMs: number,
    wireMs: number,
    streamOffset: number,
  ): void {
    this.#atMs = deliverableMs;
    this.#wireMs = wireMs;
    this.#offset = streamOffset;
    this.#endOffset = streamOffset + end - start + cut;
    this.#cutters[direction].read(bytes, start, end);
    if (cut > 0) this.gap(direction, cut);
    else this.#look();
  }

  gap(direction: Direction, octets: number): void {
    for (const stream of this.#streams.values()) stream.holes++;
    this.#cutters[direction].skip(octets);
    this.#look();
  }

  end(_timeMs: number): void {
    for (const id of this.#streams.keys()) this.#tell(id);
    this.#isOver = true;
  }

  /** Where frames begin shows again nowhere. */
  #look(): void {
    if (!this.#isOver && (this.#cutters[0].isLost || this.#cutters[1].isLost)) this.end(this.#atMs);
  }

  #sinkOf(direction: Direction) {
    return {
      frame: (type: number, flags: number, stream: number, length: number) => {
        const isData = type === frameType.data;
        const ends = (isData || type === frameType.headers) && (flags & flag.endStream) !== 0;
        this.#coming[direction] = {
          type,
          endsStream: ends || type === frameType.reset,
          stream,
          isPadded: isData && (flags & flag.padded) !== 0,
          isFirst: true,
          left: length,
        };
        if (type === frameType.headers) this.#head(direction, stream);
      },
      payload: (bytes: Buffer | null, start: number, end: number) => {
        const coming = this.#coming[direction]!;
        if (direction === 0) this.#asked(coming, end - start);
        else if (coming.type === frameType.data) this.#answered(coming, bytes, start, end);
      },
      end: () => this.#frameEnds(direction),
    };
  }

  #head(direction: Direction, id: number): void {
    const stream = this.#streams.get(id);
    // Streams of the client have odd numbers (RFC 9113 §5.1.1); a second head is the trailer.
    if (direction === 0 && !stream && id % 2 === 1 && this.#streams.size < maxStreams)
      this.#streams.set(
        id,
        newStream({ startMs: this.#atMs, endMs: this.#atMs, bytes: 0, endOffset: this.#endOffset }),
      );
    else if (direction === 1 && stream && Number.isNaN(stream.firstByteMs)) stream.firstByteMs = this.#atMs;
  }

  #asked({ type, stream: id }: Coming, octets: number): void {
    const stream = this.#streams.get(id);
    if (!stream || (type !== frameType.data && type !== frameType.headers && type !== frameType.continuation)) return;
    stream.endMs = this.#atMs;
    stream.endOffset = this.#endOffset;
    stream.bytes += octets;
  }

  #answered(coming: Coming, bytes: Buffer | null, start: number, end: number): void {
    let at = start;
    if (coming.isFirst && coming.isPadded) {
      // The length of the padding, and the padding behind, are no content.
      coming.left -= 1 + (bytes ? bytes[at]! : 0);
      at++;
    }
    coming.isFirst = false;
    const to = Math.min(end, at + Math.max(0, coming.left));
    coming.left -= to - at;
    const stream = this.#streams.get(coming.stream);
    if (!stream || to <= at) return;
    if (!bytes) {
      if (stream.held) this.#begin(stream, stream.held);
      stream.body?.hole(to - at, this.#atMs, this.#wireMs, this.#offset);
      return;
    }
    if (stream.body) stream.body.push(bytes, at, to, this.#atMs, this.#wireMs, this.#offset);
    else this.#first(stream, bytes.subarray(at, to));
  }

  /** Its first line says what a body is. No event is whole before that, so nothing is late by waiting for it. */
  #first(stream: Stream, piece: Buffer): void {
    const all = stream.held ? Buffer.concat([stream.held, piece]) : piece;
    if (all.length >= sniffedBytes || piece.includes(LF)) this.#begin(stream, all);
    else stream.held = Buffer.from(all);
  }

  #begin(stream: Stream, bytes: Buffer): void {
    stream.held = null;
    stream.body = new AnswerBody(typeOf(bytes.toString('latin1', 0, sniffedBytes)), '');
    stream.body.push(bytes, 0, bytes.length, this.#atMs, this.#wireMs, this.#offset);
  }

  #frameEnds(direction: Direction): void {
    const { endsStream, stream: id, type } = this.#coming[direction]!;
    this.#coming[direction] = null;
    if (endsStream && (direction === 1 || type === frameType.reset)) this.#tell(id);
  }

  #tell(id: number): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    this.#streams.delete(id);
    if (stream.held) this.#begin(stream, stream.held);
    const { body, firstByteMs, holes } = stream;
    body?.end(this.#atMs, this.#wireMs, this.#offset);
    // Without a body there was a head all the same.
    const answer = body ?? (Number.isNaN(firstByteMs) ? null : new AnswerBody('', ''));
    const http = { method: null, path: null, status: null, streaming: body?.streaming ?? 'none' } as const;
    const endMs = answer ? this.#atMs : stream.endMs;
    reportPlain(this.#report, 'http2', stream, answer, http, { firstByteMs, endMs, holes });
  }
}

type Requested = Pick<Stream, 'startMs' | 'endMs' | 'bytes' | 'endOffset'>;

const newStream = ({ startMs, endMs, bytes, endOffset }: Requested): Stream => ({
  startMs,
  endMs,
  bytes,
  endOffset,
  firstByteMs: NaN,
  body: null,
  held: null,
  holes: 0,
});

const LF = 0x0a;
const sniffedBytes = 4096;

/** What kind of body begins so: events of SSE (WHATWG HTML §9.2.5), lines that are JSON each, or anything else. */
function typeOf(text: string): string {
  if (/^\u{FEFF}?(?::|(?:data|event|id|retry)\s*:)/u.test(text)) return 'text/event-stream';
  const [line = '', ...more] = text.split('\n', 2);
  return more.length > 0 && /^\s*\{/.test(line) && isJson(line) ? 'application/x-ndjson' : '';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
