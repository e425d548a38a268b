import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorFromBody, errorInComment } from './errors.ts';

const encoder = new TextEncoder();

describe('errorFromBody()', () => {
  // prettier-ignore
  test.each<[string, string, { code?: string; message: string }]>([
    ['OpenAI', '{"error":{"message":"bad key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}', { code: 'invalid_api_key', message: 'bad key' }],
    ['OpenAI without a code', '{"error":{"message":"busy","type":"server_error","code":null}}', { code: 'server_error', message: 'busy' }],
    ['Anthropic', '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', { code: 'overloaded_error', message: 'Overloaded' }],
    ['Gemini', '{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}', { code: 'RESOURCE_EXHAUSTED', message: 'Quota' }],
    ['Gemini in a list', '[{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT"}}]', { code: 'INVALID_ARGUMENT', message: 'Bad' }],
    ['older vLLM', '{"object":"error","message":"no model","type":"NotFoundError","code":404}', { code: 'NotFoundError', message: 'no model' }],
    ['Ollama', '{"error":"model \'x\' not found"}', { message: "model 'x' not found" }],
    ['TGI', '{"error":"Model is overloaded","error_type":"overloaded"}', { code: 'overloaded', message: 'Model is overloaded' }],
    ['FastAPI text', '{"detail":"Not Found"}', { message: 'Not Found' }],
    ['FastAPI validation', '{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"missing"}]}', { code: 'missing', message: 'body.messages.0: field required' }],
    ['AWS', '{"__type":"ThrottlingException","message":"Too many"}', { code: 'ThrottlingException', message: 'Too many' }],
    ['OpenRouter with a number', '{"error":{"code":402,"message":"credits"}}', { code: '402', message: 'credits' }],
    ['an error as SSE', 'data: {"error":{"message":"late","code":"x"}}\n\ndata: [DONE]\n\n', { code: 'x', message: 'late' }],
    ['a page for people', '<html><head><title>502 Bad Gateway</title></head></html>', { message: '502 Bad Gateway' }],
    ['plain text', 'upstream connect error', { message: 'upstream connect error' }],
    ['nothing', '', { message: 'HTTP 502 with an empty body' }],
    ['JSON that names no error', '{"ok":false}', { message: 'HTTP 502 with a JSON body that names no error' }],
    ['an error without words', '{"error":{}}', { message: 'error without a message' }],
  ])('%s', (_name, body, expected) => {
    expect(errorFromBody(502, encoder.encode(body))).toEqual(expected);
  });

  test('never throws and never gives more than 1,000 characters', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => encoder.encode(`{"error":${text}}`)),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        const error = errorFromBody(500, bytes);
        expect(error.message.length).toBeGreaterThan(0);
        expect(error.message.length).toBeLessThanOrEqual(1_000);
      }),
    );
    expect(errorFromBody(500, new Uint8Array(5_000_000).fill(0x3c)).message.length).toBeLessThanOrEqual(1_000);
  });
});

test.each([
  ['408: 408 Request Timeout', { code: '408', message: '408 Request Timeout' }],
  ['503:', { code: '503', message: 'status 503' }],
  ['error: upstream closed', { message: 'upstream closed' }],
  ['OPENROUTER PROCESSING', undefined],
  ['500 tokens so far', undefined],
  ['2026: a year', undefined],
  ['hi', undefined],
  ['', undefined],
])('errorInComment() of "%s"', (text, expected) => {
  expect(errorInComment(text)).toEqual(expected);
});
