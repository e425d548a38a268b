import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialCdf } from './binomial.ts';
import { exactProportion, mean, meanInterval, trialsNeeded, wilson } from './interval.ts';
import { normal, seededRandom } from './random.ts';

/** Probability that an interval of the number of hits in n covers the true share: summed over all outcomes, no simulation. */
function coverage(n: number, share: number, of: (hits: number) => readonly [number, number]): number {
  let covered = 0;
  for (let hits = 0; hits <= n; hits++) {
    const [low, high] = of(hits);
    if (low <= share && share <= high) covered += binomialCdf(hits, n, share) - binomialCdf(hits - 1, n, share);
  }
  return covered;
}

describe('wilson()', () => {
  it('gives the textbook interval', () => {
    const [low, high] = wilson(10, 100)!;
    expect(low).toBeCloseTo(0.0552, 4);
    expect(high).toBeCloseTo(0.1744, 4);
  });

  it('is exactly 0 and 1 at the ends and null without trials', () => {
    expect(wilson(0, 37)![0]).toBe(0);
    expect(wilson(37, 37)![1]).toBe(1);
    expect(wilson(0, 37)![1]).toBeGreaterThan(0);
    expect(wilson(0, 0)).toBeNull();
    expect(() => wilson(3, 2)).toThrow(RangeError);
  });

  it('holds the share, and mirrors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(5000), (n, at) => {
        const hits = at % (n + 1);
        const [low, high] = wilson(hits, n)!;
        expect(low).toBeLessThanOrEqual(hits / n);
        expect(high).toBeGreaterThanOrEqual(hits / n);
        expect(wilson(n - hits, n)![0]).toBeCloseTo(1 - high, 12);
      }),
    );
  });

  it('covers 95 % on average over all shares', () => {
    const shares = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
    const average = mean(shares.map((share) => coverage(60, share, (hits) => wilson(hits, 60)!)));
    expect(average).toBeGreaterThan(0.95);
  });
});

describe('exactProportion()', () => {
  it('covers at least 95 % for every share', () => {
    for (const share of [0.001, 0.01, 0.03, 0.2, 0.5, 0.77, 0.99]) {
      expect(coverage(80, share, (hits) => exactProportion(hits, 80)!)).toBeGreaterThanOrEqual(0.95);
    }
  });

  it('is the rule of three without a hit', () => {
    expect(exactProportion(0, 300, 0.9)![1]).toBeCloseTo(1 - 0.05 ** (1 / 300), 10);
    expect(exactProportion(0, 0)).toBeNull();
  });
});

describe('trialsNeeded()', () => {
  it('is exactly where the upper end of no hits falls to the limit', () => {
    for (const max of [0.001, 0.01, 0.02, 0.1, 0.5]) {
      const n = trialsNeeded(max, 0.9);
      expect(wilson(0, n, 0.9)![1]).toBeLessThanOrEqual(max + 1e-12);
      expect(wilson(0, n - 1, 0.9)![1]).toBeGreaterThan(max);
    }
    expect(trialsNeeded(0.01, 0.9)).toBe(268);
    expect(() => trialsNeeded(0)).toThrow(RangeError);
  });
});

describe('meanInterval()', () => {
  it('is that of Student 1908: t of 9 degrees of freedom', () => {
    const [low, high] = meanInterval([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])!;
    expect((low + high) / 2).toBeCloseTo(2.33, 10);
    expect(low).toBeCloseTo(0.8977, 3);
    expect(meanInterval([1])).toBeNull();
  });

  it('covers the true mean in about 95 % of simulated runs of eight normal samples', () => {
    const random = seededRandom(3);
    let held = 0;
    for (let run = 0; run < 2000; run++) {
      const [low, high] = meanInterval(Array.from({ length: 8 }, () => normal(random, 5, 2)))!;
      if (low <= 5 && 5 <= high) held++;
    }
    // Three standard errors: 1.5 %.
    expect(Math.abs(held / 2000 - 0.95)).toBeLessThan(0.015);
  });
});
