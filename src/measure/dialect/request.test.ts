import { describe, expect, test } from 'vitest';
import type { DialectName } from '../../model/inference.ts';
import type { BuildInput, BuiltRequest } from './dialect.ts';
import { dialectByName, dialects, guessDialect } from './index.ts';

function build(name: DialectName, url: string, more: Partial<BuildInput> = {}): BuiltRequest {
  const input: BuildInput = {
    url: new URL(url),
    model: 'm',
    prompt: 'p',
    maxTokens: 9,
    apiKey: 'k',
    authHeader: undefined,
    stream: true,
    ...more,
  };
  return dialectByName(name).request(input);
}

describe('request() completes', () => {
  // prettier-ignore
  test.each<[DialectName, string, string]>([
    ['openai-chat', 'http://h:8000', 'http://h:8000/v1/chat/completions'],
    ['openai-chat', 'http://h/v1/', 'http://h/v1/chat/completions'],
    ['openai-chat', 'https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1/chat/completions'],
    ['openai-chat', 'https://r.openai.azure.com/openai/deployments/d?api-version=1', 'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1'],
    ['openai-chat', 'https://generativelanguage.googleapis.com/v1beta/openai/', 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions'],
    ['openai-chat', 'http://h/v1/completions', 'http://h/v1/completions'],
    ['openai-chat', 'http://h/my/own/path?x=1', 'http://h/my/own/path?x=1'],
    ['openai-responses', 'https://api.openai.com/v1', 'https://api.openai.com/v1/responses'],
    ['anthropic', 'https://api.anthropic.com', 'https://api.anthropic.com/v1/messages'],
    ['anthropic', 'https://h/anthropic', 'https://h/anthropic/v1/messages'],
    ['ollama', 'http://[::1]:11434/', 'http://[::1]:11434/api/chat'],
    ['ollama', 'http://h/api/generate', 'http://h/api/generate'],
    ['tgi', 'http://h', 'http://h/generate_stream'],
    ['tgi', 'http://h/v2/models/t', 'http://h/v2/models/t/generate_stream'],
    ['gemini', 'https://h', 'https://h/v1beta/models/m:streamGenerateContent?alt=sse'],
    ['gemini', 'https://h/v1beta/models/g2', 'https://h/v1beta/models/g2:streamGenerateContent?alt=sse'],
    ['gemini', 'https://h/v1/models/g2:streamGenerateContent', 'https://h/v1/models/g2:streamGenerateContent'],
  ])('%s %s', (name, given, expected) => {
    const url = new URL(given);
    expect(build(name, given, { url }).url.href).toBe(expected);
    expect(url.href).toBe(new URL(given).href);
  });
});

describe('request() asks for', () => {
  // prettier-ignore
  test.each<[DialectName, string, object]>([
    ['openai-chat', 'http://h', { model: 'm', messages: [{ role: 'user', content: 'p' }], max_tokens: 9, stream: true, stream_options: { include_usage: true } }],
    ['openai-chat', 'https://api.openai.com', { model: 'm', messages: [{ role: 'user', content: 'p' }], max_completion_tokens: 9, stream: true, stream_options: { include_usage: true, include_obfuscation: false } }],
    ['openai-chat', 'http://h/v1/completions', { model: 'm', prompt: 'p', max_tokens: 9, stream: true, stream_options: { include_usage: true } }],
    ['openai-chat', 'https://api.fireworks.ai/inference/v1', { model: 'm', messages: [{ role: 'user', content: 'p' }], max_tokens: 9, stream: true, stream_options: { include_usage: true }, perf_metrics_in_response: true }],
    ['openai-chat', 'http://dynamo-frontend:8000', { model: 'm', messages: [{ role: 'user', content: 'p' }], max_tokens: 9, stream: true, stream_options: { include_usage: true }, nvext: { extra_fields: ['timing'] } }],
    ['openai-responses', 'http://h', { model: 'm', input: 'p', max_output_tokens: 9, stream: true }],
    ['anthropic', 'http://h', { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'p' }], stream: true }],
    ['ollama', 'http://h', { model: 'm', messages: [{ role: 'user', content: 'p' }], stream: true, options: { num_predict: 9 } }],
    ['ollama', 'http://h/api/generate', { model: 'm', prompt: 'p', stream: true, options: { num_predict: 9 } }],
    ['tgi', 'http://h', { inputs: 'p', parameters: { max_new_tokens: 9, details: true } }],
    ['tgi', 'http://h/v2/models/t/generate_stream', { text_input: 'p', max_tokens: 9, stream: true }],
    ['gemini', 'http://h', { contents: [{ role: 'user', parts: [{ text: 'p' }] }], generationConfig: { maxOutputTokens: 9 } }],
  ])('%s %s', (name, url, body) => {
    expect(JSON.parse(build(name, url).body)).toEqual(body);
  });

  test('no model when none is known', () => {
    expect(JSON.parse(build('openai-chat', 'http://h', { model: undefined }).body)).not.toHaveProperty('model');
  });
});

describe('request() sends the key', () => {
  // prettier-ignore
  test.each<[DialectName, string, Partial<BuildInput>, Record<string, string>]>([
    ['openai-chat', 'http://h', {}, { authorization: 'Bearer k' }],
    ['openai-chat', 'http://h', { apiKey: 'Basic abc' }, { authorization: 'Basic abc' }],
    ['openai-chat', 'http://h', { apiKey: 'k\n' }, { authorization: 'Bearer k' }],
    ['openai-chat', 'http://h', { authHeader: 'X-Token' }, { 'x-token': 'k' }],
    ['openai-chat', 'https://r.openai.azure.com/openai/deployments/d', {}, { 'api-key': 'k' }],
    ['anthropic', 'http://h', {}, { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' }],
    ['anthropic', 'http://h', { authHeader: 'Authorization' }, { authorization: 'Bearer k', 'anthropic-version': '2023-06-01' }],
    ['gemini', 'http://h', {}, { 'x-goog-api-key': 'k' }],
    ['ollama', 'http://h', { apiKey: undefined }, {}],
  ])('%s %s %o', (name, url, more, expected) => {
    const { headers } = build(name, url, more);
    const common = { 'content-type': 'application/json', accept: name === 'ollama' ? 'application/x-ndjson' : 'text/event-stream', 'accept-encoding': 'identity' };
    expect(headers).toEqual({ ...common, ...expected });
  });
});

describe('guessDialect()', () => {
  test.each<[string, string | undefined, DialectName]>([
    ['http://127.0.0.1:7041', undefined, 'openai-chat'],
    ['http://127.0.0.1:7041', 'application/x-ndjson; charset=utf-8', 'ollama'],
    ['http://127.0.0.1:7041', 'application/json', 'openai-chat'],
    ['http://h:11434', undefined, 'ollama'],
    ['http://h:11434/v1', undefined, 'openai-chat'],
    ['http://h:11434/v1/chat/completions', undefined, 'openai-chat'],
    ['https://api.anthropic.com', undefined, 'anthropic'],
    ['https://h/v1/messages', undefined, 'anthropic'],
    ['https://h/v1/responses', undefined, 'openai-responses'],
    ['https://h/generate_stream', undefined, 'tgi'],
    ['https://h/api/generate', undefined, 'ollama'],
    ['https://h/v2/models/x/generate_stream', undefined, 'tgi'],
    ['https://generativelanguage.googleapis.com', undefined, 'gemini'],
    ['https://generativelanguage.googleapis.com/v1beta/openai', undefined, 'openai-chat'],
    ['https://eu-aiplatform.googleapis.com.evil.test', undefined, 'openai-chat'],
  ])('%s (%s) is %s', (url, contentType, expected) => {
    expect(guessDialect(new URL(url), contentType).name).toBe(expected);
  });

  test('every dialect recognises the URL that it completes itself', () => {
    for (const dialect of dialects) {
      expect(guessDialect(build(dialect.name, 'http://h').url).name).toBe(dialect.name);
    }
  });
});
