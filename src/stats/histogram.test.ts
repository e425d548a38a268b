import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addSample,
  bucketsOf,
  countAtMost,
  type Histogram,
  histogramQuantile,
  makeHistogram,
  mergeHistogram,
  RELATIVE_ERROR,
} from './histogram.ts';
import { sorted } from './quantile.ts';

const samples = fc.array(fc.double({ min: 1e-5, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 });

function of(values: readonly number[]): Histogram {
  const histogram = makeHistogram();
  for (const value of values) addSample(histogram, value);
  return histogram;
}

describe('histogramQuantile()', () => {
  test('agrees with the nearest rank of the sorted samples to RELATIVE_ERROR', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
        const rising = sorted(values);
        const exact = rising[Math.max(1, Math.ceil(p * rising.length)) - 1]!;
        const found = histogramQuantile(of(values), p);
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR * (1 + 1e-9));
      }),
    );
  });

  test('is NaN of no samples', () => {
    expect(histogramQuantile(makeHistogram(), 0.5)).toBeNaN();
  });
});

describe('mergeHistogram()', () => {
  test('gives what all samples in one would have given', () => {
    fc.assert(
      fc.property(samples, samples, (a, b) => {
        const merged = of(a);
        mergeHistogram(merged, of(b));
        const whole = of([...a, ...b]);
        expect(bucketsOf(merged)).toEqual(bucketsOf(whole));
        expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max]);
        expect(merged.sum).toBeCloseTo(whole.sum, -3);
      }),
    );
  });
});

describe('bucketsOf()', () => {
  test('every sample lies in its bucket, and buckets do not overlap', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 ** 40, maxExcluded: true, noNaN: true }), (value) => {
        const [bucket] = bucketsOf(of([value]));
        expect(bucket!.low).toBeLessThanOrEqual(value);
        expect(bucket!.high).toBeGreaterThan(value);
      }),
    );
  });

  test('negative samples count as 0, and what is no number is ignored', () => {
    const histogram = of([-1, NaN, Infinity]);
    expect([histogram.count, histogram.min, histogram.max]).toEqual([1, 0, 0]);
  });
});

describe('countAtMost()', () => {
  test('never misses a sample at or below the limit, and rises to all', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1e9, noNaN: true }), (values, limit) => {
        const histogram = of(values);
        expect(countAtMost(histogram, limit)).toBeGreaterThanOrEqual(values.filter((v) => v <= limit).length);
        expect(countAtMost(histogram, 1e9)).toBe(values.length);
      }),
    );
  });
});
