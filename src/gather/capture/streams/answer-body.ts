import type { ExchangeHttp } from '../../../model/capture/exchange.ts';
import { NdjsonDecoder } from '../../../wire/http/ndjson.ts';
import { SseDecoder } from '../../../wire/http/sse.ts';
import { Cadence } from './cadence.ts';
import { carriesContent } from './content.ts';

/** Events larger than this are no chunks of a stream. */
const maxEventBytes = 256 * 1024;
const ndjsonTypes = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/stream+json',
]);

/** The body of an answer in the clear: when which event was complete, and nothing of what it said. */
export class AnswerBody {
  readonly cadence = new Cadence();
  readonly streaming: ExchangeHttp['streaming'];
  heartbeats = 0;
  bytes = 0;
  holes = 0;
  #sse: SseDecoder | null = null;
  #ndjson: NdjsonDecoder | null = null;
  /** Compressed events are cut by whoever compresses: each piece that comes is a chunk. */
  readonly isEncoded: boolean;

  constructor(contentType: string, contentEncoding: string) {
    const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
    const encoding = contentEncoding.trim().toLowerCase();
    this.streaming = type === 'text/event-stream' ? 'sse' : ndjsonTypes.has(type) ? 'ndjson' : 'none';
    this.isEncoded = this.streaming !== 'none' && encoding !== '' && encoding !== 'identity';
    this.#renew();
  }

  push(bytes: Buffer, start: number, end: number, atMs: number, wireMs: number, streamOffset: number): void {
    this.bytes += end - start;
    if (this.isEncoded) this.cadence.chunk(atMs, wireMs, streamOffset);
    else if (this.streaming !== 'none') this.#events(bytes.subarray(start, end), atMs, wireMs, streamOffset);
  }

  /** Octets that were not captured: the event that they belong to counts by what is there of it. */
  hole(octets: number, atMs: number, wireMs: number, streamOffset: number): void {
    this.bytes += octets;
    this.holes++;
    this.end(atMs, wireMs, streamOffset);
    this.#renew();
  }

  /** What the body ended with, if nothing ended it. */
  end(atMs: number, wireMs: number, streamOffset: number): void {
    for (const item of this.#sse?.end() ?? []) this.#sseItem(item, atMs, wireMs, streamOffset);
    for (const item of this.#ndjson?.end() ?? []) this.#line(item, atMs, wireMs, streamOffset);
  }

  #renew(): void {
    if (this.isEncoded) return;
    if (this.streaming === 'sse') this.#sse = new SseDecoder(maxEventBytes);
    if (this.streaming === 'ndjson') this.#ndjson = new NdjsonDecoder(maxEventBytes);
  }

  #events(bytes: Buffer, atMs: number, wireMs: number, streamOffset: number): void {
    if (this.#sse) for (const item of this.#sse.push(bytes)) this.#sseItem(item, atMs, wireMs, streamOffset);
    else for (const item of this.#ndjson!.push(bytes)) this.#line(item, atMs, wireMs, streamOffset);
  }

  #sseItem(item: ReturnType<SseDecoder['push']>[number], atMs: number, wireMs: number, streamOffset: number): void {
    if (item.kind === 'comment' || (item.kind === 'event' && item.name === 'ping')) this.heartbeats++;
    else if (item.kind === 'event' && carriesContent(item.name, item.data))
      this.cadence.chunk(atMs, wireMs, streamOffset);
  }

  #line(item: ReturnType<NdjsonDecoder['push']>[number], atMs: number, wireMs: number, streamOffset: number): void {
    if (item.kind === 'line' && carriesContent('', item.text)) this.cadence.chunk(atMs, wireMs, streamOffset);
  }
}
