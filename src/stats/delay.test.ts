import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipdv, jitter3550, lossRuns, summariseDelays } from './delay.ts';

const delays = fc.array(fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: null }), { maxLength: 100 });

describe('summariseDelays()', () => {
  test('is null when nothing arrived', () => {
    expect(summariseDelays([null, null])).toBeNull();
  });

  test('gives the values of a series worked out by hand', () => {
    const summary = summariseDelays([10, 12, null, 11, 15]);
    expect(summary).toMatchObject({ count: 4, min: 10, max: 15, median: 11.5, mean: 12, ipdvMedian: 3 });
    expect(summary!.pdvP99).toBeCloseTo(15 - 0.03 * 3 - 10, 9);
    expect(summary!.ipdvP99).toBeCloseTo(3.98, 9);
    expect(summary!.jitter3550).toBeCloseTo(((2 / 16) * (15 / 16) + 1 / 16) * (15 / 16) + 4 / 16, 9);
  });

  test('a constant added to every delay changes no jitter', () => {
    fc.assert(
      fc.property(delays, (series) => {
        const [a, b] = [summariseDelays(series), summariseDelays(series.map((d) => (d === null ? null : d + 100)))];
        if (a === null || b === null) return;
        expect(b.pdvP99).toBeCloseTo(a.pdvP99, 4);
        expect(b.ipdvP99).toBeCloseTo(a.ipdvP99, 4);
        expect(b.jitter3550).toBeCloseTo(a.jitter3550, 4);
        expect(b.min).toBeCloseTo(a.min + 100, 4);
      }),
    );
  });
});

describe('ipdv()', () => {
  test('pairs neighbours only, and a loss breaks the pair', () => {
    expect(ipdv([1, 4, null, 2, 1])).toEqual([3, -1]);
  });
});

describe('jitter3550()', () => {
  test('is 0 of fewer than two', () => {
    expect([jitter3550([]), jitter3550([5])]).toEqual([0, 0]);
  });

  test('never exceeds the largest step', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 100 }), (series) => {
        const largest = Math.max(0, ...ipdv(series).map(Math.abs));
        expect(jitter3550(series)).toBeLessThanOrEqual(largest + 1e-9);
      }),
    );
  });
});

describe('lossRuns()', () => {
  test('counts runs and the longest', () => {
    expect(lossRuns([true, true, false, true, false])).toEqual({ longest: 2, runs: 2 });
    expect(lossRuns([])).toEqual({ longest: 0, runs: 0 });
  });
});
