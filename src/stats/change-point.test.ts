import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changePoint } from './change-point.ts';
import { normal, seededRandom } from './random.ts';

/** The definition, by comparing every pair. */
function bySigns(values: readonly number[]): { best: number; at: number } {
  let [best, at] = [0, 0];
  for (let t = 2; t <= values.length - 2; t++) {
    let sum = 0;
    for (let i = 0; i < t; i++) for (let j = t; j < values.length; j++) sum += Math.sign(values[i]! - values[j]!);
    if (Math.abs(sum) > best) [best, at] = [Math.abs(sum), t];
  }
  return { best, at };
}

const series = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 });

describe('changePoint()', () => {
  it('agrees with the definition', () => {
    fc.assert(
      fc.property(series, (values) => {
        const { best, at } = bySigns(values);
        const found = changePoint(values);
        const n = values.length;
        const confidence = 1 - Math.min(1, 2 * Math.exp((-6 * best ** 2) / (n ** 3 + n ** 2)));
        expect(found?.index).toBe(best === 0 ? undefined : at);
        expect(found?.confidence ?? 0).toBeCloseTo(best === 0 ? 0 : confidence, 9);
      }),
    );
  });

  it('counts only the order: a value that is far out may be as far out as it likes', () => {
    fc.assert(
      fc.property(series, (values) => {
        const highest = Math.max(...values);
        const wild = values.map((v) => (v === highest ? v * 1e9 + 1 : v));
        expect(changePoint(wild)?.index).toBe(changePoint(values)?.index);
        expect(changePoint(wild)?.confidence).toBe(changePoint(values)?.confidence);
      }),
    );
  });

  it('finds a step to within a few values, and is rarely sure of one where there is none', () => {
    let [alarms, near] = [0, 0];
    for (let seed = 1; seed <= 400; seed++) {
      const random = seededRandom(seed);
      const flat = Array.from({ length: 120 }, () => normal(random, 20, 2));
      if ((changePoint(flat)?.confidence ?? 0) > 0.9999) alarms++;
      const stepped = flat.map((v, i) => (i < 80 ? v : v + 6));
      const found = changePoint(stepped)!;
      if (Math.abs(found.index - 80) <= 4) near++;
      expect(found.confidence).toBeGreaterThan(0.9999);
    }
    expect(alarms).toBeLessThanOrEqual(1);
    expect(near).toBeGreaterThanOrEqual(380);
  });
});
