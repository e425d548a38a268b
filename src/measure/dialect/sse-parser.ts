import type { DialectEvent, StreamParser } from './dialect.ts';
import { errorInComment, errorInEvent } from './errors.ts';
import { asObject, tryJson } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { asBuffer } from '../../wire/http/line-buffer.ts';
import { SseDecoder } from '../../wire/http/sse.ts';
import type { SseItem } from '../../wire/http/sse.ts';
import { StreamState } from './stream-state.ts';

/** What a dialect adds to SSE. */
export interface SseHandler {
  /** One event whose data is a JSON object; `name` is its `event:` field or ''. */
  event(value: JsonObject, name: string, state: StreamState): void;
  /** At the end of the body: true when that is a proper end for this dialect. Default: never. */
  endsWithBody?(state: StreamState): boolean;
}

/** The parser of a dialect that is served as SSE. */
export class SseParser implements StreamParser {
  readonly #decoder = new SseDecoder();
  readonly #state = new StreamState();
  readonly #handler: SseHandler;

  constructor(handler: SseHandler) {
    this.#handler = handler;
  }

  get firstTokenEventTokens(): number | undefined {
    return this.#state.firstTokenEventTokens;
  }

  push(bytes: Uint8Array): DialectEvent[] {
    if (this.#state.ended) return [];
    this.#items(this.#decoder.push(bytes));
    return this.#state.drain();
  }

  end(): DialectEvent[] {
    const state = this.#state;
    if (!state.ended) this.#items(this.#decoder.end());
    if (!state.ended && this.#handler.endsWithBody?.(state) === true) state.end();
    state.endOfBody();
    return state.drain();
  }

  #items(items: readonly SseItem[]): void {
    for (const item of items) {
      if (this.#state.ended) return;
      readItem(item, this.#handler, this.#state);
    }
  }
}

function readItem(item: SseItem, handler: SseHandler, state: StreamState): void {
  switch (item.kind) {
    case 'event':
      readEvent(item.data, item.name, handler, state);
      return;
    case 'comment': {
      const error = errorInComment(item.text);
      if (error === undefined) state.keepAlive();
      else state.error(error);
      return;
    }
    case 'stray':
      readStray(item.text, handler, state);
      return;
    case 'oversized':
      state.complain('oversized', 'an event of the stream is larger than this tool reads');
  }
}

function readEvent(data: string, name: string, handler: SseHandler, state: StreamState): void {
  if (data === '[DONE]' || data.trim() === '[DONE]') {
    state.end();
    return;
  }
  if (data === '') {
    if (name === 'ping') state.keepAlive();
    return;
  }
  const value = asObject(tryJson(data));
  if (value !== undefined) readObject(value, name, handler, state);
  else if (name === 'error') state.error({ message: data.slice(0, 1_000) });
  else if (name === 'ping') state.keepAlive();
  else state.complain('not-json', 'an event of the stream is not a JSON object');
}

function readObject(value: JsonObject, name: string, handler: SseHandler, state: StreamState): void {
  const error = errorInEvent(value) ?? (name === 'error' ? errorInEvent({ error: value }) : undefined);
  if (error === undefined) handler.event(value, name, state);
  else state.error(error);
}

/** Lines outside any field: Gemini sends errors that way, and so does a server that answers a stream with plain JSON. */
function readStray(text: string, handler: SseHandler, state: StreamState): void {
  const json = tryJson(text);
  const value = asObject(Array.isArray(json) ? json[0] : json);
  if (value === undefined) state.complain('not-json', 'the stream has lines that are neither fields of SSE nor JSON');
  else readObject(value, '', handler, state);
}

/** Larger bodies of a non-stream answer are refused: no answer within `max_tokens` comes near. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

/**
 * Reads a non-stream body with `whole`; a body that is a stream after all (some servers mislabel it) goes through `parser`.
 */
export function parseWholeBody(
  body: Uint8Array,
  parser: StreamParser,
  whole: (value: JsonObject, state: StreamState) => void,
): DialectEvent[] {
  const state = new StreamState();
  if (body.length > MAX_WHOLE_BYTES) {
    state.complain('oversized', 'the body is larger than this tool reads');
    return state.drain();
  }
  const json = tryJson(
    asBuffer(body)
      .toString('utf8')
      .replace(/^\uFEFF/, ''),
  );
  const value = asObject(Array.isArray(json) ? json[0] : json);
  if (value === undefined) return [...parser.push(body), ...parser.end()];
  const error = errorInEvent(value);
  if (error !== undefined) state.error(error);
  else {
    whole(value, state);
    state.end();
  }
  // The first token of a whole body arrived with its last one: when the server computed it explains nothing here.
  return state.drain().filter((event) => event.kind !== 'reported' || event.reported.covers !== 'ttft');
}
