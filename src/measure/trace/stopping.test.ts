import { expect, test } from 'vitest';
import { flowsNeeded } from './stopping.ts';

test.each([
  [0.95, [6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70]],
  [0.99, [8, 15, 21, 28, 36, 43]],
])('flowsNeeded() gives the published table at %d', (confidence, expected) => {
  expect(expected.map((_, i) => flowsNeeded(i + 1, confidence))).toEqual(expected);
});

test('flowsNeeded() agrees with the closed sum of the papers while its digits last', () => {
  const seesAll = (branches: number, draws: number) => {
    let [sum, choose] = [0, 1];
    for (let i = 0; i <= branches; i++) {
      sum += (i % 2 === 0 ? 1 : -1) * choose * (1 - i / branches) ** draws;
      choose = (choose * (branches - i)) / (i + 1);
    }
    return sum;
  };
  for (const confidence of [0.5, 0.9, 0.95, 0.99, 0.999]) {
    for (let found = 1; found <= 15; found++) {
      const draws = flowsNeeded(found, confidence);
      expect(seesAll(found + 1, draws)).toBeGreaterThanOrEqual(confidence - 1e-9);
      expect(seesAll(found + 1, draws - 1)).toBeLessThan(confidence + 1e-9);
    }
  }
});

test('flowsNeeded() treats a hop that nobody answered at like one that is known', () => {
  expect(flowsNeeded(0, 0.95)).toBe(6);
});
