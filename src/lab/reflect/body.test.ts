import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonObject, readBody } from './body.ts';
import { RequestFault } from './dialects/dialect.ts';
import { dialects } from './dialects/registry.ts';
import { listenAddress, reflectorOptions, stallPlan } from './options.ts';
import { countPromptTokens, tokenText } from './prompt.ts';
import { plainIo } from './test-io.case.ts';

const { clock } = plainIo();
const limits = { maxBytes: 10, deadlineMs: 10_000 };

describe('readBody()', () => {
  test('returns all bytes and a stamp that is not later than now', async () => {
    const stream = new PassThrough();
    const body = readBody(stream, clock, limits);
    stream.write('ab');
    stream.end('cd');
    const { bytes, readMs } = await body;
    expect(bytes.toString()).toBe('abcd');
    expect(readMs).toBeLessThanOrEqual(clock.monoMs());
  });

  test('refuses a body above the limit with 413 without keeping it', async () => {
    const stream = new PassThrough();
    const body = readBody(stream, clock, limits);
    stream.write('x'.repeat(11));
    await expect(body).rejects.toMatchObject({ status: 413 });
  });

  test('refuses a body that trickles past the deadline with 408', async () => {
    const stream = new PassThrough();
    const body = readBody(stream, clock, { ...limits, deadlineMs: 20 });
    stream.write('x');
    await expect(body).rejects.toMatchObject({ status: 408 });
  });

  test('refuses a body that is cut short with 400', async () => {
    const stream = new PassThrough();
    const body = readBody(stream, clock, limits);
    stream.destroy();
    await expect(body).rejects.toMatchObject({ status: 400 });
  });
});

describe('parseJsonObject()', () => {
  test('gives an object or a RequestFault, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            const value: unknown = parseJsonObject(Buffer.from(bytes));
            expect(typeof value === 'object' && value !== null && !Array.isArray(value)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(RequestFault);
          }
        },
      ),
    );
  });

  test('refuses broken UTF-8 instead of guessing', () => {
    expect(() => parseJsonObject(Buffer.from('{"a":"\xff"}', 'latin1'))).toThrow('not valid JSON in UTF-8');
  });
});

test('every dialect reads any JSON object into a sane request or a RequestFault', () => {
  const keys = fc.constantFrom(
    ...'model messages stream max_tokens max_completion_tokens max_output_tokens stream_options'.split(' '),
    ...'system input inputs prompt options parameters instructions'.split(' '),
  );
  fc.assert(
    fc.property(fc.constantFrom(...dialects), fc.dictionary(keys, fc.jsonValue()), (dialect, body) => {
      try {
        const asked = dialect.read(body);
        expect(typeof asked.model).toBe('string');
        expect(asked.maxTokens === undefined || (Number.isInteger(asked.maxTokens) && asked.maxTokens > 0)).toBe(true);
        expect(countPromptTokens(asked.prompt)).toBeGreaterThanOrEqual(1);
      } catch (error) {
        expect(error).toBeInstanceOf(RequestFault);
        expect((error as RequestFault).status).toBeGreaterThanOrEqual(400);
      }
    }),
  );
});

test('countPromptTokens() counts bytes of text, four to a token, and no structure', () => {
  const content = [
    { type: 'text', text: 'é'.repeat(10) },
    { type: 'image', source: { data: 'x'.repeat(1e5) } },
  ];
  expect(countPromptTokens(['abcd', [{ role: 'user', content }]])).toBe(6);
  expect(countPromptTokens([undefined, null, 7, []])).toBe(1);
});

test('tokenText() of parts is the text of the whole', () => {
  fc.assert(fc.property(fc.nat(50), fc.nat(50), (a, b) => tokenText(0, a) + tokenText(a, b) === tokenText(0, a + b)));
});

describe('options', () => {
  test.each([
    ['127.0.0.1:7041', { host: '127.0.0.1', port: 7041 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
    ['8080', { host: '127.0.0.1', port: 8080 }],
  ])('listen %s', (text, expected) => expect(listenAddress.parse(text)).toEqual(expected));

  test.each(['', '::1:80', 'host', 'host:', 'host:99999', '[::1]', 'a b:1', '[x]:1'])(
    'listen "%s" is refused',
    (text) => {
      expect(listenAddress.safeParse(text).error?.issues[0]?.message).toContain('allowed: HOST:PORT');
    },
  );

  test.each(['0.5', '2:100', ':100', '-1:5', '0.1:', '0.1:x', '1e1:4'])('stall "%s" is refused', (text) => {
    expect(stallPlan.safeParse(text).error?.issues[0]?.message).toContain('allowed: P:MS');
  });

  test('stall takes a distribution', () => {
    expect(stallPlan.parse('0.25:uniform:5,6')).toMatchObject({
      probability: 0.25,
      durationMs: { text: 'uniform:5,6' },
    });
  });

  test('defaults are those of the docs, unknown keys are refused', () => {
    const options = reflectorOptions.parse({});
    expect(options).toMatchObject({ listen: { host: '127.0.0.1', port: 7041 }, tokens: 64, serverTimes: 'none' });
    expect([options.queueMs.text, options.prefillMsPer1kTokens.text, options.tokenMs.text]).toEqual(['0', '0', '20']);
    expect(reflectorOptions.safeParse({ token: 3 }).success).toBe(false);
  });
});
