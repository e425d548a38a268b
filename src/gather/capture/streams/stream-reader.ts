import { beginsMessage } from '../../../wire/http/message-reader.ts';
import type { StreamSink } from '../stream-sink.ts';
import type { ExchangeReport } from './exchange.ts';
import { TlsExchanges } from './exchanges.ts';
import { preface } from './http2-frames.ts';
import { PlainHttp } from './plain-http.ts';
import { PlainHttp2 } from './plain-http2.ts';

type Direction = 0 | 1;
type Kind = 'tls' | 'http1' | 'http2' | 'none';

/** In the middle of a connection records may begin anywhere; who shows none in the first so many segments has none. */
const maxLooks = 12;

/**
 * Reads whatever a connection speaks, if it is TLS or plain HTTP, and reports its exchanges as they end. Decides by the first
 * octets; `wanted` is false from then on for what it cannot read.
 */
export function newStreamReader(report: ExchangeReport): StreamSink {
  return new StreamReader(report);
}

/** As many octets tell what it is. */
const enoughBytes = 9;

interface Held {
  bytes: Buffer;
  streamOffset: number;
}

class StreamReader implements StreamSink {
  readonly #report: ExchangeReport;
  #inner: StreamSink | null = null;
  #isNone = false;
  #looks = 0;
  #inMiddle = false;
  #held: [Held | null, Held | null] = [null, null];

  constructor(report: ExchangeReport) {
    this.#report = report;
  }

  get wanted(): boolean {
    return this.#inner ? this.#inner.wanted : !this.#isNone;
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
    if (this.#isNone) return;
    const held = this.#held[direction];
    if (!held && (end - start >= enoughBytes || cut > 0)) {
      this.#inner = this.#decide(direction, bytes, start, end, streamOffset);
      this.#inner?.data(direction, bytes, start, end, cut, deliverableMs, wireMs, streamOffset);
      return;
    }
    // A few octets say nothing: they wait for those behind them.
    const all = Buffer.concat([held?.bytes ?? Buffer.alloc(0), bytes.subarray(start, end)]);
    const from = held?.streamOffset ?? streamOffset;
    const isEnough = all.length >= enoughBytes || cut > 0;
    this.#held[direction] = isEnough ? null : { bytes: all, streamOffset: from };
    if (isEnough) this.data(direction, all, 0, all.length, cut, deliverableMs, wireMs, from);
  }

  gap(direction: Direction, octets: number): void {
    if (this.#inner) this.#inner.gap(direction, octets);
    else {
      this.#inMiddle = true;
      this.#held[direction] = null;
    }
  }

  end(timeMs: number): void {
    this.#inner?.end(timeMs);
    this.#inner = null;
    this.#isNone = true;
  }

  #decide(direction: Direction, bytes: Buffer, start: number, end: number, streamOffset: number): StreamSink | null {
    if (streamOffset > 0) this.#inMiddle = true;
    this.#looks++;
    switch (kindOf(direction, bytes, start, end, this.#inMiddle)) {
      case 'tls':
        return new TlsExchanges(this.#report, !isHello(bytes, start, end));
      case 'http1':
        return new PlainHttp(
          this.#report,
          (report) => new TlsExchanges(report, false),
          (report, asked) => new PlainHttp2(report, asked),
        );
      case 'http2':
        return new PlainHttp2(this.#report, null);
      case 'none':
        this.#isNone = !this.#inMiddle || this.#looks >= maxLooks;
        return null;
    }
  }
}

const isHello = (bytes: Buffer, start: number, end: number): boolean =>
  end - start >= 6 && bytes[start] === 22 && (bytes[start + 5] === 1 || bytes[start + 5] === 2);

/** What the first octets of a direction look like; in the middle of a connection, the first of a segment. */
function kindOf(direction: Direction, bytes: Buffer, start: number, end: number, inMiddle: boolean): Kind {
  const type = bytes[start]!;
  if (end - start >= 3 && bytes[start + 1] === 3 && bytes[start + 2]! <= 4) {
    if (type === 22 || (inMiddle && type >= 20 && type <= 23)) return 'tls';
  }
  if (direction === 0 && bytes.subarray(start, end).indexOf(preface.subarray(0, enoughBytes)) === 0) return 'http2';
  return beginsMessage(bytes, start, end, direction === 0) ? 'http1' : 'none';
}
