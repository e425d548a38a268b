import type { Exchange, ExchangeHttp } from '../../../model/capture/exchange.ts';
import { printable } from '../../../model/outcome.ts';
import { beginsMessage, type BodyLength, type MessageHead, MessageReader } from '../../../wire/http/message-reader.ts';
import type { StreamSink } from '../stream-sink.ts';
import { AnswerBody } from './answer-body.ts';
import { type ExchangeReport, toExchange } from './exchange.ts';

type Direction = 0 | 1;
/** Requests that wait for their answers on one connection; more are not followed. */
const maxWaiting = 64;

interface Asked {
  startMs: number;
  endMs: number;
  bytes: number;
  endOffset: number;
  method: string;
  path: string;
}

/** HTTP/1.1 in the clear: requests and answers by their framing, chunks by their events. */
export class PlainHttp implements StreamSink {
  readonly #report: ExchangeReport;
  readonly #tunnel: (report: ExchangeReport) => StreamSink;
  readonly #readers: readonly [MessageReader, MessageReader];
  readonly #http2: (report: ExchangeReport, asked: Asked) => StreamSink;
  /** Asked for an upgrade that was granted. */
  #upgraded: Asked | null = null;
  #inner: StreamSink | null = null;
  #isOver = false;
  #waiting: Asked[] = [];
  /** The one whose request is coming; it is in `#waiting`, too. */
  #asking: Asked | null = null;
  #answering: Asked | null = null;
  #body: AnswerBody | null = null;
  #status = 0;
  #firstByteMs = NaN;
  #headMs = NaN;
  #holes = 0;
  /** Of the octets that are being read. */
  #atMs = 0;
  #wireMs = 0;
  #offset = 0;
  #endOffset = 0;

  /**
   * @param tunnel reads what goes through a CONNECT that was granted (RFC 9110 §9.3.6)
   * @param http2 reads what follows an upgrade to HTTP/2, beginning with the answer to what was asked
   */
  constructor(
    report: ExchangeReport,
    tunnel: (report: ExchangeReport) => StreamSink,
    http2: (report: ExchangeReport, asked: Asked) => StreamSink,
  ) {
    this.#report = report;
    this.#tunnel = tunnel;
    this.#http2 = http2;
    this.#readers = [
      new MessageReader({
        begin: () => this.#askBegins(),
        head: (head) => this.#askHead(head),
        body: (_, start, end) => this.#askBody(end - start),
        missing: (octets) => this.#askBody(octets),
        end: () => (this.#asking = null),
      }),
      new MessageReader({
        begin: () => (this.#headMs = this.#atMs),
        head: (head) => this.#answerHead(head),
        body: (bytes, start, end) => this.#body?.push(bytes, start, end, this.#atMs, this.#wireMs, this.#offset),
        missing: (octets) => this.#body?.hole(octets, this.#atMs, this.#wireMs, this.#offset),
        end: () => this.#answerEnds(),
      }),
    ];
  }

  get wanted(): boolean {
    return this.#inner ? this.#inner.wanted : !this.#isOver;
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
    if (this.#inner) {
      this.#inner.data(direction, bytes, start, end, cut, deliverableMs, wireMs, streamOffset);
      return;
    }
    this.#atMs = deliverableMs;
    this.#wireMs = wireMs;
    this.#offset = streamOffset;
    this.#endOffset = streamOffset + end - start + cut;
    const reader = this.#readers[direction];
    if (reader.isLost && beginsMessage(bytes, start, end, direction === 0)) this.#findAgain(direction);
    const stop = reader.read(bytes, start, end);
    if (cut > 0) {
      this.#holes++;
      reader.skip(cut);
    }
    // A client waits for the grant before it goes on, so the other direction is at its end of the tunnel already.
    if (reader.isTunnel && direction === 1) {
      this.#inner = this.#upgraded ? this.#http2(this.#report, this.#upgraded) : this.#tunnel(this.#report);
      const rest = streamOffset + stop - start;
      if (stop < end) this.#inner.data(direction, bytes, stop, end, cut, deliverableMs, wireMs, rest);
    }
  }

  gap(direction: Direction, octets: number): void {
    if (this.#inner) this.#inner.gap(direction, octets);
    else {
      this.#holes++;
      this.#readers[direction].skip(octets);
    }
  }

  end(timeMs: number): void {
    if (this.#inner) {
      this.#inner.end(timeMs);
      return;
    }
    this.#readers[1].close();
    if (this.#body) this.#answerEnds();
    for (const asked of this.#waiting) this.#tell(asked, null);
    this.#waiting = [];
    this.#isOver = true;
  }

  /** Behind a hole, at what looks like a beginning. */
  #findAgain(direction: Direction): void {
    if (direction === 1 && this.#body) this.#answerEnds();
    this.#readers[direction].restart();
  }

  #askBegins(): void {
    const [atMs, endOffset] = [this.#atMs, this.#endOffset];
    this.#asking = { startMs: atMs, endMs: atMs, bytes: 0, endOffset, method: '', path: '' };
  }

  #askHead({ startLine, fields }: MessageHead): BodyLength {
    const asking = this.#asking!;
    const [method = '', target = ''] = startLine.split(' ');
    asking.method = printable(method, 16);
    // What stands behind the question mark may be anybody's.
    asking.path = method === 'CONNECT' ? '' : printable(target.split(/[?#]/, 1)[0]!, 200);
    asking.endMs = this.#atMs;
    asking.endOffset = this.#endOffset;
    asking.bytes += startLine.length;
    for (const [name, value] of fields) asking.bytes += name.length + value.length + 4;
    if (this.#waiting.length < maxWaiting) this.#waiting.push(asking);
    if (method === 'CONNECT') return 'tunnel';
    return isChunked(fields) ? 'chunked' : (contentLength(fields) ?? 0);
  }

  #askBody(octets: number): void {
    const asking = this.#asking;
    if (!asking) return;
    asking.endMs = this.#atMs;
    asking.endOffset = this.#endOffset;
    asking.bytes += octets;
  }

  #answerHead({ startLine, fields }: MessageHead): BodyLength {
    const status = Number(startLine.split(' ')[1] ?? NaN);
    // 100 Continue and its like come before the answer (RFC 9110 §15.2).
    if (status >= 100 && status < 200 && status !== 101) return 0;
    this.#answering = this.#waiting.shift() ?? null;
    this.#status = Number.isInteger(status) ? status : 0;
    this.#firstByteMs = this.#headMs;
    if (status === 101 && this.#answering && fields.get('upgrade')?.trim().toLowerCase() === 'h2c') {
      this.#upgraded = this.#answering;
      this.#answering = null;
      return 'tunnel';
    }
    if (status === 101) {
      this.#isOver = true;
      return 'untilClose';
    }
    const method = this.#answering?.method;
    if (method === 'CONNECT' && status >= 200 && status < 300) {
      this.#answering = null;
      return 'tunnel';
    }
    // Refused: what the client says next is a request again.
    if (method === 'CONNECT') this.#readers[0].restart();
    this.#body = new AnswerBody(fields.get('content-type') ?? '', fields.get('content-encoding') ?? '');
    if (method === 'HEAD' || status === 204 || status === 304) return 0;
    return isChunked(fields) ? 'chunked' : (contentLength(fields) ?? 'untilClose');
  }

  #answerEnds(): void {
    const body = this.#body;
    // Heads of the kind of 100 Continue end, too.
    if (!body) return;
    this.#body = null;
    body.end(this.#atMs, this.#wireMs, this.#offset);
    this.#tell(this.#answering, body);
    this.#answering = null;
    this.#holes = 0;
  }

  #tell(asked: Asked | null, body: AnswerBody | null): void {
    const http: ExchangeHttp = {
      method: asked?.method ?? null,
      path: asked?.path ?? null,
      status: body ? this.#status : null,
      streaming: body?.streaming ?? 'none',
    };
    reportPlain(this.#report, 'http1', asked, body, http, {
      firstByteMs: body ? this.#firstByteMs : NaN,
      endMs: body ? this.#atMs : (asked?.endMs ?? 0),
      holes: this.#holes,
    });
  }
}

/** An exchange of which the framing is known, whatever the version of HTTP. */
export function reportPlain(
  report: ExchangeReport,
  kind: Exchange['kind'],
  asked: { startMs: number; endMs: number; bytes: number; endOffset: number } | null,
  body: AnswerBody | null,
  http: ExchangeHttp,
  seen: { firstByteMs: number; endMs: number; holes: number },
): void {
  const cadence = (body ?? new AnswerBody('', '')).cadence;
  const how = ['HTTP in the clear, parsed'];
  if (!asked) how.push('the request was not captured');
  if (body?.isEncoded) how.push('events are compressed: times of what came, not of events');
  if (seen.holes > 0) how.push('octets are missing in the capture');
  const exchange = toExchange({
    kind,
    requestStartMs: asked?.startMs ?? null,
    requestEndMs: asked?.endMs ?? null,
    requestEndOffset: asked?.endOffset ?? null,
    requestBytes: asked?.bytes ?? 0,
    requests: asked ? 1 : 0,
    firstByteMs: seen.firstByteMs,
    otherwiseMs: NaN,
    isFirstKnown: true,
    endMs: seen.endMs,
    answerBytes: body?.bytes ?? 0,
    heartbeats: body?.heartbeats ?? 0,
    cadence,
    isStream: (body?.streaming ?? 'none') !== 'none',
    confidence: !asked ? 'low' : seen.holes > 0 || body?.isEncoded ? 'medium' : 'high',
    how,
    tls: null,
    http,
  });
  report(exchange, cadence.gaps);
}

const isChunked = (fields: ReadonlyMap<string, string>): boolean =>
  /(^|,)\s*chunked\s*$/i.test(fields.get('transfer-encoding') ?? '');

function contentLength(fields: ReadonlyMap<string, string>): number | null {
  const text = fields.get('content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
