import { describe, expect, test } from 'vitest';
import { assumed, entered } from '../figures.ts';
import { apis } from './library/apis.ts';
import { models } from './library/models.ts';
import { kvRate } from './requests.ts';
import { eventOnWire } from './wire.ts';

/** Payload rate of one KV transfer of the library's model, Gbit/s. */
function kvGbps(model: string, promptTokens: number, deadlineMs: number): number {
  const row = models.find((m) => m.name === model)!;
  return kvRate(
    entered('prompt', promptTokens, 'tokens', ''),
    entered('KV bytes per token', row.kvBytesPerToken, 'B', ''),
    entered('deadline', deadlineMs, 'ms', ''),
    assumed('share cached there', 0, '', ''),
  ).rate.value;
}

describe('the worked examples of docs/plan/demand.md', () => {
  test.each([
    ['llama-3.1-8b', 43],
    ['llama-3.1-70b', 107],
    ['llama-3.1-405b', 169],
    ['deepseek-r1', 23],
  ])('the KV cache of 4,096 tokens of %s within 100 ms takes %d Gbit/s', (model, gbps) => {
    expect(Math.round(kvGbps(model, 4096, 100))).toBe(gbps);
  });

  test('512 tokens of OPT-66B are 1.125 GiB; ten a second are 90 Gibit/s, which are 96.6 Gbit/s', () => {
    const bytes = 512 * models.find((m) => m.name === 'opt-66b')!.kvBytesPerToken;
    expect(bytes / 2 ** 30).toBeCloseTo(1.125, 9);
    expect((bytes * 10 * 8) / 2 ** 30).toBeCloseTo(90, 9);
    expect(kvGbps('opt-66b', 512, 100)).toBeCloseTo(96.64, 2);
  });

  test.each([
    ['openai-chat', 168],
    ['azure-openai', 302],
    ['anthropic', 22],
  ])('a stream of %s at 50 tokens a second is about %d kbit/s on the wire', (name, kbps) => {
    const api = apis.find((a) => a.name === name)!;
    const found = (eventOnWire(api.eventBytes).bytes * 8 * (50 / api.tokensPerEvent)) / 1e3;
    expect(Math.abs(found / kbps - 1)).toBeLessThan(0.03);
  });

  test.each([
    ['gpt-oss-20b', 48],
    ['qwen2.5-7b', 56],
    ['gpt-oss-120b', 72],
    ['qwen3-30b-a3b', 96],
    ['mixtral-8x7b', 128],
    ['qwen3-235b-a22b', 188],
    ['qwen3-32b', 256],
    ['qwen2.5-72b', 320],
    ['llama-3.1-405b', 504],
    ['opt-66b', 2304],
  ])('the KV cache of a token of %s is %d KiB', (name, kib) => {
    expect(models.find((m) => m.name === name)!.kvBytesPerToken / 1024).toBe(kib);
  });

  test('128k tokens of Llama 3 70B are the 40 GB that Mooncake names', () => {
    expect((models.find((m) => m.name === 'llama-3.1-70b')!.kvBytesPerToken * 128 * 1024) / 2 ** 30).toBe(40);
  });
});
