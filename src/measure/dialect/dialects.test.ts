import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DialectName } from '../../model/inference.ts';
import type { DialectEvent, StreamParser } from './dialect.ts';
import { dialectByName, dialects } from './index.ts';
import { STREAMS } from './streams.case.ts';

const encoder = new TextEncoder();

/** Feeds the bytes cut at the given offsets. */
function feed(parser: StreamParser, bytes: Uint8Array, cuts: readonly number[]): DialectEvent[] {
  const events: DialectEvent[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    // A copy that is overwritten afterwards: a parser that keeps a view of the read buffer would be found out.
    const piece = bytes.slice(from, cut);
    events.push(...parser.push(piece));
    piece.fill(0x58);
    from = cut;
  }
  return [...events, ...parser.push(bytes.slice(from)), ...parser.end()];
}

describe('a stream', () => {
  test.each(STREAMS)('$dialect: $name', ({ dialect, body, events, firstTokenEventTokens }) => {
    const parser = dialectByName(dialect).parser();
    expect(feed(parser, encoder.encode(body), [])).toEqual(events);
    expect(parser.firstTokenEventTokens).toBe(firstTokenEventTokens);
  });

  test.each(STREAMS)('$dialect: $name, one byte at a time', ({ dialect, body, events }) => {
    const bytes = encoder.encode(body);
    const everywhere = Array.from({ length: bytes.length }, (_, at) => at);
    expect(feed(dialectByName(dialect).parser(), bytes, everywhere)).toEqual(events);
  });

  test('gives the same events however its bytes are split, whatever its line ends, with a byte order mark', () => {
    const bodies = STREAMS.filter(({ dialect }) => dialect !== 'ollama' && dialect !== 'gemini');
    const anyCase = fc.constantFrom(...bodies);
    const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
    fc.assert(
      fc.property(
        anyCase,
        lineEnd,
        fc.boolean(),
        fc.array(fc.nat(3_000), { maxLength: 12 }),
        (stream, eol, bom, at) => {
          const text = (bom ? '\uFEFF' : '') + stream.body.replaceAll('\r\n', '\n').replaceAll('\n', eol);
          const bytes = encoder.encode(text);
          const cuts = at.map((offset) => offset % (bytes.length + 1));
          expect(feed(dialectByName(stream.dialect).parser(), bytes, cuts)).toEqual(stream.events);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('says nothing more after its end marker, however often it is asked', () => {
    for (const stream of STREAMS) {
      const parser = dialectByName(stream.dialect).parser();
      feed(parser, encoder.encode(stream.body), []);
      expect(parser.push(encoder.encode(stream.body))).toEqual([]);
      expect(parser.end()).toEqual([]);
    }
  });
});

const MUTATIONS = ['delete', 'repeat', 'flip', 'insert'] as const;

function mutate(bytes: Uint8Array, kind: (typeof MUTATIONS)[number], at: number, length: number): Uint8Array {
  const from = at % (bytes.length + 1);
  const to = Math.min(bytes.length, from + length);
  const middle = {
    delete: new Uint8Array(0),
    repeat: new Uint8Array([...bytes.subarray(from, to), ...bytes.subarray(from, to)]),
    flip: bytes.slice(from, to).map((byte) => byte ^ 0x15),
    insert: new Uint8Array([...bytes.subarray(from, to), 0xff, 0x00, 0xc3, 0x0d]),
  }[kind];
  return new Uint8Array([...bytes.subarray(0, from), ...middle, ...bytes.subarray(to)]);
}

function checkEvents(events: readonly DialectEvent[]): void {
  const last = events.at(-1);
  // Whatever came in, the result says how it ended: by its marker, or with an error somewhere.
  expect(last?.kind === 'end' || events.some((event) => event.kind === 'error')).toBe(true);
  for (const event of events) {
    if (event.kind === 'token') expect(event.textBytes).toBeGreaterThan(0);
    if (event.kind === 'usage') {
      for (const count of [event.prompt, event.output, event.cachedPrompt, event.reasoning]) {
        expect(count === undefined || (Number.isSafeInteger(count) && count >= 0)).toBe(true);
      }
    }
    if (event.kind === 'reported') expect(event.reported.valueMs).toBeGreaterThanOrEqual(0);
    if (event.kind === 'serverStamp') expect(Number.isFinite(event.wallMs)).toBe(true);
    if (event.kind === 'error') expect(event.message.length).toBeLessThanOrEqual(1_000);
  }
}

describe('a hostile peer', () => {
  test('cannot make a parser throw, and a damaged stream splits like a good one', () => {
    const mutation = fc.tuple(fc.constantFrom(...MUTATIONS), fc.nat(3_000), fc.nat(40));
    fc.assert(
      fc.property(
        fc.constantFrom(...STREAMS),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(3_000), { maxLength: 8 }),
        (stream, mutations, at) => {
          let bytes: Uint8Array = encoder.encode(stream.body);
          for (const [kind, offset, length] of mutations) bytes = mutate(bytes, kind, offset, length);
          const dialect = dialectByName(stream.dialect);
          const whole = feed(dialect.parser(), bytes, []);
          checkEvents(whole);
          const cuts = at.map((offset) => offset % (bytes.length + 1));
          expect(feed(dialect.parser(), bytes, cuts)).toEqual(whole);
          checkEvents(dialect.parseWhole(bytes));
        },
      ),
      { numRuns: 600 },
    );
  });

  test('random bytes and random JSON never make any dialect throw', () => {
    const json = fc.json({ maxDepth: 4 }).map((text) => encoder.encode(`data: ${text}\n\n${text}\n`));
    const input = fc.oneof(fc.uint8Array({ maxLength: 400 }), json);
    fc.assert(
      fc.property(input, (bytes) => {
        for (const dialect of dialects) {
          checkEvents(feed(dialect.parser(), bytes, []));
          checkEvents(dialect.parseWhole(bytes));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('known fields with values of any type never make any dialect throw', () => {
    // prettier-ignore
    const fields = [
      'choices', 'delta', 'content', 'tool_calls', 'usage', 'metrics', 'queue_time_ms', 'time_to_first_token_ms', 'message',
      'type', 'response', 'error', 'created_at', 'total_duration', 'eval_duration', 'done', 'token', 'text', 'details',
      'candidates', 'parts', 'usageMetadata', 'promptTokenCount', 'x_groq', 'timings', 'prompt_ms', 'nvext', 'timing', '__proto__',
    ];
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, -1, 1e308, 0.5, '', 'text', 'content_block_delta', '[DONE]'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...fields), tie('tree'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), (values) => {
        const text = values.map((value) => JSON.stringify(value)).join('\n\ndata: ');
        const bytes = encoder.encode(`data: ${text}\n\n`);
        const lines = encoder.encode(values.map((value) => JSON.stringify(value)).join('\n'));
        for (const dialect of dialects) {
          checkEvents(feed(dialect.parser(), bytes, []));
          checkEvents(feed(dialect.parser(), lines, []));
          checkEvents(dialect.parseWhole(encoder.encode(JSON.stringify(values[0]))));
        }
      }),
      { numRuns: 400 },
    );
  });

  test.each(dialects.map((dialect) => [dialect.name]))(
    '%s: a line that never ends is given up once',
    (name: DialectName) => {
      const parser = dialectByName(name).parser();
      const opening = name === 'gemini' ? '[{"' : 'data: {"';
      let events = parser.push(encoder.encode(opening));
      const block = new Uint8Array(1024 * 1024).fill(0x61);
      for (let count = 0; count < 12; count++) events = [...events, ...parser.push(block)];
      events = [...events, ...parser.end()];
      expect(events.map((event) => (event.kind === 'error' ? event.code : event.kind))).toEqual([
        'oversized',
        'truncated',
      ]);
    },
  );

  test.each(dialects.map((dialect) => [dialect.name]))(
    '%s: JSON nested a hundred thousand deep is survived',
    (name) => {
      const deep = encoder.encode(`{"error":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
      const events = dialectByName(name).parseWhole(deep);
      checkEvents(events);
      expect(events.filter((event) => event.kind === 'token')).toEqual([]);
    },
  );

  test('the prototype of objects is out of reach', () => {
    const body = 'data: {"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}\n\n';
    for (const dialect of dialects) feed(dialect.parser(), encoder.encode(body), []);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a whole body where a stream was asked for', () => {
  // prettier-ignore
  const bodies: ReadonlyArray<readonly [DialectName, object | string, readonly string[]]> = [
    ['openai-chat', { model: 'm', choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 2 } }, ['model m', 'token 2', 'finish stop', 'usage', 'end']],
    ['openai-responses', { model: 'm', status: 'completed', output: [{ type: 'reasoning', summary: [] }, { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }], usage: { input_tokens: 1, output_tokens: 2 } }, ['token 2', 'model m', 'usage', 'finish completed', 'end']],
    ['anthropic', { type: 'message', model: 'm', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 2 } }, ['model m', 'token 2', 'finish end_turn', 'usage', 'end']],
    ['ollama', { model: 'm', message: { content: 'Hi' }, done: true, done_reason: 'stop', prompt_eval_count: 1, eval_count: 2 }, ['model m', 'token 2', 'finish stop', 'usage', 'end']],
    ['tgi', [{ generated_text: 'Hi', details: { finish_reason: 'length', generated_tokens: 2 } }], ['token 2', 'finish length', 'usage', 'end']],
    ['gemini', { candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }], modelVersion: 'm' }, ['model m', 'token 2', 'finish STOP', 'end']],
    ['gemini', [{ candidates: [{ content: { parts: [{ text: 'Hi' }] } }] }, { candidates: [{ content: { parts: [{ text: '!' }] }, finishReason: 'STOP' }] }], ['token 2', 'token 1', 'finish STOP', 'end']],
    ['openai-chat', { choices: [{ message: { content: 'Hi' } }], metrics: { time_to_first_token_ms: 1, generation_time_ms: 2 } }, ['token 2', 'total 3', 'end']],
    ['openai-chat', { error: { message: 'no', code: 'x' } }, ['error x']],
    ['openai-chat', 'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n', ['token 1', 'end']],
    ['openai-chat', '<html>gone</html>', ['error not-json', 'error truncated']],
    ['anthropic', '', ['error truncated']],
  ];
  test.each(bodies)('%s %o', (name, body, expected) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expect(dialectByName(name).parseWhole(encoder.encode(text)).map(brief)).toEqual(expected);
  });
});

function brief(event: DialectEvent): string {
  switch (event.kind) {
    case 'token':
      return `token ${event.textBytes}`;
    case 'model':
      return `model ${event.model}`;
    case 'finish':
      return `finish ${event.reason}`;
    case 'reported':
      return `${event.reported.covers} ${event.reported.valueMs}`;
    case 'error':
      return `error ${event.code}`;
    default:
      return event.kind;
  }
}
