import type { BuildInput, BuiltRequest, Dialect, DialectEvent, StreamParser } from './dialect.ts';
import { completed, hostIs, jsonRequest, pathOf } from './endpoint.ts';
import { asCount, asList, asObject, utf8Bytes } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { reportedFromBody, reportedFromReflector } from './body-times.ts';
import { parseWholeBody, SseParser } from './sse-parser.ts';
import type { SseHandler } from './sse-parser.ts';
import type { StreamState } from './stream-state.ts';

/** Anthropic Messages: named events, pings, cumulative usage, space padding inside the JSON, unknown events to be ignored. */
export const anthropic: Dialect = {
  name: 'anthropic',
  about: 'Anthropic Messages and compatible gateways',
  contentTypes: ['text/event-stream'],
  recognises,
  request,
  parser: (): StreamParser => new SseParser(messages()),
  parseWhole: (body): DialectEvent[] => parseWholeBody(body, new SseParser(messages()), readWhole),
};

function recognises(url: URL): number {
  const path = pathOf(url);
  if (path.endsWith('/v1/messages')) return 1;
  if (/\/anthropic(\/v1)?$/.test(path)) return 0.95;
  return hostIs(url, 'api.anthropic.com') && !path.endsWith('/chat/completions') ? 0.9 : 0;
}

function request(input: BuildInput): BuiltRequest {
  const url = completed(input.url, '/v1', '/messages', [
    [/\/v1$/, '/messages'],
    [/\/anthropic$/, '/v1/messages'],
  ]);
  const body = {
    model: input.model,
    max_tokens: input.maxTokens,
    messages: [{ role: 'user', content: input.prompt }],
    stream: true,
  };
  const key = { name: 'x-api-key', prefix: '' };
  return jsonRequest(input, url, body, 'text/event-stream', key, { 'anthropic-version': '2023-06-01' });
}

/** One handler per stream: the input side of the usage arrives in parts. */
function messages(): SseHandler {
  const input = new InputTokens();
  return {
    event(value, name, state): void {
      switch (typeof value['type'] === 'string' ? value['type'] : name) {
        case 'message_start': {
          const message = asObject(value['message']);
          state.start();
          state.model(message?.['model']);
          readUsage(message?.['usage'], input, state);
          return;
        }
        case 'content_block_start':
          state.start();
          readDelta(asObject(value['content_block']), state);
          return;
        case 'content_block_delta':
          readDelta(asObject(value['delta']), state);
          return;
        case 'message_delta':
          readMessageDelta(value, input, state);
          return;
        case 'message_stop':
          state.end();
          return;
        case 'ping':
          state.keepAlive();
      }
    },
  };
}

// Signatures and citations are not tokens of the answer: they have none of these three fields.
function readDelta(delta: JsonObject | undefined, state: StreamState): void {
  if (delta === undefined) return;
  const visibleBytes = utf8Bytes(delta['text']);
  const hiddenBytes = utf8Bytes(delta['thinking']) + utf8Bytes(delta['partial_json']);
  if (visibleBytes + hiddenBytes > 0) state.token(visibleBytes > 0, visibleBytes + hiddenBytes);
}

function readMessageDelta(value: JsonObject, input: InputTokens, state: StreamState): void {
  const delta = asObject(value['delta']);
  state.finish(delta?.['stop_reason']);
  readUsage(value['usage'], input, state);
  const own = reportedFromReflector(value);
  state.reported(own.length > 0 ? own : delta === undefined ? [] : reportedFromReflector(delta));
}

/** Anthropic counts what came from and went to the cache apart from `input_tokens`; the prompt is the sum. */
class InputTokens {
  #fresh: number | undefined;
  #cached: number | undefined;
  #written: number | undefined;

  update(usage: JsonObject): { prompt?: number | undefined; cachedPrompt?: number | undefined } {
    this.#fresh = asCount(usage['input_tokens']) ?? this.#fresh;
    this.#cached = asCount(usage['cache_read_input_tokens']) ?? this.#cached;
    this.#written = asCount(usage['cache_creation_input_tokens']) ?? this.#written;
    if (this.#fresh === undefined) return {};
    return { prompt: this.#fresh + (this.#cached ?? 0) + (this.#written ?? 0), cachedPrompt: this.#cached };
  }
}

function readUsage(given: unknown, input: InputTokens, state: StreamState): void {
  const usage = asObject(given);
  if (usage !== undefined) state.usage({ ...input.update(usage), output: asCount(usage['output_tokens']) });
}

function readWhole(value: JsonObject, state: StreamState): void {
  state.model(value['model']);
  let visibleBytes = 0;
  let hiddenBytes = 0;
  for (const entry of asList(value['content'])) {
    const block = asObject(entry);
    if (block === undefined) continue;
    visibleBytes += utf8Bytes(block['text']);
    hiddenBytes += utf8Bytes(block['thinking']);
    if (block['type'] === 'tool_use') hiddenBytes += utf8Bytes(block['name']);
  }
  if (visibleBytes + hiddenBytes > 0) state.token(visibleBytes > 0, visibleBytes + hiddenBytes);
  state.finish(value['stop_reason']);
  readUsage(value['usage'], new InputTokens(), state);
  state.reported([...reportedFromReflector(value), ...reportedFromBody(value)]);
}
