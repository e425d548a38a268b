import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonArraySplitter } from './json-array.ts';
import { NdjsonDecoder } from '../../wire/http/ndjson.ts';
import { SseDecoder } from '../../wire/http/sse.ts';
import type { SseItem } from '../../wire/http/sse.ts';

const encoder = new TextEncoder();

interface Decoder<Item> {
  push(bytes: Uint8Array): Item[];
  end?(): Item[];
}

function decode<Item>(decoder: Decoder<Item>, bytes: Uint8Array, cuts: readonly number[] = []): Item[] {
  const items: Item[] = [];
  let from = 0;
  for (const cut of [...cuts].map((at) => at % (bytes.length + 1)).sort((a, b) => a - b)) {
    items.push(...decoder.push(bytes.subarray(from, cut)));
    from = cut;
  }
  items.push(...decoder.push(bytes.subarray(from)));
  return [...items, ...(decoder.end?.() ?? [])];
}

const sse = (text: string, maxBytes?: number): SseItem[] => decode(new SseDecoder(maxBytes), encoder.encode(text));
const event = (data: string, name = ''): SseItem => ({ kind: 'event', name, data });

describe('SseDecoder', () => {
  // prettier-ignore
  test.each<[string, string, SseItem[]]>([
    ['three line ends', 'data: a\n\ndata: b\r\rdata: c\r\n\r\n', [event('a'), event('b'), event('c')]],
    ['one optional space', 'data:a\n\ndata: a\n\ndata:  a\n\n', [event('a'), event('a'), event(' a')]],
    ['several data lines joined by LF', 'data: a\ndata\ndata: b\n\n', [event('a\n\nb')]],
    ['name before or after data', 'event: x\ndata: 1\n\ndata: 2\nevent:y\n\n', [event('1', 'x'), event('2', 'y')]],
    ['name is forgotten after its event', 'event: x\ndata: 1\n\ndata: 2\n\n', [event('1', 'x'), event('2')]],
    ['event without data', 'event: ping\n\n', [event('', 'ping')]],
    ['comments at once, inside an event too', ': a\n\n:b\ndata: 1\n: c\n\n', [
      { kind: 'comment', text: 'a' },
      { kind: 'comment', text: 'b' },
      { kind: 'comment', text: 'c' },
      event('1'),
    ]],
    ['id and retry ignored', 'id: 7\nretry: 10\ndata: 1\n\n', [event('1')]],
    ['byte order mark', '\uFEFFdata: 1\n\n', [event('1')]],
    ['byte order mark only at the start', 'data: 0\n\n\uFEFFdata: 1\n\n', [event('0'), { kind: 'stray', text: '\uFEFFdata: 1' }]],
    ['unterminated last event', 'data: 1\n\ndata: 2', [event('1'), event('2')]],
    ['lines that are no field', '{"error": 1,\n "b": 2}\n\ndata: 1\n\n', [{ kind: 'stray', text: '{"error": 1,\n "b": 2}' }, event('1')]],
    ['blank lines only', '\n\r\n\r\r\n', []],
  ])('%s', (_name, text, items) => {
    expect(sse(text)).toEqual(items);
  });

  test('decodes bytes that are no UTF-8 as replacement characters', () => {
    const bytes = new Uint8Array([...encoder.encode('data: a'), 0xff, 0xc3, ...encoder.encode('\n\n')]);
    expect(decode(new SseDecoder(), bytes)).toEqual([event('a\uFFFD\uFFFD')]);
  });

  test('drops an event above the limit, says so once, and reads on after its blank line', () => {
    const big = 'x'.repeat(40);
    expect(sse(`data: ${big}\ndata: more\n\ndata: 1\n\n`, 30)).toEqual([{ kind: 'oversized' }, event('1')]);
    // Many short lines are as large as one long line.
    expect(sse(`${'data: 12345\n'.repeat(9)}\ndata: 1\n\n`, 30)).toEqual([{ kind: 'oversized' }, event('1')]);
    expect(sse(`${'junk junk\n'.repeat(9)}\ndata: 1\n\n`, 30)).toEqual([{ kind: 'oversized' }, event('1')]);
  });

  test('comments without end are no event and have no limit together', () => {
    expect(sse(`${': hi\n'.repeat(50)}data: 1\n\n`, 30)).toHaveLength(51);
  });

  // prettier-ignore
  const piece = fc.constantFrom(
    'data: ', 'data', ':', 'event: e', '\n', '\r', '\r\n', '\n\n', 'ü🙂', 'xxxxxxxxxxxx', '{', ' ', '\uFEFF', 'id: 1', '', 'retry: 1',
  );
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => encoder.encode(pieces.join('')));

  test('gives the same items however the bytes are split, also around the size limit', () => {
    const limit = fc.constantFrom(12, 30, 1_000);
    fc.assert(
      fc.property(text, limit, fc.array(fc.nat(), { maxLength: 10 }), (bytes, maxBytes, cuts) => {
        const whole = decode(new SseDecoder(maxBytes), bytes);
        expect(decode(new SseDecoder(maxBytes), bytes, cuts)).toEqual(whole);
        for (const item of whole) if (item.kind === 'event') expect(item.data.length).toBeLessThanOrEqual(maxBytes);
      }),
      { numRuns: 2_000 },
    );
  });

  test('round-trips any data and name that SSE can carry', () => {
    const line = fc.string({ unit: 'grapheme' }).filter((value) => !/[\r\n]/.test(value));
    const data = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(fc.array(fc.tuple(line, data), { maxLength: 5 }), (events) => {
        const wire = events.map(
          ([name, value]) =>
            `event: ${name}\n${value
              .split('\n')
              .map((part) => `data: ${part}\n`)
              .join('')}\n`,
        );
        expect(sse(wire.join(''))).toEqual(events.map(([name, value]) => event(value, name)));
      }),
    );
  });
});

describe('NdjsonDecoder', () => {
  test('gives every non-blank line, with CRLF, blank lines and an unterminated last one', () => {
    const items = decode(new NdjsonDecoder(), encoder.encode('{"a":1}\r\n\n  \n{"b":"ü"}'));
    expect(items).toEqual([
      { kind: 'line', text: '{"a":1}' },
      { kind: 'line', text: '{"b":"ü"}' },
    ]);
  });

  test('gives the same lines however the bytes are split, also around the size limit', () => {
    const piece = fc.constantFrom('\n', '{}', 'ü🙂', 'xxxxxxxxxx', '\r\n', ' ');
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => encoder.encode(pieces.join('')));
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 10 }), (bytes, cuts) => {
        expect(decode(new NdjsonDecoder(16), bytes, cuts)).toEqual(decode(new NdjsonDecoder(16), bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  test('drops a line above the limit and reads on', () => {
    expect(decode(new NdjsonDecoder(8), encoder.encode(`${'x'.repeat(20)}\n{}\n`))).toEqual([
      { kind: 'oversized' },
      { kind: 'line', text: '{}' },
    ]);
  });
});

describe('JsonArraySplitter', () => {
  test('cuts an array of any objects into them, wherever the bytes are split', () => {
    const elements = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), { maxLength: 5 });
    fc.assert(
      fc.property(elements, fc.constantFrom(0, 1, 2), fc.array(fc.nat(), { maxLength: 8 }), (values, indent, cuts) => {
        const items = decode(new JsonArraySplitter(), encoder.encode(JSON.stringify(values, null, indent)), cuts);
        expect(items.pop()).toEqual({ kind: 'closed' });
        // Both sides through JSON, which has neither -0 nor undefined.
        const read = items.map((item) => (item.kind === 'element' ? item.text : item.kind));
        expect(`[${read.join(',')}]`.replace(/\s/g, '')).toEqual(
          JSON.stringify(values, null, indent).replace(/\s/g, ''),
        );
      }),
    );
  });

  test('drops an element above the limit and reads on', () => {
    const items = decode(new JsonArraySplitter(12), encoder.encode(`[{"a":"${'x'.repeat(30)}"},{"b":1}]`), [9, 20]);
    expect(items).toEqual([{ kind: 'oversized' }, { kind: 'element', text: '{"b":1}' }, { kind: 'closed' }]);
  });

  test('random bytes end in nothing worse than nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decode(new JsonArraySplitter(50), bytes).filter((item) => item.kind === 'closed').length).toBeLessThan(
          2,
        );
      }),
    );
  });
});
