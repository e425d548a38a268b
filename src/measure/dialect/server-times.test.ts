import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportedFromBody } from './body-times.ts';
import { rateLimitHeaders, reportedFromHeaders, requestIdFrom, terminatorHints } from './server-times.ts';
import type { ResponseHeaders } from './server-times.ts';

/** `source covers by value±resolution`, with `>=` for a floor. */
const brief = (headers: ResponseHeaders): string[] =>
  reportedFromHeaders(headers).map(
    (r) => `${r.source} ${r.covers} ${r.by} ${Number(r.valueMs.toFixed(6))}±${r.resolutionMs}`,
  );

describe('reportedFromHeaders() reads', () => {
  // prettier-ignore
  test.each<[string, ResponseHeaders, string[]]>([
    ['OpenAI: only until headers', { 'openai-processing-ms': '331' }, ['openai-processing-ms headers server 331±1']],
    ['Envoy: a front proxy', { 'x-envoy-upstream-service-time': '12' }, ['x-envoy-upstream-service-time headers front-proxy 12±1']],
    ['Kong: both of its times', { 'x-kong-upstream-latency': '90', 'x-kong-proxy-latency': '3' }, ['x-kong-upstream-latency + x-kong-proxy-latency headers front-proxy 93±1']],
    ['Kong: its own share alone is no interval', { 'x-kong-proxy-latency': '3' }, []],
    ['Google front end', { 'server-timing': 'gfet4t7; dur=11009' }, ['server-timing gfet4t7 headers front-proxy 11009±1']],
    ['CloudFront, among others, in two headers', { 'server-timing': ['db;dur=5', 'cdn-cache;desc="A, B;dur=1", cdn-upstream-fbl;dur=20.5'] }, ['server-timing cdn-upstream-fbl headers front-proxy 20.5±0.001']],
    ['Bedrock', { 'x-amzn-bedrock-invocation-latency': '845' }, ['x-amzn-bedrock-invocation-latency total server 845±1']],
    ['TGI: the exact one of its two totals', { 'x-compute-time': '0.25', 'x-total-time': '251' }, ['x-total-time total server 251±1']],
    ['TGI: seconds', { 'x-compute-time': '0.2503481' }, ['x-compute-time total server 250.3481±0.001']],
    ['TGI: milliseconds', { 'x-compute-time': '250' }, ['x-compute-time total server 250±1']],
    ['Fireworks in seconds, by the digits written', { 'fireworks-server-time-to-first-token': '0.250', 'fireworks-server-processing-time': '1.5' }, ['fireworks-server-time-to-first-token ttft server 250±1', 'fireworks-server-processing-time total server 1500±100']],
    ['LiteLLM', { 'x-litellm-response-duration-ms': '41.25', 'x-litellm-overhead-duration-ms': '2' }, ['x-litellm-response-duration-ms headers front-proxy 41.25±0.001']],
    ['Azure', { 'cmp-upstream-response-duration': '77' }, ['cmp-upstream-response-duration headers front-proxy 77±1']],
    ['nothing from nonsense', { 'openai-processing-ms': '-3', 'x-envoy-upstream-service-time': '1e9', 'x-total-time': 'NaN', 'server-timing': 'gfet4t7;dur=x' }, []],
  ])('%s', (_name, headers, expected) => {
    expect(brief(headers)).toEqual(expected);
  });

  test('any header text without throwing, and only finite values', () => {
    const names = fc.constantFrom(
      'server-timing',
      'openai-processing-ms',
      'x-compute-time',
      'cf-ray',
      'retry-after',
      'x-request-id',
      'via',
    );
    const value = fc.oneof(
      fc.string(),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.stringMatching(/^[a-z0-9;=",. ]{0,40}$/),
    );
    fc.assert(
      fc.property(fc.dictionary(names, value), (headers) => {
        for (const item of reportedFromHeaders(headers)) expect(item.valueMs).toBeGreaterThanOrEqual(0);
        expect(terminatorHints(headers).every((hint) => hint.length < 300)).toBe(true);
        expect(requestIdFrom(headers)?.length ?? 1).toBeGreaterThan(0);
        expect(Object.values(rateLimitHeaders(headers)).every((text) => text.length <= 200)).toBe(true);
      }),
    );
  });
});

describe('reportedFromBody() reads', () => {
  // prettier-ignore
  test.each<[string, Record<string, unknown>, string[]]>([
    ['vLLM with its queue', { metrics: { time_to_first_token_ms: 80, queue_time_ms: 20, generation_time_ms: 300 } }, ['vllm metrics ttft 100±1', 'vllm metrics total 400±1']],
    ['vLLM without a generation time', { metrics: { time_to_first_token_ms: 80.5 } }, ['vllm metrics ttft 80.5±0.001']],
    ['Dynamo', { nvext: { timing: { ttft_ms: 82.4, total_time_ms: 1000 } } }, ['dynamo nvext.timing ttft 82.4±0.001', 'dynamo nvext.timing total 1000±0.001']],
    ['NIM, unsure about its queue', { stats: { generation_time_in_ms: 800.5, time_in_queue_in_ms: 10, response_tokens: { time_to_first_token_in_ms: 110 } } }, ['nim stats ttft 120±10', 'nim stats total 810.5±10']],
    ['LM Studio: a floor in seconds', { stats: { time_to_first_token: 0.111 } }, ['lm-studio stats ttft >=111±1']],
    ['llama.cpp: floors', { timings: { prompt_ms: 5.25, predicted_ms: 10 } }, ['llama.cpp timings ttft >=5.25±0.001', 'llama.cpp timings total >=15.25±0.001']],
    ['Cerebras: total with the queue', { time_info: { queue_time: 0.5, prompt_time: 0.25, completion_time: 0.25, total_time: 1.125 } }, ['cerebras time_info ttft 750±1', 'cerebras time_info total 1125±1']],
    ['Groq in the usage of a whole answer', { usage: { queue_time: 0.5, prompt_time: 0.25, completion_time: 0.25, total_time: 0.5 } }, ['groq usage ttft 750±10', 'groq usage total 1000±10']],
    ['times without a queue: floors', { time_info: { prompt_time: 0.25 } }, ['cerebras time_info ttft >=250±10']],
    ['Fireworks, as number or text', { perf_metrics: { 'server-time-to-first-token': 0.125, 'server-processing-time': '1.5' } }, ['fireworks perf_metrics ttft 125±1', 'fireworks perf_metrics total 1500±100']],
    ['nothing from nonsense', { metrics: { time_to_first_token_ms: -1 }, timings: [], stats: 'x', nvext: null, time_info: { prompt_time: 1e300 }, perf_metrics: { 'server-processing-time': {} } }, []],
  ])('%s', (_name, body, expected) => {
    const read = reportedFromBody(body).map((r) => `${r.source} ${r.covers} ${r.floor === true ? '>=' : ''}${r.valueMs}±${r.resolutionMs}`);
    expect(read).toEqual(expected);
  });
});

test('terminatorHints() names who ends the connection', () => {
  expect(
    terminatorHints({
      server: 'cloudflare',
      via: ['1.1 google', '1.1 other'],
      'cf-ray': '8a1b2c3d4e5f6789-FRA',
      'x-envoy-upstream-service-time': '5',
      'server-timing': 'cfL4;desc="?proto=TCP&rtt=1412&min_rtt=1387&lost=0"',
      date: 'today',
    }),
  ).toEqual([
    'server: cloudflare',
    'via: 1.1 google',
    'cf-ray: Cloudflare FRA',
    'x-envoy-upstream-service-time: Envoy',
    'server-timing cfL4: the edge measured rtt 1.412 ms on this connection',
  ]);
  expect(terminatorHints({})).toEqual([]);
});

test('rateLimitHeaders() keeps values as sent and nothing else', () => {
  const headers = {
    'x-ratelimit-remaining-tokens': '-1',
    'x-ratelimit-reset-requests': '12ms',
    'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:00Z',
    'retry-after': '7',
    'retry-after-ms': '6500',
    'x-request-id': 'r',
    __proto__: 'x',
  };
  expect(rateLimitHeaders(headers)).toEqual({
    'x-ratelimit-remaining-tokens': '-1',
    'x-ratelimit-reset-requests': '12ms',
    'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:00Z',
    'retry-after': '7',
    'retry-after-ms': '6500',
  });
});

test('requestIdFrom() prefers the id of the API over that of the gateway', () => {
  expect(requestIdFrom({ 'cf-ray': 'ray', 'request-id': 'req_1' })).toBe('req_1');
  expect(requestIdFrom({ 'cf-ray': 'ray' })).toBe('ray');
  expect(requestIdFrom({ 'x-request-id': ' ' })).toBe(null);
});
