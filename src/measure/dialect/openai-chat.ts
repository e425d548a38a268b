import type { BuildInput, BuiltRequest, Dialect, DialectEvent, StreamParser } from './dialect.ts';
import { portOf } from '../url.ts';
import { BEARER, completed, hostIs, jsonRequest, pathOf } from './endpoint.ts';
import type { KeyHeader } from './endpoint.ts';
import { asCount, asList, asObject, utf8Bytes } from './guards.ts';
import type { JsonObject } from './guards.ts';
import { reportedFromBody } from './body-times.ts';
import { parseWholeBody, SseParser } from './sse-parser.ts';
import type { StreamState } from './stream-state.ts';

/**
 * OpenAI chat completions, and everything that calls itself compatible: vLLM, SGLang, llama.cpp, Dynamo, NIM, Azure, Groq,
 * OpenRouter, Mistral, DeepSeek, Cerebras, Fireworks, Together … The older `/v1/completions` is read too.
 */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  about: 'OpenAI chat completions and compatible servers (vLLM, SGLang, llama.cpp, Azure, Groq, OpenRouter …)',
  contentTypes: ['text/event-stream'],
  recognises,
  request,
  parser: (): StreamParser => new SseParser({ event: readChunk }),
  parseWhole: (body): DialectEvent[] => parseWholeBody(body, new SseParser({ event: readChunk }), readWhole),
};

const HOSTS = [
  'api.openai.com',
  'openai.azure.com',
  'api.groq.com',
  'openrouter.ai',
  'api.mistral.ai',
  'api.deepseek.com',
  'api.together.xyz',
  'api.fireworks.ai',
  'api.cerebras.ai',
  'integrate.api.nvidia.com',
];

function recognises(url: URL): number {
  const path = pathOf(url);
  if (path.endsWith('/chat/completions')) return 1;
  if (path.endsWith('/completions')) return 0.95;
  if (/\/openai(\/deployments\/[^/]+)?$/.test(path)) return 0.9;
  if (hostIs(url, ...HOSTS)) return 0.7;
  if (path.endsWith('/v1')) return 0.6;
  // vLLM and Dynamo, SGLang, llama.cpp, LM Studio, LiteLLM by their default ports.
  return [8_000, 30_000, 8_080, 1_234, 4_000].includes(portOf(url)) ? 0.4 : 0.3;
}

const OPERATION = '/chat/completions';

function request(input: BuildInput): BuiltRequest {
  const url = completed(input.url, '/v1', OPERATION, [
    [/\/v\d+(beta)?$/, OPERATION],
    [/\/openai$/, OPERATION],
    [/\/openai\/deployments\/[^/]+$/, OPERATION],
  ]);
  const openai = hostIs(url, 'api.openai.com');
  const azure = isAzure(url);
  const legacy = !pathOf(url).endsWith(OPERATION) && pathOf(url).endsWith('/completions');
  // Reasoning models of OpenAI refuse max_tokens, while older compatible servers do not know its successor.
  const limit = (openai || azure) && !legacy ? 'max_completion_tokens' : 'max_tokens';
  const body = {
    model: input.model,
    ...(legacy ? { prompt: input.prompt } : { messages: [{ role: 'user', content: input.prompt }] }),
    [limit]: input.maxTokens,
    stream: true,
    // The random padding of every event would only blur sizes; other servers may refuse the field.
    stream_options: openai ? { include_usage: true, include_obfuscation: false } : { include_usage: true },
    ...(hostIs(url, 'fireworks.ai') ? { perf_metrics_in_response: true } : {}),
    ...(/dynamo/i.test(url.hostname) ? { nvext: { extra_fields: ['timing'] } } : {}),
  };
  return jsonRequest(input, url, body, 'text/event-stream', azure ? AZURE_KEY : BEARER);
}

const AZURE_KEY: KeyHeader = { name: 'api-key', prefix: '' };

function isAzure(url: URL): boolean {
  return hostIs(url, 'openai.azure.com', 'cognitiveservices.azure.com', 'services.ai.azure.com');
}

function readChunk(value: JsonObject, _name: string, state: StreamState): void {
  state.model(value['model']);
  const choices = asList(value['choices']);
  let visibleBytes = 0;
  let hiddenBytes = 0;
  for (const item of choices) {
    const choice = asObject(item);
    if (choice === undefined) continue;
    const delta = asObject(choice['delta']);
    visibleBytes += utf8Bytes(choice['text']);
    if (delta === undefined) continue;
    visibleBytes += contentBytes(delta['content']) + utf8Bytes(delta['refusal']);
    hiddenBytes += reasoningBytes(delta) + toolBytes(delta);
  }
  if (visibleBytes + hiddenBytes > 0) {
    state.token(visibleBytes > 0, visibleBytes + hiddenBytes);
    if (state.tokenEvents === 1) state.firstTokenEventTokens = tokensIn(value, choices);
  } else state.start();
  for (const item of choices) state.finish(asObject(item)?.['finish_reason']);
  readUsage(value, state);
  state.reported(reportedFromBody(value));
}

/** Mistral sends content as a list of parts, of which `thinking` is not shown. */
function contentBytes(content: unknown): number {
  if (typeof content === 'string') return utf8Bytes(content);
  let bytes = 0;
  for (const part of asList(content)) {
    const piece = asObject(part);
    if (piece?.['type'] === 'text') bytes += utf8Bytes(piece['text']);
  }
  return bytes;
}

// SGLang, DeepSeek and older vLLM say reasoning_content, newer vLLM, Groq and OpenRouter reasoning; never add both.
function reasoningBytes(delta: JsonObject): number {
  let bytes = utf8Bytes(delta['reasoning_content']) || utf8Bytes(delta['reasoning']);
  for (const part of asList(delta['content'])) {
    for (const thought of asList(asObject(part)?.['thinking'])) bytes += utf8Bytes(asObject(thought)?.['text']);
  }
  return bytes;
}

function toolBytes(delta: JsonObject): number {
  let bytes = utf8Bytes(asObject(delta['function_call'])?.['arguments']);
  for (const call of asList(delta['tool_calls'])) {
    const fn = asObject(asObject(call)?.['function']);
    if (fn !== undefined) bytes += utf8Bytes(fn['arguments']) || utf8Bytes(fn['name']);
  }
  return bytes;
}

/** How many tokens the first delta carries: continuous usage (vLLM) or one log probability per token. */
function tokensIn(value: JsonObject, choices: readonly unknown[]): number | undefined {
  const counted = asCount(asObject(value['usage'])?.['completion_tokens']);
  if (counted !== undefined && counted > 0) return counted;
  const logprobs = asList(asObject(asObject(choices[0])?.['logprobs'])?.['content']).length;
  return logprobs > 0 ? logprobs : undefined;
}

function readUsage(value: JsonObject, state: StreamState): void {
  const usage = asObject(value['usage']) ?? asObject(asObject(value['x_groq'])?.['usage']);
  if (usage === undefined) return;
  state.usage({
    prompt: asCount(usage['prompt_tokens']),
    cachedPrompt:
      asCount(asObject(usage['prompt_tokens_details'])?.['cached_tokens']) ??
      asCount(usage['prompt_cache_hit_tokens']) ??
      asCount(usage['cached_tokens']),
    output: asCount(usage['completion_tokens']),
    reasoning: asCount(asObject(usage['completion_tokens_details'])?.['reasoning_tokens']),
  });
}

/** A whole answer has the same shape with `message` where the stream has `delta`. */
function readWhole(value: JsonObject, state: StreamState): void {
  const choices = asList(value['choices']).map((item) => {
    const choice = asObject(item);
    return choice === undefined ? item : { ...choice, delta: choice['message'] };
  });
  readChunk({ ...value, choices }, '', state);
}
