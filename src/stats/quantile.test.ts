import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialCdf } from './binomial.ts';
import {
  median,
  medianAbsoluteDeviation,
  quantile,
  quantileBounds,
  quantileInterval,
  samplesNeeded,
  sorted,
} from './quantile.ts';
import { exponential, seededRandom } from './random.ts';

const samples = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });

describe('quantile()', () => {
  it('interpolates between order statistics (type 7)', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.9)).toBeCloseTo(3.7, 12);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('rises with p and stays within the samples', () => {
    fc.assert(
      fc.property(
        samples,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, a, b) => {
          const rising = sorted(list);
          const [low, high] = [quantile(rising, Math.min(a, b)), quantile(rising, Math.max(a, b))];
          expect(low).toBeLessThanOrEqual(high);
          expect(low).toBeGreaterThanOrEqual(rising[0]!);
          expect(high).toBeLessThanOrEqual(rising.at(-1)!);
        },
      ),
    );
  });

  it('sorted() leaves out what is not a number', () => {
    expect([...sorted([3, NaN, 1, Infinity, 2])]).toEqual([1, 2, 3]);
  });

  it('median and MAD are those of the textbook', () => {
    expect(median([1, 1, 2, 2, 4, 6, 9])).toBe(2);
    expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
  });
});

describe('quantileBounds()', () => {
  it('has no upper bound of the p99 below 299 samples and one from 299 on', () => {
    const rising = Float64Array.from({ length: 299 }, (_, i) => i);
    expect(quantileBounds(rising.subarray(0, 298), 0.99).upper).toBeNull();
    expect(quantileBounds(rising, 0.99).upper).toBe(298);
  });

  it('takes the ranks that a search through all ranks finds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.double({ min: 0.02, max: 0.98, noNaN: true }), (n, p) => {
        const ranks = Array.from({ length: n }, (_, i) => i + 1);
        const lower = ranks.findLast((rank) => binomialCdf(rank - 1, n, p) <= 1 - 0.95) ?? null;
        const upper = ranks.find((rank) => 1 - binomialCdf(rank - 1, n, p) <= 1 - 0.95) ?? null;
        expect(quantileBounds(ranks, p)).toEqual({ lower, upper });
      }),
    );
  });

  it.each([
    [0.5, 40],
    [0.9, 80],
    [0.99, 500],
  ])('each end holds in 19 of 20 simulated runs at p = %d with n = %d', (p, n) => {
    const random = seededRandom(7);
    const truth = -Math.log(1 - p);
    const runs = 3000;
    let [lowerHolds, upperHolds] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const { lower, upper } = quantileBounds(sorted(Array.from({ length: n }, () => exponential(random, 1))), p);
      if (lower !== null && lower <= truth) lowerHolds++;
      if (upper !== null && upper >= truth) upperHolds++;
    }
    // Three standard errors of a share of 95 % in 3000 runs are 1.2 %.
    expect(lowerHolds / runs).toBeGreaterThan(0.938);
    expect(upperHolds / runs).toBeGreaterThan(0.938);
  });
});

describe('quantileInterval()', () => {
  it('is null where n is too small and otherwise holds the sample quantile', () => {
    expect(quantileInterval([1, 2, 3, 4, 5], 0.5)).toBeNull();
    expect(quantileInterval([1, 2, 3, 4, 5, 6], 0.5)).toEqual([1, 6]);
    expect(quantileInterval([], 0.5)).toBeNull();
  });

  it('covers the true median in at least 95 % of simulated runs', () => {
    const random = seededRandom(11);
    let held = 0;
    for (let run = 0; run < 3000; run++) {
      const [low, high] = quantileInterval(sorted(Array.from({ length: 25 }, () => exponential(random, 10))), 0.5)!;
      if (low <= 10 * Math.LN2 && 10 * Math.LN2 <= high) held++;
    }
    expect(held / 3000).toBeGreaterThan(0.938);
  });
});

describe('samplesNeeded()', () => {
  it('gives the known numbers', () => {
    expect(samplesNeeded(0.99)).toBe(299);
    expect(samplesNeeded(0.95)).toBe(59);
    expect(samplesNeeded(0.5)).toBe(5);
    expect(samplesNeeded(0.99, 0.95, 1)).toBe(473);
    expect(() => samplesNeeded(1)).toThrow(RangeError);
  });

  it('is exactly where the upper bound appears', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 0.97, noNaN: true }), (p) => {
        const n = samplesNeeded(p);
        const rising = Array.from({ length: n }, (_, i) => i);
        expect(quantileBounds(rising, p).upper).not.toBeNull();
        expect(quantileBounds(rising.slice(1), p).upper).toBeNull();
      }),
    );
  });
});
