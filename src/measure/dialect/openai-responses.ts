import type { BuildInput, BuiltRequest, Dialect, DialectEvent, StreamParser } from './dialect.ts';
import { BEARER, completed, hostIs, jsonRequest, pathOf } from './endpoint.ts';
import { errorInEvent } from './errors.ts';
import { asCount, asList, asObject, asText, utf8Bytes } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { reportedFromBody } from './body-times.ts';
import { parseWholeBody, SseParser } from './sse-parser.ts';
import type { StreamState } from './stream-state.ts';

/** OpenAI Responses: named events, no `[DONE]`; one of the terminal events ends the stream and repeats the whole answer. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  about: 'OpenAI Responses API',
  contentTypes: ['text/event-stream'],
  recognises: (url) => (pathOf(url).endsWith('/responses') ? 1 : 0),
  request,
  parser: (): StreamParser => new SseParser({ event: readEvent }),
  parseWhole: (body): DialectEvent[] => parseWholeBody(body, new SseParser({ event: readEvent }), readWhole),
};

const OPERATION = '/responses';

function request(input: BuildInput): BuiltRequest {
  const url = completed(input.url, '/v1', OPERATION, [
    [/\/v\d+(beta)?$/, OPERATION],
    [/\/openai$/, OPERATION],
  ]);
  const body = {
    model: input.model,
    input: input.prompt,
    max_output_tokens: input.maxTokens,
    stream: true,
    ...(hostIs(url, 'api.openai.com') ? { store: false, stream_options: { include_obfuscation: false } } : {}),
  };
  const azure = hostIs(url, 'openai.azure.com', 'cognitiveservices.azure.com', 'services.ai.azure.com');
  return jsonRequest(input, url, body, 'text/event-stream', azure ? { name: 'api-key', prefix: '' } : BEARER);
}

const VISIBLE_DELTAS = new Set(['response.output_text.delta', 'response.refusal.delta']);
const TERMINAL = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled']);

function readEvent(value: JsonObject, name: string, state: StreamState): void {
  const type = typeof value['type'] === 'string' ? value['type'] : name;
  if (TERMINAL.has(type)) {
    readTerminal(asObject(value['response']) ?? {}, type, state);
    return;
  }
  const deltaBytes = type.endsWith('.delta') ? utf8Bytes(value['delta']) : 0;
  if (deltaBytes > 0) {
    state.token(VISIBLE_DELTAS.has(type), deltaBytes);
    const logprobs = state.tokenEvents === 1 ? asList(value['logprobs']).length : 0;
    if (logprobs > 0) state.firstTokenEventTokens = logprobs;
    return;
  }
  state.start();
  state.model(asObject(value['response'])?.['model']);
}

function readTerminal(response: JsonObject, type: string, state: StreamState): void {
  readSummary(response, state);
  const reason = asText(asObject(response['incomplete_details'])?.['reason']);
  state.finish(reason ?? type.slice('response.'.length));
  if (type === 'response.failed') {
    state.error(errorInEvent(response) ?? { message: 'the response failed without saying why' });
  }
  state.end();
}

function readSummary(response: JsonObject, state: StreamState): void {
  state.model(response['model']);
  const usage = asObject(response['usage']);
  if (usage !== undefined) {
    state.usage({
      prompt: asCount(usage['input_tokens']),
      cachedPrompt: asCount(asObject(usage['input_tokens_details'])?.['cached_tokens']),
      output: asCount(usage['output_tokens']),
      reasoning: asCount(asObject(usage['output_tokens_details'])?.['reasoning_tokens']),
    });
  }
  state.reported(reportedFromBody(response));
}

function readWhole(value: JsonObject, state: StreamState): void {
  let visibleBytes = 0;
  let hiddenBytes = 0;
  for (const entry of asList(value['output'])) {
    const item = asObject(entry);
    if (item === undefined) continue;
    hiddenBytes += utf8Bytes(item['arguments']);
    for (const part of [...asList(item['content']), ...asList(item['summary'])]) {
      const piece = asObject(part);
      const bytes = utf8Bytes(piece?.['text']) + utf8Bytes(piece?.['refusal']);
      if (item['type'] === 'message') visibleBytes += bytes;
      else hiddenBytes += bytes;
    }
  }
  if (visibleBytes + hiddenBytes > 0) state.token(visibleBytes > 0, visibleBytes + hiddenBytes);
  readTerminal(value, value['status'] === 'failed' ? 'response.failed' : 'response.completed', state);
}
