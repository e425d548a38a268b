import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StreamSink } from '../stream-sink.ts';
import { InOrder } from './in-order.ts';

interface Handed {
  offset: number;
  text: string;
  deliverableMs: number;
  wireMs: number;
  cut: number;
}

function recorder(): { sink: StreamSink; handed: Handed[]; gaps: number[] } {
  const handed: Handed[] = [];
  const gaps: number[] = [];
  return {
    handed,
    gaps,
    sink: {
      wanted: true,
      data: (_, bytes, start, end, cut, deliverableMs, wireMs, offset) =>
        handed.push({ offset, text: bytes.toString('latin1', start, end), deliverableMs, wireMs, cut }),
      gap: (_, octets) => gaps.push(octets),
      end: () => undefined,
    },
  };
}

const stream = 'the quick brown fox jumps over the lazy dog, again and again';

/** Segments that cover the stream, in any order, some of them twice or cut elsewhere. */
const segments = fc
  .array(fc.tuple(fc.integer({ min: 0, max: stream.length - 1 }), fc.integer({ min: 1, max: 20 })), { maxLength: 30 })
  .chain((extra) => {
    const cuts = Array.from({ length: Math.ceil(stream.length / 7) }, (_, i) => [i * 7, 7] as const);
    return fc.shuffledSubarray([...extra, ...cuts], { minLength: extra.length + cuts.length });
  })
  .map((list) => list.map(([from, length]) => [from, Math.min(stream.length, from + length)] as const));

test.each([false, true])('hands on every octet once and in order, whatever the order of arrival (held: %s)', (hold) => {
  fc.assert(
    fc.property(segments, fc.integer({ min: 1, max: 8 }), (list, atOnce) => {
      const { sink, handed, gaps } = recorder();
      const inOrder = new InOrder(1, sink);
      inOrder.begin(0);
      // Packets lie in memory that is used again.
      const memory = Buffer.alloc(stream.length);
      list.forEach(([from, to], i) => {
        memory.write(stream.slice(from, to), from, 'latin1');
        inOrder.segment(memory, from, to - from, from, to, i, hold);
        if (i % atOnce < atOnce - 1) return;
        inOrder.keep();
        memory.fill('#');
      });
      inOrder.acked(stream.length, list.length);
      expect(handed.map(({ text }) => text).join('')).toBe(stream);
      expect(gaps).toEqual([]);
      for (const [i, one] of handed.entries()) {
        expect(one.offset).toBe(handed.slice(0, i).reduce((sum, { text }) => sum + text.length, 0));
        expect(one.deliverableMs).toBeGreaterThanOrEqual(one.wireMs);
        expect(one.deliverableMs).toBeGreaterThanOrEqual(handed[i - 1]?.deliverableMs ?? 0);
      }
    }),
  );
});

test('octets that were cut off are told with the segment that they belong to', () => {
  const { sink, handed } = recorder();
  const inOrder = new InOrder(1, sink);
  inOrder.begin(0);
  inOrder.segment(Buffer.from('abcd'), 0, 4, 10, 30, 2, false);
  inOrder.segment(Buffer.from('xy'), 0, 2, 0, 10, 3, false);
  expect(handed).toEqual([
    { offset: 0, text: 'xy', cut: 8, deliverableMs: 3, wireMs: 3 },
    { offset: 10, text: 'abcd', cut: 16, deliverableMs: 3, wireMs: 2 },
  ]);
});

test('near the sender, what was sent again counts from its last copy, and all behind it', () => {
  const { sink, handed } = recorder();
  const inOrder = new InOrder(1, sink);
  inOrder.begin(0);
  inOrder.segment(Buffer.from('a'), 0, 1, 0, 1, 10, true);
  inOrder.segment(Buffer.from('b'), 0, 1, 1, 2, 20, true);
  inOrder.segment(Buffer.from('c'), 0, 1, 2, 3, 30, true);
  expect(inOrder.sentAgain(1, 2, 70)).toBe(20);
  expect(handed).toEqual([]);
  inOrder.acked(3, 110);
  expect(handed.map(({ text, deliverableMs, wireMs }) => [text, deliverableMs, wireMs])).toEqual([
    ['a', 10, 10],
    ['b', 70, 20],
    ['c', 70, 30],
  ]);
});

test('what the capture lacks is a gap, and what waited behind it follows', () => {
  const { sink, handed, gaps } = recorder();
  const inOrder = new InOrder(0, sink);
  inOrder.begin(0);
  inOrder.segment(Buffer.from('cd'), 0, 2, 5, 7, 1, false);
  inOrder.lost(5, 30);
  expect(gaps).toEqual([5]);
  expect(handed).toEqual([{ offset: 5, text: 'cd', cut: 0, deliverableMs: 30, wireMs: 1 }]);
});

test('holds no more than its bound: the hole is given up', () => {
  const { sink, gaps } = recorder();
  const inOrder = new InOrder(0, sink);
  inOrder.begin(0);
  const bytes = Buffer.alloc(1000);
  for (let i = 0; i < 600; i++) inOrder.segment(bytes, 0, 1000, 1 + 1000 * i, 1001 + 1000 * i, i, false);
  expect(gaps).toEqual([1]);
});
