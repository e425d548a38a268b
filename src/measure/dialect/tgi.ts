import type { BuildInput, BuiltRequest, Dialect, DialectEvent, StreamParser } from './dialect.ts';
import { completed, hostIs, jsonRequest, pathOf } from './endpoint.ts';
import { asCount, asObject, utf8Bytes } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { parseWholeBody, SseParser } from './sse-parser.ts';
import type { SseHandler } from './sse-parser.ts';
import type { StreamState } from './stream-state.ts';

/**
 * Text Generation Inference `/generate_stream`: one event per token, the last carries `generated_text`. Triton's generate
 * extension is read here too: it has the same shape of request path, `text_output` per event, and no end marker.
 */
export const tgi: Dialect = {
  name: 'tgi',
  about: 'Hugging Face Text Generation Inference /generate_stream, and Triton generate_stream',
  contentTypes: ['text/event-stream'],
  recognises,
  request,
  parser: (): StreamParser => new SseParser(tokens()),
  parseWhole: (body): DialectEvent[] => parseWholeBody(body, new SseParser(tokens()), readWhole),
};

const TRITON = /\/v2\/models\/[^/]+(\/versions\/[^/]+)?\/generate(_stream)?$/;

function recognises(url: URL): number {
  const path = pathOf(url);
  if (/\/generate(_stream)?$/.test(path) && !path.endsWith('/api/generate')) return 0.95;
  return path === '' && hostIs(url, 'endpoints.huggingface.cloud') ? 0.5 : 0;
}

function request(input: BuildInput): BuiltRequest {
  const url = completed(input.url, '', '/generate_stream', [
    [/\/v2\/models\/[^/]+(\/versions\/[^/]+)?$/, '/generate_stream'],
  ]);
  const body = TRITON.test(pathOf(url))
    ? { text_input: input.prompt, max_tokens: input.maxTokens, stream: true }
    : { inputs: input.prompt, parameters: { max_new_tokens: input.maxTokens, details: true } };
  return jsonRequest(input, url, body, 'text/event-stream');
}

/** One handler per stream: only a stream of Triton may end without a marker. */
function tokens(): SseHandler {
  let triton = false;
  return {
    event(value, _name, state): void {
      if (typeof value['text_output'] === 'string') {
        triton = true;
        readTriton(value, state);
      } else readTgi(value, state);
    },
    endsWithBody: () => triton,
  };
}

function readTriton(value: JsonObject, state: StreamState): void {
  state.model(value['model_name']);
  const bytes = utf8Bytes(value['text_output']);
  if (bytes > 0) state.token(true, bytes);
  else state.start();
}

function readTgi(value: JsonObject, state: StreamState): void {
  const token = asObject(value['token']);
  const bytes = utf8Bytes(token?.['text']);
  // A special token (end of text) was computed and counts, but nobody sees it. One event is one token.
  if (bytes > 0) {
    state.token(token?.['special'] !== true, bytes);
    if (state.tokenEvents === 1) state.firstTokenEventTokens = 1;
  } else state.start();
  const details = asObject(value['details']);
  if (details !== undefined) readDetails(details, state);
  if (typeof value['generated_text'] === 'string') state.end();
}

function readDetails(details: JsonObject, state: StreamState): void {
  state.finish(details['finish_reason']);
  state.usage({ prompt: asCount(details['input_length']), output: asCount(details['generated_tokens']) });
}

function readWhole(value: JsonObject, state: StreamState): void {
  state.model(value['model_name']);
  const bytes = utf8Bytes(value['generated_text']) + utf8Bytes(value['text_output']);
  if (bytes > 0) state.token(true, bytes);
  const details = asObject(value['details']);
  if (details !== undefined) readDetails(details, state);
}
