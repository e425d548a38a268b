import type { Exchange } from '../../../model/capture/exchange.ts';
import { contentType } from '../../../wire/tls/code-points.ts';
import type { StreamSink } from '../stream-sink.ts';
import { type Asked, type AskedRecord, extendAsked, newAsked } from './asked.ts';
import { type ExchangeReport, toExchange } from './exchange.ts';
import { HeadHabit } from './head-habit.ts';
import { finishedLength13, HelloGatherer, Hellos, overheadBytes } from './hellos.ts';
import { type OpeningFacts, ticketsWithinMs } from './opening.ts';
import { TlsAnswer } from './tls-answer.ts';
import { type Direction, headerBytes, type RecordSink } from './record-header.ts';
import { RecordCutter } from './tls-records.ts';

const client = 0;

/** Protected alerts and KeyUpdate (RFC 8446 §6, §4.6.3): 2 and 5 octets. The end of a chunked body has 5 as well. */
const alertBytes = 2;
const noticeBytes = 5;
/** The end of a chunked body, with the end of the last chunk where that was not written with it. */
const trailerBytes = 7;
/** Frames of HTTP/2 that steer (RFC 9113 §6): empty SETTINGS or DATA 9, WINDOW_UPDATE or RST_STREAM 13, PRIORITY 14, PING or GOAWAY 17; and pairs. */
const steeringOfClient = new Set([9, 13, 14, 17, 18, 22, 26, 30]);
/** The head of a second answer is packed so well that it may be as long as a pair. */
const steeringOfServer = new Set([9, 13, 17, 26]);
/** More of them at once, as Go acknowledges SETTINGS and a request's body; until the first head, which is not packed yet, and longer. */
const firstSteeringOfServer = new Set([22, 30, 35, 39]);
const settingsAck = 9;
/** `HTTP/1.1 100 Continue` and an empty line. */
const continueBytes = 25;
const leastTicketBytes = 40;
/** Preface 24, SETTINGS 9 and 6 for each, perhaps a WINDOW_UPDATE 13. */
const isPreface = (bytes: number): boolean =>
  bytes === 24 || (bytes >= 33 && bytes <= 106 && ((bytes - 33) % 6 === 0 || (bytes - 46) % 6 === 0));
/** SETTINGS of a server with as many values as there are, and with what goes out together with it; heads are longer, or do not fit. */
const isServerSettings = (bytes: number): boolean =>
  bytes <= 45 || (bytes <= 67 && [0, 13, 22].some((more) => (bytes - settingsAck - more) % 6 === 0));
/** Shorter than SETTINGS and a first head together, which has a status (1 octet), a type (13) and a date (24). */
const isBelowSettingsAndHead = (bytes: number): boolean => bytes <= 56;
/** An HTTP/1 head has a status line, type and framing at least; one of HTTP/2 is packed. */
const leastHeadBytes = { http1: 110, http2: 30 } as const;
/** Of a client with a certificate, how many records may come before its Finished. */
const maxClientFlight = 6;
/** Of TLS 1.3, which nearly all speak. */
const overheadUnknown = 17;
const overhead12 = 24;
/** A silence this much longer than the usual gap ends the belief that the answer before goes on. */
const goesOn = { paces: 5, ms: 60 } as const;
/** Of several answers at once one may not have begun yet: only the end of all, or a silence as long as this, is the end. */
const severalGoOnMs = 10_000;

/** Where the handshake stands, as seen from outside. */
type Handshake = 'hellos' | 'flights' | 'done';

/** Records of one TLS connection → exchanges. */
export class TlsExchanges implements StreamSink, RecordSink {
  readonly #report: ExchangeReport;
  readonly #cutters: readonly [RecordCutter, RecordCutter];
  #hellos: Hellos | null = new Hellos();
  #tls: Exchange['tls'] = null;
  #gatherers: [HelloGatherer | null, HelloGatherer | null] = [new HelloGatherer(), new HelloGatherer()];
  #handshake: Handshake;
  #isTls13: boolean | null = null;
  #isHttp2: boolean | null = null;
  #overhead = overheadUnknown;
  #isOverheadKnown = false;
  #finishedLength = 0;
  #clientHelloMs = NaN;
  #serverRttMs = 0;
  #clientRttMs = 0;
  #serverFlightMs = NaN;
  #serverFinishedSeen = false;
  #hasEarlyTickets = false;
  #hasEarlyData = false;
  #clientFlight = 0;
  #clientFlightMs = NaN;
  #finishedMs: number | null = null;
  #mayHaveTickets = false;
  /** When the first came, if that was before any request. */
  #ticketsMs = NaN;
  #tickets = 0;
  #sawSettings = false;
  /** Whether an answer has been told. */
  #hasAnswered = false;
  #clientRecords = 0;
  #sawClient = false;
  readonly #startedInMiddle: boolean;
  /** Of the exchange that is going on. */
  #request: Asked | null = null;
  #answer: TlsAnswer | null = null;
  /** What was asked while an answer was going on, over HTTP/2. */
  #second: Asked | null = null;
  #orphan = false;
  #hadRequests = false;
  /** Streams of HTTP/2 that were seen to end, and whether that was the last that the server sent. */
  #ends = 0;
  #sawEnd = false;
  #holes = 0;
  #habit = new HeadHabit();

  /** @param inMiddle the capture began after the connection */
  constructor(report: ExchangeReport, inMiddle: boolean) {
    this.#report = report;
    this.#startedInMiddle = inMiddle;
    this.#handshake = inMiddle ? 'done' : 'hellos';
    if (inMiddle) this.#letGoOfHellos();
    this.#cutters = [new RecordCutter(this, 0, inMiddle), new RecordCutter(this, 1, inMiddle)];
  }

  get wanted(): boolean {
    return !(this.#cutters[0].isHopeless && this.#cutters[1].isHopeless);
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
    this.#cutters[direction].data(bytes, start, end, cut, deliverableMs, wireMs, streamOffset);
  }

  gap(direction: Direction, octets: number): void {
    this.#holes++;
    this.#cutters[direction].gap(octets);
    if (direction !== client) this.#answer?.hole();
  }

  end(_timeMs: number): void {
    this.#close();
  }

  wantsHandshake(direction: Direction): boolean {
    const gatherer = this.#gatherers[direction];
    return gatherer !== null && !gatherer.isOver;
  }

  handshakeCut(direction: Direction): void {
    this.#gatherers[direction]?.giveUp();
  }

  lost(direction: Direction): void {
    this.#holes++;
    this.#gatherers[direction]?.giveUp();
    if (direction !== client) this.#answer?.hole();
    // The Finished may be among what was lost: what follows is taken for data.
    else if (this.#handshake !== 'done' && this.#clientRecords > 0) this.#handshakeDone(null);
  }

  handshake(direction: Direction, bytes: Buffer, start: number, end: number): void {
    const message = this.#gatherers[direction]?.take(bytes, start, end);
    const hellos = this.#hellos;
    if (!message || !hellos) return;
    if (direction === client) {
      hellos.readClient(message);
      this.#hasEarlyData = hellos.client?.hasEarlyData ?? false;
      return;
    }
    if (!hellos.readServer(message) || !hellos.server) return;
    const { server } = hellos;
    this.#isTls13 = hellos.isTls13;
    this.#overhead = overheadBytes(hellos.isTls13 === true, server.suite);
    this.#isOverheadKnown = true;
    this.#finishedLength = finishedLength13(server.suite);
    // A HelloRetryRequest names no share: the real one follows.
    if (server.isRetry) this.#gatherers[1] = new HelloGatherer();
  }

  record(direction: Direction, type: number, length: number, atMs: number, wireMs: number, offset: number): void {
    if (type === contentType.applicationData) {
      if (direction === client) this.#fromClient(length, atMs, offset + headerBytes + length);
      else this.#fromServer(length, atMs, wireMs, offset);
    } else if (type === contentType.handshake && this.#handshake !== 'done') this.#plainHandshake(direction, atMs);
  }

  /** Handshake records in the clear; in TLS 1.2 all of them up to the Finished. */
  #plainHandshake(direction: Direction, atMs: number): void {
    if (direction === client) {
      this.#sawClient = true;
      this.#clientRecords++;
      if (Number.isNaN(this.#clientHelloMs) || this.#hellos?.server?.isRetry) this.#clientHelloMs = atMs;
      // More than hellos in the clear is TLS 1.2 or before.
      if (this.#handshake === 'flights' && this.#isTls13 === null) this.#isTls13 = false;
      return;
    }
    if (!Number.isNaN(this.#clientHelloMs) && this.#serverRttMs === 0)
      this.#serverRttMs = Math.max(0, atMs - this.#clientHelloMs);
    this.#serverFlightMs = atMs;
    if (!this.#hellos?.server?.isRetry) this.#handshake = 'flights';
  }

  #fromClient(length: number, atMs: number, endOffset: number): void {
    this.#sawClient = true;
    if (this.#handshake !== 'done' && this.#isHandshakeOfClient(length, atMs, endOffset)) return;
    const bytes = Math.max(0, length - this.#overhead);
    const isFirst = this.#clientRecords === 0;
    this.#clientRecords++;
    if (bytes === settingsAck) this.#showsHttp2();
    if (bytes <= alertBytes || steeringOfClient.has(bytes)) return;
    if (!this.#isOverheadKnown && steeringOfClient.has(length - overhead12)) return;
    if (isFirst && this.#isHttp2 !== false && isPreface(bytes)) {
      this.#isHttp2 = true;
      return;
    }
    if (bytes <= noticeBytes && (this.#request === null || this.#answer !== null)) return;
    this.#requestData({ atMs, bytes, endOffset });
  }

  /** Where it is not known what is spoken: SETTINGS are the first that a server says over HTTP/2, and no answer of HTTP/1 begins so short. */
  #isSettings(bytes: number): boolean {
    const isFirst = this.#answer?.isNoneYet() ?? true;
    return isFirst && bytes !== continueBytes && bytes <= leastTicketBytes && isServerSettings(bytes);
  }

  /** What came before as an answer was what HTTP/2 begins with. */
  #showsHttp2(): void {
    if (this.#isHttp2 !== null) return;
    this.#isHttp2 = true;
    if (this.#answer?.isNoLongerThan(leastHeadBytes.http2)) this.#answer = null;
  }

  /** @returns whether the record still belongs to the handshake */
  #isHandshakeOfClient(length: number, atMs: number, endOffset: number): boolean {
    if (this.#handshake === 'hellos' && this.#hasEarlyData) {
      this.#requestData({ atMs, bytes: Math.max(0, length - overheadUnknown), endOffset });
      return true;
    }
    // TLS 1.2 has no handshake in records of this type.
    if (this.#isTls13 === false) {
      this.#handshakeDone(null);
      return false;
    }
    const isFinished = this.#finishedLength > 0 ? length === this.#finishedLength : length === 53 || length === 69;
    if (isFinished) {
      this.#handshakeDone(atMs);
      return true;
    }
    // A certificate of the client comes before it, or in one record with it.
    if (this.#clientFlight === 0) this.#clientFlightMs = atMs;
    const isLater = this.#clientFlight > 0 && atMs - this.#clientFlightMs > Math.max(5, this.#serverRttMs);
    if (isLater || this.#clientFlight >= maxClientFlight) {
      this.#handshakeDone(this.#clientFlightMs);
      return false;
    }
    this.#clientFlight++;
    return true;
  }

  /** @param finishedMs when the client's Finished passed, in TLS 1.3 */
  #handshakeDone(finishedMs: number | null): void {
    this.#handshake = 'done';
    this.#finishedMs = finishedMs;
    if (finishedMs !== null && finishedMs > this.#serverFlightMs) this.#clientRttMs = finishedMs - this.#serverFlightMs;
    this.#mayHaveTickets = finishedMs !== null && !this.#hasEarlyTickets;
    this.#clientRecords = 0;
    this.#isHttp2 = this.#hellos?.isHttp2 ?? this.#isHttp2;
    this.#tls = this.#hellos?.describe() ?? null;
    this.#letGoOfHellos();
  }

  #letGoOfHellos(): void {
    this.#hellos = null;
    this.#gatherers = [null, null];
  }

  #requestData(record: AskedRecord): void {
    const roundTripMs = this.#serverRttMs + this.#clientRttMs;
    if (this.#answer && !this.#answer.isNoneYet()) {
      if (this.#isHttp2 && !this.#orphan) {
        // Whether the answer before is over is known when the server goes on.
        if (this.#second) extendAsked(this.#second, record, roundTripMs);
        else this.#second = newAsked(record);
        return;
      }
      this.#close();
    }
    if (this.#answer) this.#answer.forget();
    this.#answer = null;
    if (this.#request) extendAsked(this.#request, record, roundTripMs);
    else this.#ask(newAsked(record));
  }

  /** Over HTTP/1 a request that pauses is still one. */
  get #requests(): number {
    const requests = this.#request?.requests ?? 0;
    return this.#isHttp2 ? requests : Math.min(1, requests);
  }

  #ask(asked: Asked): void {
    this.#request = asked;
    this.#hadRequests = true;
    this.#ends = 0;
  }

  #fromServer(length: number, atMs: number, wireMs: number, offset: number): void {
    if (this.#handshake !== 'done' && this.#isFlightOfServer(length)) return;
    const bytes = Math.max(0, length - this.#overhead);
    if (bytes <= trailerBytes) {
      if (bytes > alertBytes) this.#answer?.trailer(atMs);
      return;
    }
    if (bytes === settingsAck || (this.#isHttp2 === null && this.#isSettings(bytes))) this.#showsHttp2();
    if (this.#isHttp2 && this.#isSteeringOfServer(bytes, atMs)) return;
    if (this.#second) this.#settleSecond(atMs);
    if (!this.#answer && !this.#begin(atMs)) {
      this.#ticket(atMs);
      return;
    }
    this.#sawEnd = false;
    if (this.#answer!.records === 0 && this.#request && !this.#mayHaveTickets)
      this.#serverRttMs = Math.min(this.#serverRttMs, Math.max(0, atMs - this.#request.endMs));
    if (this.#answer!.records === 0 && this.#requests > 1) this.#answer!.overlap();
    this.#answer!.record(atMs, wireMs, offset, bytes);
  }

  /** What the server sends before it was asked are session tickets; all of them come together, a round trip after the Finished. */
  #ticket(atMs: number): void {
    if (!this.#mayHaveTickets) return;
    this.#tickets++;
    if (this.#tickets > 1) return;
    this.#ticketsMs = atMs;
    this.#serverRttMs = Math.min(this.#serverRttMs, Math.max(0, atMs - this.#finishedMs!));
  }

  #isSteeringOfServer(bytes: number, atMs: number): boolean {
    const isAnswering = this.#answer?.isNoneYet() === false;
    // SETTINGS come first, once (RFC 9113 §3.4), and may be as short as their acknowledgement, or as an empty DATA that ends a stream. Behind
    // a request windows go out together with them, which fits any length.
    const isFirst = !isAnswering && !this.#sawSettings;
    if (isFirst && (isServerSettings(bytes) || (!this.#startedInMiddle && isBelowSettingsAndHead(bytes)))) {
      this.#sawSettings = true;
      return true;
    }
    if (bytes === settingsAck && isAnswering) {
      this.#sawEnd = true;
      this.#ends++;
    }
    const mayBeHead = isAnswering || this.#hasAnswered || !firstSteeringOfServer.has(bytes);
    if (mayBeHead && !steeringOfServer.has(bytes)) return false;
    if (bytes === settingsAck) this.#answer?.trailer(atMs);
    return true;
  }

  /**
   * In TLS 1.3 all of it is protected; a record behind the Finished is a ticket that came early (Go sends them so).
   * @returns whether the record still belongs to the handshake
   */
  #isFlightOfServer(length: number): boolean {
    if (this.#isTls13 === false) {
      this.#handshakeDone(null);
      return false;
    }
    this.#isTls13 = true;
    if (this.#serverFinishedSeen) {
      this.#hasEarlyTickets = true;
      this.#sawSettings ||= isServerSettings(length - this.#overhead);
    } else if (this.#finishedLength > 0 && length === this.#finishedLength) this.#serverFinishedSeen = true;
    return true;
  }

  /** @returns whether there is something to answer */
  #begin(atMs: number): boolean {
    if (!this.#request) {
      // Tickets and SETTINGS before any request; in the middle of a connection it can be the rest of an answer.
      if (!this.#startedInMiddle && this.#sawClient) return false;
      if (this.#sawClient && this.#hadRequests) return false;
      this.#orphan = true;
    }
    if (this.#tickets > 1 || atMs - this.#ticketsMs > ticketsWithinMs) this.#mayHaveTickets = false;
    this.#answer = new TlsAnswer(this.#openingFacts());
    return true;
  }

  #openingFacts(): OpeningFacts {
    return {
      finishedMs: this.#mayHaveTickets ? this.#finishedMs : null,
      serverRttMs: this.#serverRttMs,
      requestStartMs: this.#request?.startMs ?? null,
      requestEndMs: this.#request?.endMs ?? null,
      habit: this.#habit,
      leastHeadBytes: this.#isHttp2 ? leastHeadBytes.http2 : leastHeadBytes.http1,
    };
  }

  /** An answer that goes on sooner than the new request could be answered, or at its own pace, is the one before. */
  #settleSecond(atMs: number): void {
    const second = this.#second!;
    const request = this.#request!;
    const answer = this.#answer!;
    this.#second = null;
    const isTooEarly = atMs - second.startMs < 0.8 * this.#serverRttMs;
    const isAtEnd = this.#sawEnd && this.#ends >= request.requests;
    if (isAtEnd || (!isTooEarly && isSilent(request.requests, answer, atMs))) {
      this.#close();
      this.#ask(second);
      return;
    }
    if (request.requests === 1) answer.overlap();
    request.requests += second.requests;
    request.bytes += second.bytes;
  }

  /** The exchange that is going on is over. */
  #close(): void {
    const answer = this.#answer ?? new TlsAnswer(noFacts);
    if (this.#request || this.#answer) this.#tell(answer);
    this.#answer = null;
    this.#request = null;
    this.#orphan = false;
    if (answer.records > 0) this.#mayHaveTickets = false;
    this.#holes = 0;
    const second = this.#second;
    this.#second = null;
    if (second) {
      this.#ask(second);
      this.#close();
    }
  }

  #tell(answer: TlsAnswer): void {
    answer.finish();
    const request = this.#request;
    if (!request && answer.cadence.chunks === 0) return;
    const kind = this.#isHttp2 ? 'http2-tls' : 'tls';
    const exchange = toExchange({
      kind,
      requestStartMs: request?.startMs ?? null,
      requestEndMs: request?.endMs ?? null,
      requestEndOffset: request?.endOffset ?? null,
      requestBytes: request?.bytes ?? 0,
      requests: this.#requests,
      firstByteMs: request ? answer.firstByteMs : NaN,
      otherwiseMs: answer.otherwiseMs,
      isFirstKnown: answer.isFirstKnown,
      endMs: Number.isNaN(answer.endMs) ? (request?.endMs ?? 0) : answer.endMs,
      answerBytes: answer.bytes,
      heartbeats: answer.heartbeats,
      cadence: answer.cadence,
      isStream: null,
      confidence: this.#confidence(answer),
      how: this.#how(answer),
      tls: this.#tls,
      http: null,
    });
    this.#report(exchange, answer.cadence.gaps);
    this.#hasAnswered = true;
  }

  #confidence(answer: TlsAnswer): Exchange['confidence'] {
    if (!this.#request || this.#requests > 1) return 'low';
    return this.#holes > 0 || !answer.isSure || !this.#isOverheadKnown ? 'medium' : 'high';
  }

  #how(answer: TlsAnswer): string[] {
    const how = ['times of TLS records in order'];
    if (this.#startedInMiddle) how.push('the capture began in the middle of the connection');
    if (!this.#request) how.push('the request was not captured');
    const requests = this.#requests;
    if (requests > 1) how.push(`${requests} requests or more overlap and cannot be told apart`);
    if (this.#holes > 0) how.push('octets are missing in the capture');
    if (answer.tickets > 0) how.push(`left out: ${answer.tickets} × session ticket or 100 Continue`);
    if (answer.hasHead) how.push('head taken for one that came without content');
    if (!Number.isNaN(answer.otherwiseMs))
      how.push('the first record may be a head alone or have the first chunk with it');
    if (answer.heartbeats > 0) how.push(`left out: ${answer.heartbeats} × keep-alive`);
    return how;
  }
}

/** Whether the answer stood still for so long before `atMs` that it must be over. */
function isSilent(requests: number, { paceMs, endMs }: TlsAnswer, atMs: number): boolean {
  const silentMs = atMs - endMs;
  if (requests > 1) return silentMs > severalGoOnMs;
  return Number.isNaN(paceMs) || silentMs > Math.max(goesOn.ms, goesOn.paces * paceMs);
}

const noFacts: OpeningFacts = {
  finishedMs: null,
  serverRttMs: 0,
  requestStartMs: null,
  requestEndMs: null,
  leastHeadBytes: 0,
  habit: new HeadHabit(),
};
