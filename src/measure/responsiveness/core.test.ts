import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  draftParameters,
  evaluate,
  gradeOf,
  type Interval,
  pairsPerSecond,
  responsivenessOf,
  trimmedMean,
} from './core.ts';

/** An interval of 5 s at so many Mbit/s whose probes all take the given times. */
function interval(mbit: number, ms = 50, durationMs = 5000): Interval {
  const foreign = Array.from({ length: 20 }, () => ({ tcpMs: ms, tlsMs: ms, httpMs: ms }));
  return { durationMs, bytes: (mbit * 1e6 * durationMs) / 8000, foreign, self: Array.from({ length: 20 }, () => ms) };
}

describe('trimmedMean()', () => {
  test('leaves out the highest 5 %, by hand', () => {
    const twenty = [...Array.from({ length: 19 }, () => 10), 1000];
    expect(trimmedMean(twenty, 0.95)).toBe(10);
    // 0.95 × 10 is 9.5: nine are kept.
    expect(trimmedMean([1, 2, 3, 4, 5, 6, 7, 8, 9, 100], 0.95)).toBe(5);
    expect(trimmedMean([7], 0.95)).toBe(7);
    expect(trimmedMean([], 0.95)).toBeNaN();
  });

  test('agrees with sorting and cutting, and never exceeds the mean', () => {
    const sample = fc.double({ min: 0, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 200 }), (samples) => {
        const kept = [...samples].sort((a, b) => a - b).slice(0, Math.max(1, Math.floor((samples.length * 95) / 100)));
        const slow = kept.reduce((sum, value) => sum + value, 0) / kept.length;
        expect(trimmedMean(samples, 0.95)).toBeCloseTo(slow, 5);
        const all = samples.reduce((sum, value) => sum + value, 0) / samples.length;
        expect(trimmedMean(samples, 0.95)).toBeLessThanOrEqual(all + 1e-6);
      }),
    );
  });
});

describe('responsivenessOf()', () => {
  test('is the mean of foreign and loaded responsiveness, by hand', () => {
    // Foreign: (30 + 60 + 90) / 3 = 60 ms = 1000 RPM. Loaded: 200 ms = 300 RPM.
    const foreign = Array.from({ length: 10 }, () => ({ tcpMs: 30, tlsMs: 60, httpMs: 90 }));
    expect(responsivenessOf(foreign, [200, 200], 0.95)).toEqual({
      rpm: 650,
      foreignRpm: 1000,
      loadedRpm: 300,
      tcpMs: 30,
      tlsMs: 60,
      httpMs: 90,
      selfMs: 200,
    });
  });

  test('is unknown when one kind of probe never came back', () => {
    expect(responsivenessOf([], [10], 0.95)).toBeNull();
    expect(responsivenessOf([{ tcpMs: 1, tlsMs: 1, httpMs: 1 }], [], 0.95)).toBeNull();
  });

  test('falls when any probe gets slower', () => {
    const ms = fc.integer({ min: 1, max: 2000 });
    const probe = fc.record({ tcpMs: ms, tlsMs: ms, httpMs: ms });
    fc.assert(
      fc.property(
        fc.array(probe, { minLength: 1, maxLength: 30 }),
        fc.array(ms, { minLength: 1, maxLength: 30 }),
        ms,
        (foreign, self, more) => {
          const before = responsivenessOf(foreign, self, 0.95)!.rpm;
          const slower = foreign.map((one) => ({ ...one, httpMs: one.httpMs + more }));
          expect(responsivenessOf(slower, self, 0.95)!.rpm).toBeLessThan(before);
          expect(
            responsivenessOf(
              foreign,
              self.map((one) => one + more),
              0.95,
            )!.rpm,
          ).toBeLessThan(before);
        },
      ),
    );
  });
});

describe('evaluate()', () => {
  const run = (...intervals: Interval[]) => evaluate(intervals, draftParameters);

  test('a steady link is stable after four intervals, and its responsiveness after four more', () => {
    const seven = run(...Array.from({ length: 7 }, () => interval(50)));
    expect(seven).toMatchObject({ goodputStableAt: 3, responsivenessStableAt: null });
    expect(seven.confidence).toEqual({ goodput: 'high', responsiveness: 'low' });
    const eight = run(...Array.from({ length: 8 }, () => interval(50)));
    expect(eight).toMatchObject({ goodputStableAt: 3, responsivenessStableAt: 7 });
    expect(eight.confidence).toEqual({ goodput: 'high', responsiveness: 'high' });
    expect(eight.responsiveness.at(-1)!.rpm).toBe(1200);
    expect(eight.goodputBps.at(-1)).toBe(50e6);
  });

  test('goodput averages the last four intervals, by hand', () => {
    const { goodputBps } = run(...[10, 20, 30, 40, 50].map((mbit) => interval(mbit)));
    expect(goodputBps.map((bps) => bps / 1e6)).toEqual([10, 15, 20, 25, 35]);
    // An interval that took twice as long counts by its time.
    expect(run(interval(10, 50, 5000), interval(40, 50, 10_000)).goodputBps[1]! / 1e6).toBe(30);
  });

  test('a link that still speeds up is not stable', () => {
    const growing = [10, 20, 40, 80, 160, 320, 640, 1280].map((mbit) => interval(mbit));
    const evaluation = run(...growing);
    expect(evaluation.goodputStableAt).toBeNull();
    expect(evaluation.confidence).toEqual({ goodput: 'medium', responsiveness: 'low' });
    expect(run(...growing.slice(0, 3)).confidence.goodput).toBe('low');
  });

  test('responsiveness that wanders by more than 5 % is medium', () => {
    const steady = Array.from({ length: 4 }, () => interval(50, 10));
    const worse = [50, 100, 200, 400].map((ms) => interval(50, ms));
    expect(run(...steady, ...worse)).toMatchObject({ goodputStableAt: 3, responsivenessStableAt: null });
    expect(run(...steady, ...worse).confidence.responsiveness).toBe('medium');
  });

  test('intervals without probes are never stable', () => {
    const silent = { ...interval(50), foreign: [], self: [] };
    const evaluation = run(...Array.from({ length: 12 }, () => silent));
    expect(evaluation).toMatchObject({ goodputStableAt: 3, responsivenessStableAt: null });
    expect(evaluation.responsiveness.every((one) => one === null)).toBe(true);
  });

  test('nothing transferred is not stable: an idle link has no working conditions', () => {
    expect(run(...Array.from({ length: 6 }, () => interval(0))).goodputStableAt).toBeNull();
  });
});

describe('pairsPerSecond()', () => {
  test('keeps probes to 5 % of the capacity and to MPS', () => {
    // 20 Mbit/s × 5 % = 1 Mbit/s; a pair is 48,000 bit.
    expect(pairsPerSecond(20e6, draftParameters)).toBeCloseTo(1e6 / 48_000, 9);
    expect(pairsPerSecond(10e9, draftParameters)).toBe(100);
    expect(pairsPerSecond(1000, draftParameters)).toBe(1);
    expect(pairsPerSecond(null, draftParameters)).toBe(4);
  });
});

test('gradeOf() follows the scale of the draft', () => {
  expect([299, 300, 999, 1000, 5999, 6000].map(gradeOf)).toEqual(['poor', 'fair', 'fair', 'good', 'good', 'excellent']);
});
