import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeenSegment } from '../../wire/tcp/connection.ts';
import { viewSegments } from './segments.ts';

const seg = (
  startOffset: number,
  endOffset: number,
  atMs: number,
  tsval: number | null,
  ackedOffset = 0,
): SeenSegment => ({
  startOffset,
  endOffset,
  atMs,
  tsval,
  ackedOffset,
});
const viewOf = (segments: SeenSegment[], rttMs = 20) => {
  const view = viewSegments(segments, 0, rttMs);
  if (!view) throw new Error('no view');
  return view;
};

/** A server that hands over pieces at some ticks; each copy of a piece may be lost, doubled or overtaken on its way. */
const transfer = fc
  .array(
    fc.record({
      bytes: fc.integer({ min: 1, max: 500 }),
      thinkMs: fc.integer({ min: 0, max: 60 }),
      lost: fc.boolean(),
      doubled: fc.boolean(),
      delayMs: fc.integer({ min: 0, max: 30 }),
    }),
    { minLength: 2, maxLength: 25 },
  )
  .map((pieces) => {
    let [handedMs, offset] = [5, 0];
    const sent: SeenSegment[] = [];
    const handed: { end: number; tick: number }[] = [];
    for (const { bytes, thinkMs, lost, doubled, delayMs } of pieces) {
      handedMs += thinkMs;
      const copy = (leftMs: number, extraMs: number) =>
        seg(offset, offset + bytes, leftMs + 1000 + extraMs, Math.floor(leftMs));
      // A lost first copy is never seen; its retransmission leaves later, with the clock of then.
      if (!lost) sent.push(copy(handedMs, delayMs));
      if (lost || doubled) sent.push(copy(handedMs + 60, delayMs));
      offset += bytes;
      handed.push({ end: offset, tick: handedMs });
    }
    const segments = sent.toSorted((a, b) => a.atMs - b.atMs);
    return { segments, handed, total: offset };
  });

/** The slow and obvious way: mark every byte as it comes. */
function completeAt(segments: readonly SeenSegment[], offset: number): number | null {
  const have = new Set<number>();
  let covered = 0;
  for (const s of segments) {
    for (let i = s.startOffset; i < s.endOffset; i++) have.add(i);
    while (have.has(covered)) covered++;
    if (covered >= offset) return s.atMs;
  }
  return null;
}

describe('viewSegments()', () => {
  test('availableMs() is the arrival of the last missing byte, as brute force finds it', () => {
    fc.assert(
      fc.property(transfer, fc.double({ min: 0, max: 1, noNaN: true }), ({ segments, total }, at) => {
        const offset = 1 + Math.floor(at * (total - 1));
        expect(viewSegments(segments, 0, 20)?.availableMs(offset) ?? null).toBe(completeAt(segments, offset));
      }),
      { numRuns: 300 },
    );
  });

  test('availableMs() never moves back along the stream, and is null behind it', () => {
    fc.assert(
      fc.property(transfer, ({ segments, total }) => {
        const view = viewSegments(segments, 0, 20);
        fc.pre(view !== null);
        const times = Array.from({ length: total }, (_, i) => view.availableMs(i + 1) ?? Infinity);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(view.availableMs(total + 1)).toBeNull();
      }),
    );
  });

  test('handedTicks() holds the tick at which the server handed the byte over, whatever was lost or overtaken behind it', () => {
    fc.assert(
      fc.property(transfer, ({ segments, handed }) => {
        const view = viewSegments(segments, 0, 20);
        fc.pre(view !== null);
        for (const { end, tick } of handed) {
          const [, high] = view.handedTicks(end) as [number, number];
          // The upper end is sure: nothing leaves before it is handed over.
          expect(high).toBeGreaterThanOrEqual(Math.floor(tick));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('handedTicks() is one tick wide on a clean path', () => {
    const view = viewOf([seg(0, 100, 1010, 0), seg(100, 200, 1030, 20), seg(200, 300, 1050, 40)]);
    expect([50, 100, 101, 250].map((o) => view.handedTicks(o))).toEqual([
      [0, 1],
      [0, 1],
      [20, 21],
      [40, 41],
    ]);
    expect(view.handedTicks(301)).toBeNull();
    expect(view.lossBetween(0, 300)).toBe(false);
  });

  test('handedTicks() opens downwards for a segment that came late, to the one before it', () => {
    // The second was lost and came again 200 ms later, behind the third.
    const view = viewOf([seg(0, 100, 1010, 0), seg(200, 300, 1050, 40), seg(100, 200, 1230, 220)]);
    expect(view.handedTicks(200)).toEqual([0, 41]);
    expect(view.lossBetween(100, 200)).toBe(true);
    expect(view.availableMs(300)).toBe(1230);
  });

  test('acknowledged() finds the first segment that acknowledges, and how long it queued', () => {
    const view = viewOf([seg(0, 0, 1000, 0, 0), seg(0, 0, 1035, 30, 500), seg(0, 100, 1060, 60, 500)]);
    expect(view.acknowledged(500)).toEqual({ atMs: 1035, tick: 30, queuedMs: 5 });
    expect(view.acknowledged(501)).toBeNull();
  });

  test('delayVariationMs is what arrivals spread beyond the ticks', () => {
    const view = viewOf([seg(0, 1, 1000, 0), seg(1, 2, 1020, 20), seg(2, 3, 1070, 40)]);
    expect(view.delayVariationMs).toBe(29);
  });

  test('is null without a clock that counts milliseconds', () => {
    expect(viewSegments([seg(0, 1, 1000, 0), seg(1, 2, 1020, null)], 0, 20)).toBeNull();
    expect(viewSegments([seg(0, 1, 1000, 0)], 0, 20)).toBeNull();
    // 100 Hz, as an old BSD counts: ten times too slow over a second.
    expect(viewSegments([seg(0, 1, 1000, 0), seg(1, 2, 3000, 200)], 0, 20)).toBeNull();
  });

  test('stays quick and gives up on a peer that sends thousands of holes', () => {
    const hostile = Array.from({ length: 20_000 }, (_, i) => seg(0, 10 + (i % 3), 1000 + i / 100, i / 100));
    expect(viewSegments(hostile, 0, 20)).toBeNull();
  });

  test('never throws on segments of any kind', () => {
    const any = fc.record({
      startOffset: fc.integer({ min: -10, max: 5000 }),
      endOffset: fc.integer({ min: -10, max: 5000 }),
      atMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      tsval: fc.option(fc.integer({ min: -5, max: 1e6 })),
      ackedOffset: fc.integer({ min: -10, max: 5000 }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 60 }), fc.integer({ min: -10, max: 6000 }), (segments, offset) => {
        const view = viewSegments(segments, 0, 20);
        const ticks = view?.handedTicks(offset) ?? [0, 0];
        expect(ticks[0]).toBeLessThanOrEqual(ticks[1]);
        view?.availableMs(offset);
        view?.acknowledged(offset);
        view?.lossBetween(offset, offset + 10);
        view?.heldBack(offset);
      }),
      { numRuns: 500 },
    );
  });
});
