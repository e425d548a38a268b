import type { DialectName } from '../../model/inference.ts';
import type { DialectEvent } from './dialect.ts';

/** Short streams with invented content, one per trap of each wire format, and the events they must give. */
export interface StreamCase {
  name: string;
  dialect: DialectName;
  body: string;
  events: DialectEvent[];
  firstTokenEventTokens?: number;
}

const token = (text: string, visible = true): DialectEvent => ({
  kind: 'token',
  visible,
  textBytes: Buffer.byteLength(text),
});
const start: DialectEvent = { kind: 'start' };
const end: DialectEvent = { kind: 'end' };
const keepAlive: DialectEvent = { kind: 'keepAlive' };
const model = (name: string): DialectEvent => ({ kind: 'model', model: name });
const finish = (reason: string): DialectEvent => ({ kind: 'finish', reason });
const truncated = (tokenEvents: number): DialectEvent => ({
  kind: 'error',
  code: 'truncated',
  message: `the body ended after ${tokenEvents} token events without the end marker of the stream`,
});
const reported = (
  source: string,
  covers: 'ttft' | 'total',
  valueMs: number,
  resolutionMs: number,
  floor?: true,
): DialectEvent => ({
  kind: 'reported',
  reported: { source, covers, by: 'server', valueMs, resolutionMs, ...(floor === undefined ? {} : { floor }) },
});

/** SSE text of events without a name. */
const sse = (...events: readonly (object | string)[]): string =>
  events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
/** SSE text of events whose name is their `type`. */
const named = (...events: ReadonlyArray<{ type: string }>): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
const delta = (fields: object, more: object = {}): object => ({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: fields, finish_reason: null, ...more }],
});

export const STREAMS: readonly StreamCase[] = [
  {
    name: 'chat with role chunk, usage chunk and [DONE]',
    dialect: 'openai-chat',
    body: sse(
      { model: 'm1', ...delta({ role: 'assistant', content: '' }), usage: null, obfuscation: 'x9' },
      { model: 'm1', ...delta({ content: 'Grüße' }), usage: null, obfuscation: 'x9abc' },
      { model: 'm1', ...delta({ content: ' 🙂' }), usage: null },
      { model: 'm1', ...delta({}, { finish_reason: 'stop' }), usage: null },
      {
        model: 'm1',
        choices: [],
        usage: {
          prompt_tokens: 9,
          completion_tokens: 4,
          prompt_tokens_details: { cached_tokens: 8 },
          completion_tokens_details: { reasoning_tokens: 1 },
        },
      },
      '[DONE]',
    ),
    events: [
      model('m1'),
      start,
      token('Grüße'),
      token(' 🙂'),
      finish('stop'),
      { kind: 'usage', prompt: 9, cachedPrompt: 8, output: 4, reasoning: 1 },
      end,
    ],
  },
  {
    name: 'vLLM with reasoning, ping comments, tool call, continuous usage and metrics',
    dialect: 'openai-chat',
    body:
      ': ping\n\n' +
      sse(
        { ...delta({ reasoning_content: 'hm' }), usage: { prompt_tokens: 5, completion_tokens: 2 } },
        delta({ reasoning: 'so' }),
        delta({ tool_calls: [{ index: 0, function: { name: 'look', arguments: '' } }] }),
        delta({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }),
        {
          ...delta({}, { finish_reason: 'tool_calls' }),
          metrics: { time_to_first_token_ms: 80.5, generation_time_ms: 100, queue_time_ms: 20 },
        },
        '[DONE]',
      ),
    events: [
      keepAlive,
      token('hm', false),
      { kind: 'usage', prompt: 5, output: 2 },
      token('so', false),
      token('look', false),
      token('{"a":1}', false),
      finish('tool_calls'),
      reported('vllm metrics', 'ttft', 100.5, 0.001),
      reported('vllm metrics', 'total', 200.5, 0.001),
      end,
    ],
    firstTokenEventTokens: 2,
  },
  {
    name: 'an error under 200, then [DONE]',
    dialect: 'openai-chat',
    body: sse(delta({ content: 'a' }), { error: { message: 'engine died', type: 'internal', code: 500 } }, '[DONE]'),
    events: [token('a'), { kind: 'error', code: 'internal', message: 'engine died' }, end],
  },
  {
    name: 'an error under 200 and nothing after it is not truncated too',
    dialect: 'openai-chat',
    body: sse(delta({ content: 'a' }), { error: { code: 502, message: 'upstream' } }),
    events: [token('a'), { kind: 'error', code: '502', message: 'upstream' }],
  },
  {
    name: 'an error in a comment after keep-alive comments',
    dialect: 'openai-chat',
    body: `: OPENROUTER PROCESSING\n\n: hi\n\n${sse(delta({ content: 'a' }))}:408: 408 Request Timeout\n\n`,
    events: [keepAlive, keepAlive, token('a'), { kind: 'error', code: '408', message: '408 Request Timeout' }],
  },
  {
    name: 'cut before [DONE]',
    dialect: 'openai-chat',
    body: sse(delta({ content: 'a' }), delta({ content: 'b' })),
    events: [token('a'), token('b'), truncated(2)],
  },
  {
    name: 'an unterminated [DONE] and no space after the colon',
    dialect: 'openai-chat',
    body: `data:${JSON.stringify(delta({ content: 'a' }))}\r\n\r\ndata:[DONE]`,
    events: [token('a'), end],
  },
  {
    name: 'Azure with a prompt filter chunk first',
    dialect: 'openai-chat',
    body: sse(
      { choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
      delta({ role: 'assistant', content: '' }),
      { ...delta({ content: 'a' }, { content_filter_results: { hate: { filtered: false } } }) },
      '[DONE]',
    ),
    events: [start, token('a'), end],
  },
  {
    name: 'Groq times in seconds, the queue apart from the total',
    dialect: 'openai-chat',
    body: sse(
      { ...delta({ role: 'assistant', content: '' }), x_groq: { id: 'r' } },
      delta({ content: 'a' }),
      {
        ...delta({}, { finish_reason: 'stop' }),
        x_groq: {
          usage: {
            prompt_tokens: 3,
            completion_tokens: 1,
            queue_time: 0.25,
            prompt_time: 0.125,
            completion_time: 0.5,
            total_time: 0.625,
          },
        },
      },
      '[DONE]',
    ),
    events: [
      start,
      token('a'),
      finish('stop'),
      { kind: 'usage', prompt: 3, output: 1 },
      reported('groq usage', 'ttft', 375, 1),
      reported('groq usage', 'total', 875, 1),
      end,
    ],
  },
  {
    name: 'llama.cpp timings in every chunk are reported once, as a floor',
    dialect: 'openai-chat',
    body: sse(
      { ...delta({ content: 'a' }), timings: { prompt_ms: 10.5, predicted_ms: 1 } },
      { ...delta({ content: 'b' }, { finish_reason: 'length' }), timings: { prompt_ms: 10.5, predicted_ms: 30 } },
      '[DONE]',
    ),
    events: [
      token('a'),
      token('b'),
      finish('length'),
      reported('llama.cpp timings', 'ttft', 10.5, 0.001, true),
      reported('llama.cpp timings', 'total', 40.5, 0.001, true),
      end,
    ],
  },
  {
    name: 'wrong types are ignored, not trusted',
    dialect: 'openai-chat',
    body:
      sse(
        { model: 7, choices: 'none', usage: { prompt_tokens: -1, completion_tokens: 1.5 } },
        { choices: [null, 3, { delta: { content: 5, tool_calls: {} } }], metrics: { time_to_first_token_ms: 'fast' } },
        delta({ content: 'a' }),
        { ...delta({ content: 'b' }), usage: { prompt_tokens: 3, completion_tokens: '9' } },
      ) +
      'data: {"__proto__":{"usage":{"prompt_tokens":1}},"usage":{"prompt_tokens":1e999}}\n\n' +
      sse('[DONE]'),
    events: [start, token('a'), token('b'), { kind: 'usage', prompt: 3 }, end],
  },
  {
    name: 'garbage is complained of once and the rest still read',
    dialect: 'openai-chat',
    body: `data: {oops\n\ndata: [1]\n\n${sse(delta({ content: 'a' }), '[DONE]')}`,
    events: [
      { kind: 'error', code: 'not-json', message: 'an event of the stream is not a JSON object' },
      token('a'),
      end,
    ],
  },
  {
    name: 'Responses: reasoning, text, completed',
    dialect: 'openai-responses',
    body: named(
      { type: 'response.created', response: { model: 'm2', error: null } } as { type: string },
      { type: 'response.in_progress' },
      { type: 'response.reasoning_summary_text.delta', delta: 'think' } as { type: string },
      { type: 'response.output_text.delta', delta: 'Hi', logprobs: [], obfuscation: 'zz' } as { type: string },
      { type: 'response.output_text.done', text: 'Hi' } as { type: string },
      {
        type: 'response.completed',
        response: {
          model: 'm2',
          usage: {
            input_tokens: 5,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: 7,
            output_tokens_details: { reasoning_tokens: 6 },
          },
        },
      } as { type: string },
    ),
    events: [
      start,
      model('m2'),
      token('think', false),
      token('Hi'),
      { kind: 'usage', prompt: 5, cachedPrompt: 0, output: 7, reasoning: 6 },
      finish('completed'),
      end,
    ],
  },
  {
    name: 'Responses: failed',
    dialect: 'openai-responses',
    body: named(
      { type: 'response.output_text.delta', delta: 'Hi' } as { type: string },
      { type: 'response.failed', response: { error: { code: 'server_error', message: 'no' } } } as { type: string },
    ),
    events: [token('Hi'), finish('failed'), { kind: 'error', code: 'server_error', message: 'no' }, end],
  },
  {
    name: 'Responses: error event',
    dialect: 'openai-responses',
    body: named({ type: 'error', code: 'rate', message: 'slow down', param: null } as { type: string }),
    events: [{ kind: 'error', code: 'rate', message: 'slow down' }],
  },
  {
    name: 'Anthropic with ping, thinking, padding, cache counts and reflector times',
    dialect: 'anthropic',
    body:
      named({
        type: 'message_start',
        message: {
          model: 'c1',
          usage: { input_tokens: 4, cache_read_input_tokens: 10, cache_creation_input_tokens: 1, output_tokens: 1 },
        },
      } as { type: string }) +
      'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n' +
      'event: ping\ndata: {"type": "ping"}\n\n' +
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}    }\n\n' +
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"signature_delta","signature":"abc"}}\n\n' +
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hé"}          }\n\n' +
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}}\n\n' +
      'event: something_new\ndata: {"type":"something_new"}\n\n' +
      named(
        {
          type: 'message_delta',
          delta: { stop_reason: 'end_turn' },
          usage: { output_tokens: 12 },
          inferpath_metrics: { time_to_first_token_ms: 200, queue_time_ms: 5, generation_time_ms: 95.25 },
        } as { type: string },
        { type: 'message_stop' },
      ),
    events: [
      start,
      model('c1'),
      { kind: 'usage', prompt: 15, cachedPrompt: 10, output: 1 },
      keepAlive,
      token('hm', false),
      token('Hé'),
      token('{', false),
      finish('end_turn'),
      { kind: 'usage', prompt: 15, cachedPrompt: 10, output: 12 },
      reported('inferpath_metrics', 'ttft', 205, 0.001),
      reported('inferpath_metrics', 'total', 300.25, 0.001),
      end,
    ],
  },
  {
    name: 'Anthropic overloaded inside the stream',
    dialect: 'anthropic',
    body: named(
      { type: 'message_start', message: {} } as { type: string },
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as { type: string },
    ),
    events: [start, { kind: 'error', code: 'overloaded_error', message: 'Overloaded' }],
  },
  {
    name: 'Ollama with server stamps and durations',
    dialect: 'ollama',
    body:
      '{"model":"l","created_at":"2026-01-02T03:04:05.100000500Z","message":{"role":"assistant","content":"a"},"done":false}\n' +
      '{"model":"l","created_at":"2026-01-02T04:04:05.15+01:00","message":{"role":"assistant","content":"b"},"done":false}\r\n' +
      '{"model":"l","created_at":"2026-01-02T03:04:05.200Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",' +
      '"total_duration":500000000,"prompt_eval_count":7,"eval_count":2,"eval_duration":90000000}\n',
    events: [
      model('l'),
      token('a'),
      { kind: 'serverStamp', wallMs: Date.UTC(2026, 0, 2, 3, 4, 5, 100) + 0.0005 },
      token('b'),
      { kind: 'serverStamp', wallMs: Date.UTC(2026, 0, 2, 3, 4, 5, 150) },
      finish('stop'),
      { kind: 'usage', prompt: 7, output: 2 },
      reported('ollama total_duration - eval_duration', 'ttft', 410, 0.001),
      reported('ollama total_duration', 'total', 500, 0.001),
      end,
    ],
  },
  {
    name: 'Ollama with an eval_duration that its own stamps contradict',
    dialect: 'ollama',
    body:
      '{"created_at":"2026-01-02T03:04:05Z","response":"a","done":false}\n' +
      '{"created_at":"2026-01-02T03:04:05.060Z","response":"b","done":false}\n' +
      '{"created_at":"2026-01-02T03:04:05.080Z","response":"","done":true,"total_duration":500000000,"eval_duration":20000000}',
    events: [
      token('a'),
      { kind: 'serverStamp', wallMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
      token('b'),
      { kind: 'serverStamp', wallMs: Date.UTC(2026, 0, 2, 3, 4, 5, 60) },
      finish('done'),
      reported('ollama total_duration - created_at span', 'ttft', 430, 20),
      reported('ollama total_duration', 'total', 500, 0.001),
      end,
    ],
  },
  {
    name: 'Ollama error line under 200',
    dialect: 'ollama',
    body: '{"response":"a","done":false}\n\n{"error":"runner ended"}\n',
    events: [token('a'), { kind: 'error', message: 'runner ended' }],
  },
  {
    name: 'Ollama cut in the middle of a line',
    dialect: 'ollama',
    body: '{"response":"a","done":false}\n{"resp',
    events: [
      token('a'),
      { kind: 'error', code: 'not-json', message: 'a line of the stream is not a JSON object' },
      truncated(1),
    ],
  },
  {
    name: 'TGI without a space, special token, details',
    dialect: 'tgi',
    body:
      'data:{"index":1,"token":{"id":1,"text":" a","special":false},"generated_text":null,"details":null}\n\n:\n\n' +
      'data:{"index":2,"token":{"id":2,"text":"</s>","special":true},"generated_text":" a","details":{"finish_reason":"eos_token","generated_tokens":2,"input_length":3}}\n\n',
    events: [
      token(' a'),
      keepAlive,
      token('</s>', false),
      finish('eos_token'),
      { kind: 'usage', prompt: 3, output: 2 },
      end,
    ],
    firstTokenEventTokens: 1,
  },
  {
    name: 'TGI error',
    dialect: 'tgi',
    body: 'data:{"error":"Request failed","error_type":"generation"}\n\n',
    events: [{ kind: 'error', code: 'generation', message: 'Request failed' }],
  },
  {
    name: 'Triton ends with the body',
    dialect: 'tgi',
    body: sse({ model_name: 't', text_output: 'a' }, { model_name: 't', text_output: 'b' }),
    events: [model('t'), token('a'), token('b'), end],
  },
  {
    name: 'Gemini with CRCR delimiters, thoughts and usage',
    dialect: 'gemini',
    body: [
      {
        candidates: [{ content: { parts: [{ text: 'why', thought: true }] } }],
        usageMetadata: { promptTokenCount: 6, thoughtsTokenCount: 3 },
        modelVersion: 'g1',
      },
      {
        candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 6, candidatesTokenCount: 2, thoughtsTokenCount: 3 },
        modelVersion: 'g1',
      },
    ]
      .map((chunk) => `data: ${JSON.stringify(chunk)}\r\r`)
      .join(''),
    events: [
      model('g1'),
      { kind: 'usage', prompt: 6, output: 3, reasoning: 3 },
      token('why', false),
      { kind: 'usage', prompt: 6, output: 5, reasoning: 3 },
      token('Hi'),
      finish('STOP'),
      end,
    ],
    firstTokenEventTokens: 3,
  },
  {
    name: 'Gemini as a JSON array',
    dialect: 'gemini',
    body: `[${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'a ]}" ' }] } }] })}\n,\r\n${JSON.stringify({
      candidates: [{ content: { parts: [{ text: '\\"[' }] }, finishReason: 'MAX_TOKENS' }],
    })}\n]`,
    events: [token('a ]}" '), token('\\"['), finish('MAX_TOKENS'), end],
  },
  {
    name: 'Gemini error as bare JSON over several lines',
    dialect: 'gemini',
    body: `data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n${JSON.stringify(
      { error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED' } },
      null,
      2,
    )}\n`,
    events: [token('a'), { kind: 'error', code: 'RESOURCE_EXHAUSTED', message: 'Quota' }],
  },
  {
    name: 'Gemini error in the array form',
    dialect: 'gemini',
    body: `[${JSON.stringify({ error: { code: 500, message: 'Internal', status: 'INTERNAL' } })}]`,
    events: [{ kind: 'error', code: 'INTERNAL', message: 'Internal' }],
  },
  {
    name: 'Gemini without a finishReason is cut',
    dialect: 'gemini',
    body: sse({ candidates: [{ content: { parts: [{ text: 'a' }] } }] }),
    events: [token('a'), truncated(1)],
  },
];
