import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { constants as h2, type ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { ServerReported } from '../../model/inference.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Io } from '../../wire/io.ts';
import type { Arrival, Sending } from '../../wire/tcp/connection.ts';
import type { BuiltRequest, Dialect, DialectEvent, StreamParser } from '../dialect/dialect.ts';
import { errorFromBody } from '../dialect/errors.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import { codedError, errorFacts, httpTarget, isInterrupt, type Link } from './link.ts';

/** When something of the answer arrived: the delivery that completed it. */
export interface TokenArrival {
  endOffset: number;
  atMs: number;
  visible: boolean;
  /** Which delivery it came in; tokens of one delivery share it. */
  delivery: number;
  /** Server's wall clock when it emitted this token, where the dialect carries one. */
  serverWallMs: number | null;
}

export type Headers = Record<string, string | string[] | undefined>;

/** One request on one link, as raw evidence. All times CLOCK_MONOTONIC ms. */
export interface Exchange {
  id: string;
  startedAt: string;
  /** When the schedule wanted it to start. */
  intendedMs: number;
  /** When it did start: the first packet of it had to be sent (set-up included when the link was new). */
  startMs: number;
  /** When the request was handed to HTTP. */
  handedMs: number;
  reused: boolean;
  shared: boolean;
  link: Link;
  /** Offset of our byte stream before and after this request. */
  sentFrom: number;
  sendings: Sending[];
  requestBytes: number;
  status: number | null;
  httpVersion: string | null;
  headers: Headers;
  firstByte: Arrival | null;
  firstEvent: Arrival | null;
  tokens: TokenArrival[];
  receivedBytes: number;
  endMs: number | null;
  /** When we were done with it: what the connection lived through later is not of this request. */
  finishedMs: number;
  /** Longest wait of received bytes before our parser saw them, ms. */
  processingMs: number;
  reported: ServerReported[];
  usage: { prompt?: number; cachedPrompt?: number; output?: number; reasoning?: number };
  model: string | null;
  firstTokenEventTokens: number | null;
  /** Round trip of a handshake that left right behind this request, ms; see Session. Null when there was none. */
  shadowRttMs: number | null;
  outcome: Outcome;
}

export interface ExchangeLimits {
  timeoutMs: number;
  maxResponseBytes: number;
  /** Token events kept of one answer: a peer that never ends must not fill our memory. */
  maxTokenEvents: number;
}

const maxErrorBody = 64 << 10;
/** No answer that comes in one piece is larger; what is beyond is counted and dropped. */
const maxWholeBody = 16 << 20;
/** A silence as long as this makes us look at TCP_INFO when it ends: was it loss? */
const silenceMs = 100;

/** Sends one request over the link and follows its answer to the end. Never throws: what went wrong is the outcome. */
export async function exchange(
  link: Link,
  dialect: Dialect,
  built: BuiltRequest,
  id: string,
  times: { intendedMs: number; startMs: number },
  limits: ExchangeLimits,
  io: Io,
  signal: AbortSignal,
  onSent: () => void = () => undefined,
): Promise<Exchange> {
  const { trace } = link.tcp;
  const result: Exchange = {
    id,
    startedAt: new Date(io.clock.wallMs()).toISOString(),
    ...times,
    handedMs: io.clock.monoMs(),
    reused: link.requests > 0,
    shared: link.active > 0,
    link,
    sentFrom: trace.sendings.at(-1)?.endOffset ?? 0,
    sendings: [],
    requestBytes: Buffer.byteLength(built.body),
    status: null,
    httpVersion: null,
    headers: {},
    firstByte: null,
    firstEvent: null,
    tokens: [],
    receivedBytes: 0,
    endMs: null,
    finishedMs: Infinity,
    processingMs: 0,
    reported: [],
    usage: {},
    model: null,
    firstTokenEventTokens: null,
    shadowRttMs: null,
    outcome: { kind: 'answered' },
  };
  link.requests++;
  link.active++;
  const { signal: deadline, clear } = deadlineOf(signal, limits.timeoutMs);
  const reader = new AnswerReader(result, dialect, limits, io);
  try {
    await (link.http2 ? overHttp2 : overHttp1)(link, built, reader, deadline, onSent);
  } catch (error) {
    result.outcome = failed(error, result, limits, signal, deadline);
  }
  clear();
  link.active--;
  await link.tcp.readInfo('end');
  result.finishedMs = io.clock.monoMs();
  result.sendings = sendingsOf(result);
  return result;
}

/**
 * What carried the request. On a connection of its own that is everything sent until the answer began; on one that other
 * requests share, what left first after it was handed over, as much of it as the request is long.
 */
function sendingsOf({ link, handedMs, firstByte, sentFrom, requestBytes }: Exchange): Sending[] {
  const later = link.tcp.trace.sendings.filter(
    (s) => s.calledMs >= handedMs - 0.01 && (firstByte === null || s.calledMs <= firstByte.atMs),
  );
  if (!link.http2) return later;
  const enough = later.findIndex((s) => s.endOffset - sentFrom >= requestBytes);
  return enough < 0 ? later : later.slice(0, enough + 1);
}

function failed(
  error: unknown,
  result: Exchange,
  limits: ExchangeLimits,
  signal: AbortSignal,
  deadline: AbortSignal,
): Outcome {
  const phase = result.firstByte ? 'stream' : 'wait';
  if (signal.aborted && isInterrupt(signal)) return { kind: 'interrupted' };
  if (deadline.aborted) return { kind: 'timedOut', phase, afterMs: limits.timeoutMs };
  const { code, message } = errorFacts(error);
  if (result.firstByte !== null) return { kind: 'brokenStream', message: `${code}: ${message}` };
  return {
    kind: 'failed',
    phase,
    operation: 'request',
    errno: code,
    address: result.link.tcp.trace.target.address,
    message,
  };
}

/** Turns the bytes of one answer into stamped tokens. */
class AnswerReader {
  readonly result: Exchange;
  readonly #dialect: Dialect;
  readonly #limits: ExchangeLimits;
  readonly #io: Io;
  #parser: StreamParser | null = null;
  #whole: Buffer[] | null = null;
  #wholeBytes = 0;
  #delivery = -1;
  #lastArrival: Arrival | null = null;
  #complaint: { code?: string; message: string } | null = null;

  constructor(result: Exchange, dialect: Dialect, limits: ExchangeLimits, io: Io) {
    this.result = result;
    this.#dialect = dialect;
    this.#limits = limits;
    this.#io = io;
  }

  /** Called for the first bytes of the answer, whatever they are. */
  firstByte(): void {
    if (this.result.firstByte) return;
    this.result.firstByte = this.#arrival();
    void this.result.link.tcp.readInfo('first-byte');
  }

  head(status: number, httpVersion: string, headers: Headers): void {
    this.firstByte();
    Object.assign(this.result, { status, httpVersion, headers });
    const type = String(headers['content-type'] ?? '').toLowerCase();
    const streamed = this.#dialect.contentTypes.some((t) => type.startsWith(t));
    if (status === 200 && (streamed || !type.startsWith('application/json'))) this.#parser = this.#dialect.parser();
    else this.#whole = [];
  }

  body(bytes: Buffer): void {
    const arrival = this.#arrival();
    const { result } = this;
    result.receivedBytes += bytes.length;
    result.processingMs = Math.max(result.processingMs, this.#io.clock.monoMs() - arrival.readAtMs);
    if (result.receivedBytes > this.#limits.maxResponseBytes)
      throw codedError('ETOOBIG', `answer is larger than ${this.#limits.maxResponseBytes} bytes`);
    if (arrival !== this.#lastArrival) {
      if (this.#lastArrival && arrival.atMs - this.#lastArrival.atMs > silenceMs)
        void result.link.tcp.readInfo('after-silence');
      this.#delivery++;
      this.#lastArrival = arrival;
    }
    if (this.#parser) this.#take(this.#parser.push(bytes), arrival);
    else if (this.#wholeBytes < (result.status === 200 ? maxWholeBody : maxErrorBody)) {
      this.#whole?.push(bytes);
      this.#wholeBytes += bytes.length;
    }
  }

  end(): void {
    const { result } = this;
    result.endMs = this.#arrival().atMs;
    if (this.#parser) {
      this.#take(this.#parser.end(), this.#arrival());
      result.firstTokenEventTokens = this.#parser.firstTokenEventTokens ?? null;
    } else this.#endWhole(Buffer.concat(this.#whole ?? []));
    if (result.outcome.kind === 'answered' && this.#complaint) {
      const { code, message } = this.#complaint;
      result.outcome = { kind: 'brokenStream', message: code ? `${code}: ${message}` : message };
    } else if (result.outcome.kind === 'answered' && result.tokens.length === 0)
      result.outcome = { kind: 'brokenStream', message: 'the answer ended without a token' };
  }

  #endWhole(body: Buffer): void {
    const { result } = this;
    if (result.status === 200) {
      this.#take(this.#dialect.parseWhole(body), this.#arrival());
      return;
    }
    const { code, message } = errorFromBody(result.status ?? 0, body.subarray(0, maxErrorBody));
    const retryAfterMs = retryAfter(result.headers);
    result.outcome = {
      kind: 'rejected',
      status: result.status ?? 0,
      message,
      ...(code === undefined ? {} : { code }),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    };
  }

  #take(events: DialectEvent[], arrival: Arrival): void {
    const { result } = this;
    for (const event of events) {
      switch (event.kind) {
        case 'token':
          if (result.tokens.length >= this.#limits.maxTokenEvents)
            throw codedError('ETOOBIG', `answer has more than ${this.#limits.maxTokenEvents} tokens`);
          result.firstEvent ??= arrival;
          result.tokens.push({
            endOffset: arrival.endOffset,
            atMs: arrival.atMs,
            visible: event.visible,
            delivery: this.#delivery,
            serverWallMs: null,
          });
          break;
        case 'serverStamp': {
          const last = result.tokens.at(-1);
          if (last) last.serverWallMs = event.wallMs;
          break;
        }
        case 'usage': {
          const { kind: _, ...counts } = event;
          Object.assign(result.usage, counts);
          break;
        }
        case 'reported':
          result.reported.push(event.reported);
          break;
        case 'model':
          result.model = event.model;
          break;
        case 'error':
          this.#complaint ??= event;
          break;
        case 'start':
        case 'finish':
        case 'keepAlive':
        case 'end':
          result.firstEvent ??= arrival;
          break;
      }
    }
  }

  #arrival(): Arrival {
    const { arriving } = this.result.link.tcp;
    if (arriving) return arriving;
    const nowMs = this.#io.clock.monoMs();
    return { endOffset: 0, atMs: nowMs, readAtMs: nowMs, stamp: 'user' };
  }
}

/** Hands the bytes of an answer to its reader; what the reader will not take ends the request. */
function feeding(reader: AnswerReader, settle: (error: unknown) => void): (bytes: Buffer) => void {
  return (bytes) => {
    try {
      reader.body(bytes);
    } catch (error) {
      settle(error);
    }
  };
}

function overHttp1(
  link: Link,
  built: BuiltRequest,
  reader: AnswerReader,
  signal: AbortSignal,
  onSent: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { url } = built;
    const request: ClientRequest = requestHttp({
      ...httpTarget(link, url),
      method: built.method,
      headers: { ...built.headers, host: url.host, 'content-length': String(Buffer.byteLength(built.body)) },
    });
    // Not left to the request's own 'error': one that is destroyed already never says so again.
    const giveUp = () => settle(signal.reason);
    const settle = (error?: unknown) => {
      signal.removeEventListener('abort', giveUp);
      if (error) {
        request.destroy();
        reject(error);
      } else resolve();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    request.once('socket', (socket) => {
      const first = () => reader.firstByte();
      socket.prependOnceListener('data', first);
      request.once('close', () => socket.removeListener('data', first));
    });
    request.once('response', (response: IncomingMessage) => {
      try {
        reader.head(response.statusCode ?? 0, response.httpVersion, response.headers);
      } catch (error) {
        settle(error);
      }
      response.on('data', feeding(reader, settle));
      response.once('end', () => {
        reader.end();
        settle();
      });
      response.once('error', settle);
      response.once('close', () => {
        if (!response.complete) settle(codedError('ECONNRESET', 'connection ended inside the answer'));
      });
    });
    request.once('finish', onSent);
    request.on('error', settle);
    request.once('upgrade', (response: IncomingMessage, socket: Duplex) => {
      socket.destroy();
      const message = `the server switches protocols (HTTP ${response.statusCode}) though nobody asked it to`;
      settle(codedError('ERR_HTTP_UPGRADE', message));
    });
    request.end(built.body);
  });
}

function overHttp2(
  link: Link,
  built: BuiltRequest,
  reader: AnswerReader,
  signal: AbortSignal,
  onSent: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { url } = built;
    const headers = Object.fromEntries(Object.entries(built.headers).map(([k, v]) => [k.toLowerCase(), v]));
    const session = link.http2 as NonNullable<typeof link.http2>;
    const stream: ClientHttp2Stream = session.request({
      [h2.HTTP2_HEADER_METHOD]: built.method,
      [h2.HTTP2_HEADER_PATH]: `${url.pathname}${url.search}`,
      [h2.HTTP2_HEADER_SCHEME]: url.protocol.slice(0, -1),
      [h2.HTTP2_HEADER_AUTHORITY]: url.host,
      ...headers,
    });
    const giveUp = () => stream.close(h2.NGHTTP2_CANCEL);
    signal.addEventListener('abort', giveUp, { once: true });
    const settle = (error?: unknown) => {
      signal.removeEventListener('abort', giveUp);
      if (error) {
        stream.close(h2.NGHTTP2_CANCEL);
        reject(error);
      } else resolve();
    };
    // The body is asked for only now: HTTP/2 may hand data out before it tells of the response.
    stream.once('response', (received) => {
      reader.head(received[':status'] ?? 0, '2', received);
      stream.on('data', feeding(reader, settle));
    });
    stream.once('end', () => {
      if (signal.aborted || stream.rstCode !== 0) return;
      reader.end();
      settle();
    });
    stream.once('finish', onSent);
    stream.once('error', settle);
    stream.once('close', () => {
      if (signal.aborted) settle(signal.reason);
      else if (stream.rstCode !== 0)
        settle(codedError('ERR_HTTP2_STREAM_RESET', `HTTP/2 stream reset with code ${stream.rstCode}`));
      else settle(reader.result.endMs === null ? new Error('HTTP/2 stream closed without an answer') : undefined);
    });
    stream.end(built.body);
  });
}

/** Retry-After in ms (RFC 9110 §10.2.3: seconds or a date; dates are left alone, their clock is not ours). */
function retryAfter(headers: Headers): number | null {
  const value = Number(headers['retry-after']);
  return Number.isFinite(value) && value >= 0 ? value * 1000 : null;
}
