import type { BuildInput, BuiltRequest, Dialect, DialectEvent, StreamParser } from './dialect.ts';
import { completed, jsonRequest, pathOf, portOf } from './endpoint.ts';
import { errorInEvent } from './errors.ts';
import { asCount, asDuration, asList, asObject, tryJson, utf8Bytes } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { NdjsonDecoder } from './ndjson.ts';
import type { NdjsonItem } from './ndjson.ts';
import { server } from './body-times.ts';
import { parseWholeBody } from './sse-parser.ts';
import { StreamState } from './stream-state.ts';

/** Ollama's own API: NDJSON lines, each stamped with the wall clock of the server; the last one has the counts and times. */
export const ollama: Dialect = {
  name: 'ollama',
  about: 'Ollama /api/chat and /api/generate',
  contentTypes: ['application/x-ndjson'],
  recognises,
  request,
  parser: (): StreamParser => new OllamaParser(),
  parseWhole: (body): DialectEvent[] =>
    parseWholeBody(body, new OllamaParser(), (value, state) => readLine(value, new Stamps(), state)),
};

function recognises(url: URL): number {
  const path = pathOf(url);
  if (/\/api\/(chat|generate)$/.test(path)) return 1;
  // On its port Ollama also speaks OpenAI (/v1) and other dialects.
  return portOf(url) === 11_434 && /^(\/api)?$/.test(path) ? 0.9 : 0;
}

function request(input: BuildInput): BuiltRequest {
  const url = completed(input.url, '/api', '/chat', [[/\/api$/, '/chat']]);
  const asked = pathOf(url).endsWith('/generate')
    ? { prompt: input.prompt }
    : { messages: [{ role: 'user', content: input.prompt }] };
  const body = { model: input.model, ...asked, stream: true, options: { num_predict: input.maxTokens } };
  return jsonRequest(input, url, body, 'application/x-ndjson');
}

class OllamaParser implements StreamParser {
  readonly #decoder = new NdjsonDecoder();
  readonly #state = new StreamState();
  readonly #stamps = new Stamps();

  push(bytes: Uint8Array): DialectEvent[] {
    if (this.#state.ended) return [];
    this.#items(this.#decoder.push(bytes));
    return this.#state.drain();
  }

  end(): DialectEvent[] {
    if (!this.#state.ended) this.#items(this.#decoder.end());
    this.#state.endOfBody();
    return this.#state.drain();
  }

  #items(items: readonly NdjsonItem[]): void {
    const state = this.#state;
    for (const item of items) {
      if (state.ended) return;
      if (item.kind === 'oversized') {
        state.complain('oversized', 'a line of the stream is larger than this tool reads');
        continue;
      }
      const value = asObject(tryJson(item.text));
      if (value === undefined) state.complain('not-json', 'a line of the stream is not a JSON object');
      else readObject(value, this.#stamps, state);
    }
  }
}

function readObject(value: JsonObject, stamps: Stamps, state: StreamState): void {
  const error = errorInEvent(value);
  if (error === undefined) readLine(value, stamps, state);
  else state.error(error);
}

/** The server's stamps of the first token line and of the latest line. */
class Stamps {
  firstTokenMs: number | undefined;
  lastMs: number | undefined;
}

function readLine(value: JsonObject, stamps: Stamps, state: StreamState): void {
  state.model(value['model']);
  const stampMs = parseTimestamp(value['created_at']);
  stamps.lastMs = stampMs;
  if (readToken(value, state)) {
    if (stampMs !== undefined) {
      stamps.firstTokenMs ??= stampMs;
      state.out.push({ kind: 'serverStamp', wallMs: stampMs });
    }
  } else state.start();
  if (value['done'] !== true) return;
  state.finish(value['done_reason'] ?? 'done');
  state.usage({ prompt: asCount(value['prompt_eval_count']), output: asCount(value['eval_count']) });
  reportTimes(value, stamps, state);
  state.end();
}

function readToken(value: JsonObject, state: StreamState): boolean {
  const message = asObject(value['message']);
  const visibleBytes = utf8Bytes(message?.['content']) + utf8Bytes(value['response']);
  let hiddenBytes = utf8Bytes(message?.['thinking']) + utf8Bytes(value['thinking']);
  for (const call of asList(message?.['tool_calls'])) {
    hiddenBytes += utf8Bytes(asObject(asObject(call)?.['function'])?.['name']);
  }
  if (visibleBytes + hiddenBytes === 0) return false;
  state.token(visibleBytes > 0, visibleBytes + hiddenBytes);
  return true;
}

const NS_PER_MS = 1e6;

/**
 * `total_duration` runs from the arrival of the request to the last line. The first token came when that line was stamped
 * minus its distance to the first token's stamp, both by the same clock; without stamps, before the time spent decoding.
 */
function reportTimes(value: JsonObject, stamps: Stamps, state: StreamState): void {
  const totalNs = asDuration(value['total_duration']);
  if (totalNs === undefined) return;
  const total = server('ollama total_duration', 'total', totalNs / NS_PER_MS, 0.001);
  const { firstTokenMs, lastMs } = stamps;
  const evalNs = asDuration(value['eval_duration']);
  // One line for the whole answer has one stamp, and says nothing of its first token.
  const stamped = firstTokenMs !== undefined && lastMs !== undefined && state.tokenEvents > 1;
  const afterFirstMs = stamped ? lastMs - firstTokenMs : evalNs === undefined ? undefined : evalNs / NS_PER_MS;
  if (afterFirstMs === undefined || afterFirstMs < 0 || afterFirstMs > total.valueMs) {
    state.reported([total]);
    return;
  }
  const source = stamped ? 'ollama total_duration - created_at span' : 'ollama total_duration - eval_duration';
  state.reported([server(source, 'ttft', total.valueMs - afterFirstMs, 0.001), total]);
}

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since the epoch with the fraction that Date.parse would cut (RFC 3339, up to nanoseconds); undefined when it is none. */
export function parseTimestamp(value: unknown): number | undefined {
  const match = typeof value === 'string' && value.length <= 40 ? RFC3339.exec(value) : null;
  if (match === null) return undefined;
  const wholeMs = Date.parse(`${match[1]}${match[3]}`);
  return Number.isNaN(wholeMs) ? undefined : wholeMs + Number(`0${match[2] ?? ''}`) * 1_000;
}
