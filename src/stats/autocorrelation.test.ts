import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { autocorrelation, findPeriod } from './autocorrelation.ts';
import { exponential, seededRandom } from './random.ts';

/** The definition, read aloud. */
function slow(series: readonly number[], lag: number): number {
  const n = series.length;
  const mean = series.reduce((a, b) => a + b, 0) / n;
  const variance = series.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  if (variance < (1e-12 * mean) ** 2 || variance === 0) return 0;
  const pairs = series.slice(lag).map((value, i) => (value - mean) * (series[i]! - mean));
  return pairs.reduce((a, b) => a + b, 0) / pairs.length / variance;
}

/** Bursts of `width` steps every `period` steps. */
function pulses(n: number, period: number, width: number): number[] {
  return Array.from({ length: n }, (_, i) => (i % period < width ? 1 : 0));
}

describe('autocorrelation', () => {
  test('equals its definition', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 60 }),
        fc.nat({ max: 80 }),
        (series, most) => {
          const found = autocorrelation(series, most);
          expect(found.length).toBe(Math.min(most, series.length - 1) + 1);
          for (const [lag, r] of found.entries()) expect(r).toBeCloseTo(slow(series, lag), 8);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is all zero for what never changes, and for nothing', () => {
    expect([...autocorrelation(Array(10).fill(0.1), 3)]).toEqual([0, 0, 0, 0]);
    expect([...autocorrelation([], 3)]).toEqual([0]);
  });
});

describe('findPeriod', () => {
  test('finds the period of pulses whatever their length and share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 60 }), fc.double({ min: 0.1, max: 0.8, noNaN: true }), (period, share) => {
        const width = Math.min(period - 1, Math.max(1, Math.round(period * share)));
        const found = findPeriod(pulses(512, period, width));
        expect(found?.lag).toBe(period);
        expect(found!.strength).toBeGreaterThan(0.9);
        expect(found!.again).toBeGreaterThan(0.9);
      }),
    );
  });

  test('finds none in a series that is too short for five of them, or that does not turn', () => {
    expect(findPeriod(pulses(40, 10, 5), { periods: 5 })).toBeNull();
    expect(findPeriod(Array.from({ length: 100 }, (_, i) => i))).toBeNull();
    expect(findPeriod([])).toBeNull();
  });

  test('bursts at random times seldom look like a period, and less often twice', () => {
    let fooled = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      const series = new Float64Array(512);
      for (let at = exponential(random, 25); at < 512; at += exponential(random, 25)) series[Math.floor(at)] = 1;
      const found = findPeriod(series);
      if (found && found.strength > 0.5 && found.again > 0.3) fooled++;
    }
    expect(fooled).toBeLessThanOrEqual(1);
  });
});
