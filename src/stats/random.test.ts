import { expect, it } from 'vitest';
import { mean } from './interval.ts';
import { exponential, normal, seededRandom } from './random.ts';

it('seededRandom() repeats itself for the same seed and differs for another', () => {
  const take = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
  expect(take(1)).toEqual(take(1));
  expect(take(1)).not.toEqual(take(2));
});

it('seededRandom() fills [0, 1) evenly', () => {
  const random = seededRandom(5);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 20_000; i++) counts[Math.floor(random() * 10)]!++;
  // χ² of 9 degrees of freedom is below 27.9 with probability 99.9 %.
  expect(counts.reduce((sum, c) => sum + (c - 2000) ** 2 / 2000, 0)).toBeLessThan(27.9);
});

it('exponential() and normal() have the mean asked for', () => {
  const random = seededRandom(6);
  expect(mean(Array.from({ length: 20_000 }, () => exponential(random, 10)))).toBeCloseTo(10, 0);
  expect(mean(Array.from({ length: 20_000 }, () => normal(random, 10, 2)))).toBeCloseTo(10, 1);
});
