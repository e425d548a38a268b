import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lowerEnvelope } from './envelope.ts';
import { seededRandom } from './random.ts';

/** Every line through two points that no point is below, judged by the sum of distances: slow and obvious. */
function slowly(x: number[], y: number[]): number {
  let best = Infinity;
  for (let a = 0; a < x.length; a++) {
    for (let b = a + 1; b < x.length; b++) {
      if (x[a] === x[b]) continue;
      const slope = (y[b]! - y[a]!) / (x[b]! - x[a]!);
      const gaps = x.map((at, i) => y[i]! - y[a]! - slope * (at - x[a]!));
      if (gaps.every((gap) => gap >= -1e-9))
        best = Math.min(
          best,
          gaps.reduce((sum, gap) => sum + gap, 0),
        );
    }
  }
  return best;
}

describe('lowerEnvelope()', () => {
  test('lies below all points and as close as the best of all lines', () => {
    const point = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(fc.array(point, { minLength: 2, maxLength: 14 }), (points) => {
        points.sort((a, b) => a[0] - b[0]);
        const [x, y] = [points.map(([x]) => x), points.map(([, y]) => y)];
        const line = lowerEnvelope(x, y);
        if (line === null) {
          expect(new Set(x).size).toBe(1);
          return;
        }
        const gaps = x.map((at, i) => y[i]! - line.intercept - line.slope * at);
        expect(Math.min(...gaps)).toBeGreaterThan(-1e-9);
        expect(gaps.reduce((sum, gap) => sum + gap, 0)).toBeCloseTo(slowly(x, y), 6);
      }),
    );
  });

  test('finds a drift of 40 ppm under queueing delay that is mostly there', () => {
    const next = seededRandom(7);
    const x = Array.from({ length: 500 }, (_, i) => i * 20);
    const y = x.map((ms) => 1000 + ms * 40e-6 + (next() < 0.3 ? 0 : 5 * next()) + 0.01 * next());
    expect(lowerEnvelope(x, y)!.slope * 1e6).toBeCloseTo(40, 0);
  });

  test('needs two moments', () => {
    expect(lowerEnvelope([], [])).toBeNull();
    expect(lowerEnvelope([3, 3], [1, 2])).toBeNull();
  });
});
