import type { BuildInput, BuiltRequest, Dialect, DialectEvent, StreamParser } from './dialect.ts';
import { portOf } from '../url.ts';
import { completed, jsonRequest, pathOf } from './endpoint.ts';
import { errorInEvent } from './errors.ts';
import { asCount, asDuration, asList, asObject, tryJson, utf8Bytes } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { NdjsonDecoder } from '../../wire/http/ndjson.ts';
import type { NdjsonItem } from '../../wire/http/ndjson.ts';
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

/** The server's stamps of the first and the latest token line, and of the latest line at all. */
class Stamps {
  firstTokenMs: number | undefined;
  lastTokenMs: number | undefined;
  lastMs: number | undefined;
}

function readLine(value: JsonObject, stamps: Stamps, state: StreamState): void {
  state.model(value['model']);
  const stampMs = parseTimestamp(value['created_at']);
  stamps.lastMs = stampMs;
  if (readToken(value, state)) {
    if (stampMs !== undefined) {
      stamps.firstTokenMs ??= stampMs;
      stamps.lastTokenMs = stampMs;
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
const FINEST_MS = 0.001;
/** Stamp and duration are taken some lines of code apart. */
const STAMP_SLACK_MS = 1;

/**
 * `total_duration` runs from the arrival of the request to the end of the answer; what came after the first token has to
 * be taken off. `eval_duration` says how much that was, and the stamps of the lines check it by the wall clock.
 */
function reportTimes(value: JsonObject, stamps: Stamps, state: StreamState): void {
  const totalNs = asDuration(value['total_duration']);
  if (totalNs === undefined) return;
  const total = server('ollama total_duration', 'total', totalNs / NS_PER_MS, FINEST_MS);
  const evalNs = asDuration(value['eval_duration']);
  const decoding = afterFirstToken(evalNs === undefined ? undefined : evalNs / NS_PER_MS, stamps, state.tokenEvents);
  const ttftMs = decoding === undefined ? -1 : total.valueMs - decoding.ms;
  if (decoding === undefined || ttftMs < 0) state.reported([total]);
  else state.reported([server(decoding.source, 'ttft', ttftMs, decoding.resolutionMs), total]);
}

interface Decoding {
  ms: number;
  resolutionMs: number;
  source: string;
}

/** Time from the first token to the end. Versions differ in what eval_duration leaves out: where the stamps contradict it, they count. */
function afterFirstToken(evalMs: number | undefined, stamps: Stamps, tokenEvents: number): Decoding | undefined {
  const byEval =
    evalMs === undefined
      ? undefined
      : { ms: evalMs, resolutionMs: FINEST_MS, source: 'ollama total_duration - eval_duration' };
  const { firstTokenMs, lastTokenMs, lastMs } = stamps;
  // One line for the whole answer has one stamp, and says nothing of its first token.
  if (tokenEvents < 2 || firstTokenMs === undefined || lastTokenMs === undefined || lastMs === undefined) return byEval;
  // The end is at the last token or at the last line: nobody promises which.
  const leastMs = lastTokenMs - firstTokenMs;
  const mostMs = lastMs - firstTokenMs;
  const agrees = evalMs !== undefined && evalMs >= leastMs - STAMP_SLACK_MS && evalMs <= mostMs + STAMP_SLACK_MS;
  if (agrees || leastMs < 0 || mostMs < leastMs) return byEval;
  return {
    ms: (leastMs + mostMs) / 2,
    resolutionMs: Math.max(FINEST_MS, mostMs - leastMs),
    source: 'ollama total_duration - created_at span',
  };
}

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since the epoch with the fraction that Date.parse would cut (RFC 3339, up to nanoseconds); undefined when it is none. */
export function parseTimestamp(value: unknown): number | undefined {
  const match = typeof value === 'string' && value.length <= 40 ? RFC3339.exec(value) : null;
  if (match === null) return undefined;
  const wholeMs = Date.parse(`${match[1]}${match[3]}`);
  return Number.isNaN(wholeMs) ? undefined : wholeMs + Number(`0${match[2] ?? ''}`) * 1_000;
}
