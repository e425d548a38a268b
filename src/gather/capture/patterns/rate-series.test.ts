import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateSeries, SeriesPool } from './rate-series.ts';

describe('RateSeries', () => {
  test('holds the newest time at every width, whatever order and pauses packets come in', () => {
    const events = fc.array(fc.tuple(fc.integer({ min: -50, max: 20_000 }), fc.integer({ min: 1, max: 9000 })), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(events, (steps) => {
        const series = new RateSeries();
        let ms = 0;
        const all: { ms: number; octets: number }[] = [];
        for (const [step, octets] of steps) {
          ms = Math.max(0, ms + step);
          series.add(ms, octets);
          all.push({ ms, octets });
        }
        for (const [level, binMs] of [10, 80, 640].entries()) {
          const found = series.series(level);
          const newest = Math.max(...all.map((one) => Math.floor(one.ms / binMs)));
          const oldest = Math.max(Math.floor(all[0]!.ms / binMs), newest - 511);
          expect(found.length).toBe(newest - oldest + 1);
          // What came late, for a bin that had left by then, is not in it; of all else nothing may be lost.
          let high = -Infinity;
          const wanted = new Float64Array(found.length);
          for (const one of all) {
            const bin = Math.floor(one.ms / binMs);
            high = Math.max(high, bin);
            if (bin > high - 512 && bin >= oldest) wanted[bin - oldest]! += one.octets;
          }
          expect([...found]).toEqual([...wanted]);
        }
      }),
    );
  });

  test('finds periods of a tenth of a second and of half a minute', () => {
    for (const periodMs of [100, 700, 5000, 30_000]) {
      const series = new RateSeries();
      for (let ms = 0; ms < 12 * periodMs; ms += 5) if (ms % periodMs < periodMs / 3) series.add(ms, 1000);
      const found = series.period()!;
      expect(Math.abs(found.periodMs - periodMs)).toBeLessThanOrEqual(found.binMs);
      expect(found.strength).toBeGreaterThan(0.8);
      expect(found.depth).toBeGreaterThan(0.8);
    }
  });

  test('an even rate has no depth, though packets beat with the bins', () => {
    const series = new RateSeries();
    for (let ms = 0; ms < 20_000; ms += 0.53) series.add(ms, 65_160);
    expect(series.period()?.depth ?? 0).toBeLessThan(0.2);
  });
});

test('the pool gives a bounded number, and clean ones', () => {
  const pool = new SeriesPool(1);
  const first = pool.take()!;
  first.add(1, 100);
  expect(pool.take()).toBeNull();
  expect(pool.refused).toBe(1);
  pool.giveBack(first);
  expect(pool.take()!.series(0).length).toBe(0);
});
