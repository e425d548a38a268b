import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startReflector, type Reflector } from '../../src/lab/reflect/reflector.ts';
import { plainIo } from '../../src/lab/reflect/test-io.case.ts';
import type { TruthRow } from '../../src/lab/reflect/truth.ts';

// The official clients, unchanged, against the reflector: if they are content, the dialects are right.
const rows: TruthRow[] = [];
let reflector: Reflector;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  reflector = await startReflector(
    { listen: '127.0.0.1:0', tokens: 12, tokenMs: 2, queueMs: 4, serverTimes: 'body' },
    plainIo(),
    { onTruth: (row) => rows.push(row) },
  );
  openai = new OpenAI({ baseURL: `${reflector.url}/v1`, apiKey: 'none', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: reflector.url, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => reflector.stop());

const messages = [{ role: 'user' as const, content: 'How long is a hop?' }];
const text = 'the path of a packet is short and every hop adds';

describe('openai client', () => {
  test('streams chat completions with usage', async () => {
    const stream = await openai.chat.completions.create(
      { model: 'any', messages, stream: true, stream_options: { include_usage: true } },
      { headers: { 'x-request-id': 'sdk-chat' } },
    );
    let content = '';
    let finish: string | null = null;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      content += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    expect(content.trim().startsWith(text)).toBe(true);
    expect(finish).toBe('stop');
    expect(usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 12, total_tokens: 17 });
    expect(rows.find((row) => row.requestId === 'sdk-chat')).toMatchObject({ tokens: 12, stream: true });
  });

  test('accumulates a stream with its own helper', async () => {
    const final = await openai.chat.completions.stream({ model: 'any', messages }).finalChatCompletion();
    expect(final.choices[0]!.message.content?.trim().startsWith(text)).toBe(true);
  });

  test('gets a whole chat completion and its request id', async () => {
    const { data, request_id } = await openai.chat.completions
      .create({ model: 'any', messages, max_tokens: 3 })
      .withResponse();
    expect(data.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'the path of' } });
    expect(rows.map((row) => row.requestId)).toContain(request_id);
  });

  test('streams and gets responses', async () => {
    const stream = await openai.responses.create({ model: 'any', input: 'hi', stream: true });
    const types: string[] = [];
    let content = '';
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') content += event.delta;
      if (event.type === 'response.completed') expect(event.response.usage?.output_tokens).toBe(12);
    }
    expect(types[0]).toBe('response.created');
    expect(types.at(-1)).toBe('response.completed');
    expect(content.trim().startsWith(text)).toBe(true);
    const whole = await openai.responses.create({ model: 'any', input: 'hi', max_output_tokens: 16 });
    expect(whole.output_text.startsWith(text)).toBe(true);
  });

  test('lists models', async () => {
    const ids: string[] = [];
    for await (const model of openai.models.list()) ids.push(model.id);
    expect(ids).toEqual(['inferpath-reflect']);
  });

  test('understands errors', async () => {
    const wrong = openai.chat.completions.create({ model: 'any', messages: [] });
    await expect(wrong).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(openai.embeddings.create({ model: 'any', input: 'x' })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe('anthropic client', () => {
  test('streams messages', async () => {
    const stream = anthropic.messages.stream({ model: 'any', max_tokens: 100, messages, system: 'Be short.' });
    const deltas: string[] = [];
    stream.on('text', (delta) => deltas.push(delta));
    const final = await stream.finalMessage();
    expect(deltas).toHaveLength(12);
    expect(final).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 12 } });
    expect(final.content[0]).toMatchObject({ type: 'text', text: deltas.join('') });
  });

  test('streams raw events and stops at max_tokens', async () => {
    const stream = await anthropic.messages.create({ model: 'any', max_tokens: 2, messages, stream: true });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test('gets a whole message and its request id', async () => {
    const message = await anthropic.messages.create({ model: 'any', max_tokens: 3, messages });
    expect(message).toMatchObject({ stop_reason: 'max_tokens', content: [{ type: 'text', text: 'the path of' }] });
    expect(message._request_id).toBeTruthy();
  });

  test('understands errors', async () => {
    const wrong = anthropic.messages.create({ model: '', max_tokens: 3, messages });
    await expect(wrong).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });
});
