import type { BuildInput, BuiltRequest, Dialect, DialectEvent, StreamParser } from './dialect.ts';
import { completed, hostIs, jsonRequest, pathOf } from './endpoint.ts';
import { errorInEvent } from './errors.ts';
import { asCount, asList, asObject, asText, tryJson, utf8Bytes } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { JsonArraySplitter } from './json-array.ts';
import type { ArrayItem } from './json-array.ts';
import { parseWholeBody, SseParser } from './sse-parser.ts';
import type { SseHandler } from './sse-parser.ts';
import { StreamState } from './stream-state.ts';

/** Gemini `:streamGenerateContent`: SSE with `alt=sse`, else one JSON array; ends with the body after a finishReason. */
export const gemini: Dialect = {
  name: 'gemini',
  about: 'Google Gemini streamGenerateContent (Gemini API and Vertex AI)',
  contentTypes: ['text/event-stream', 'application/json'],
  recognises,
  request,
  parser: (): StreamParser => new GeminiParser(),
  parseWhole,
};

function recognises(url: URL): number {
  const path = pathOf(url);
  if (/:(streamGenerateContent|generateContent)$/.test(path)) return 1;
  if (/\/openai(\/|$)/.test(path)) return 0;
  return hostIs(url, 'generativelanguage.googleapis.com', 'aiplatform.googleapis.com') ? 0.9 : 0;
}

const METHOD = ':streamGenerateContent';

function request(input: BuildInput): BuiltRequest {
  // The name of the model is part of the path; this alias of Google's always points at a current one.
  const model = encodeURIComponent(input.model ?? 'gemini-flash-latest');
  const url = completed(input.url, '/v1beta', `/models/${model}${METHOD}`, [
    [/\/v\d+(beta\d*|alpha)?$/, `/models/${model}${METHOD}`],
    [/\/models$/, `/${model}${METHOD}`],
    [/\/models\/[^/:]+$/, METHOD],
  ]);
  if (pathOf(url) !== pathOf(input.url)) url.searchParams.set('alt', 'sse');
  const body = {
    contents: [{ role: 'user', parts: [{ text: input.prompt }] }],
    generationConfig: { maxOutputTokens: input.maxTokens },
  };
  return jsonRequest(input, url, body, 'text/event-stream', { name: 'x-goog-api-key', prefix: '' });
}

/** One handler per stream: a body that ends after a finishReason ended well. */
class Chunks implements SseHandler {
  #finished = false;

  event(value: JsonObject, _name: string, state: StreamState): void {
    if (readChunk(value, state)) this.#finished = true;
  }

  endsWithBody(): boolean {
    return this.#finished;
  }
}

/** True when the chunk says that generation is over. */
function readChunk(value: JsonObject, state: StreamState): boolean {
  state.model(value['modelVersion']);
  const candidates = asList(value['candidates']);
  let visibleBytes = 0;
  let hiddenBytes = 0;
  for (const item of candidates) {
    for (const entry of asList(asObject(asObject(item)?.['content'])?.['parts'])) {
      const part = asObject(entry);
      if (part === undefined) continue;
      const bytes = utf8Bytes(part['text']);
      if (part['thought'] === true) hiddenBytes += bytes;
      else visibleBytes += bytes;
      hiddenBytes += utf8Bytes(asObject(part['functionCall'])?.['name']);
    }
  }
  const usage = readUsage(value, state);
  if (visibleBytes + hiddenBytes > 0) {
    state.token(visibleBytes > 0, visibleBytes + hiddenBytes);
    if (state.tokenEvents === 1 && usage !== undefined && usage > 0) state.firstTokenEventTokens = usage;
  } else state.start();
  return readFinish(value, candidates, state);
}

function readFinish(value: JsonObject, candidates: readonly unknown[], state: StreamState): boolean {
  let finished = false;
  for (const item of candidates) {
    const reason = asText(asObject(item)?.['finishReason']);
    if (reason === undefined) continue;
    finished = true;
    state.finish(reason);
  }
  const blocked = asText(asObject(value['promptFeedback'])?.['blockReason'], 100);
  if (blocked === undefined) return finished;
  state.error({ code: blocked, message: 'the prompt was blocked' });
  return true;
}

/** Emits the usage; returns the output tokens so far. Candidates leave thoughts out, so the output is the sum. */
function readUsage(value: JsonObject, state: StreamState): number | undefined {
  const usage = asObject(value['usageMetadata']);
  if (usage === undefined) return undefined;
  const thoughts = asCount(usage['thoughtsTokenCount']);
  const candidates = asCount(usage['candidatesTokenCount']);
  const output = candidates === undefined && thoughts === undefined ? undefined : (candidates ?? 0) + (thoughts ?? 0);
  state.usage({
    prompt: asCount(usage['promptTokenCount']),
    cachedPrompt: asCount(usage['cachedContentTokenCount']),
    output,
    reasoning: thoughts,
  });
  return output;
}

const OPEN_BRACKET = 0x5b;

/** The first byte that is no white space and no byte order mark decides between array and SSE. */
class GeminiParser implements StreamParser {
  #inner: StreamParser | undefined;

  get firstTokenEventTokens(): number | undefined {
    return this.#inner?.firstTokenEventTokens;
  }

  push(bytes: Uint8Array): DialectEvent[] {
    if (this.#inner !== undefined) return this.#inner.push(bytes);
    const from = bytes.findIndex((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
    if (from === -1) return [];
    this.#inner = bytes[from] === OPEN_BRACKET ? new ArrayParser() : new SseParser(new Chunks());
    return this.#inner.push(bytes.subarray(from));
  }

  end(): DialectEvent[] {
    this.#inner ??= new SseParser(new Chunks());
    return this.#inner.end();
  }
}

class ArrayParser implements StreamParser {
  readonly #splitter = new JsonArraySplitter();
  readonly #state = new StreamState();
  readonly #chunks = new Chunks();

  get firstTokenEventTokens(): number | undefined {
    return this.#state.firstTokenEventTokens;
  }

  push(bytes: Uint8Array): DialectEvent[] {
    if (this.#state.ended) return [];
    for (const item of this.#splitter.push(bytes)) this.#item(item);
    return this.#state.drain();
  }

  end(): DialectEvent[] {
    if (this.#chunks.endsWithBody()) this.#state.end();
    this.#state.endOfBody();
    return this.#state.drain();
  }

  #item(item: ArrayItem): void {
    const state = this.#state;
    if (item.kind === 'oversized')
      state.complain('oversized', 'an element of the answer is larger than this tool reads');
    if (item.kind === 'closed' && this.#chunks.endsWithBody()) state.end();
    if (item.kind !== 'element') return;
    const value = asObject(tryJson(item.text));
    const error = value === undefined ? undefined : errorInEvent(value);
    if (value === undefined) state.complain('not-json', 'an element of the answer is not a JSON object');
    else if (error === undefined) this.#chunks.event(value, '', state);
    else state.error(error);
  }
}

function parseWhole(body: Uint8Array): DialectEvent[] {
  const from = body.findIndex((byte) => byte > 0x20);
  if (body[from] === OPEN_BRACKET) {
    const parser = new GeminiParser();
    return [...parser.push(body), ...parser.end()];
  }
  return parseWholeBody(body, new GeminiParser(), (value, state) => {
    readChunk(value, state);
  });
}
