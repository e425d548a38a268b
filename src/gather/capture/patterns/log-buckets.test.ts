import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketQuantile, bucketsFor, countBelow, halfOctave, lowerEdge } from './log-buckets.ts';

test('a number lies in its bucket and in no other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (n) => {
      const bucket = halfOctave(n);
      expect(lowerEdge(bucket)).toBeLessThanOrEqual(n);
      expect(lowerEdge(bucket + 1)).toBeGreaterThan(n);
      expect(bucket).toBeLessThan(bucketsFor(31));
    }),
  );
});

test('a quantile is that of the sorted numbers to half of itself', () => {
  const numbers = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(numbers, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, p) => {
      const counts = new Uint32Array(3 + bucketsFor(20));
      for (const n of list) counts[3 + halfOctave(n)]!++;
      const exact = [...list].sort((a, b) => a - b)[Math.ceil(p * list.length) - 1]!;
      const found = bucketQuantile(counts, 3, bucketsFor(20), p)!;
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.5 * exact + 1);
      const below = countBelow(counts, 3, bucketsFor(20), 1024);
      expect(below).toBe(list.filter((n) => n < 1024).length);
    }),
  );
  expect(bucketQuantile(new Uint32Array(9), 0, 9, 0.5)).toBeNull();
});
