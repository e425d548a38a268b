import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

test('Pace sends at its rate whatever the steps of the clock are, and never early', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 20, noNaN: true }), { minLength: 1, maxLength: 200 }), (steps) => {
      const pace = new Pace(8_000_000); // 1000 octets per ms
      let [nowMs, sent] = [1000, 0];
      for (const step of steps) {
        while (pace.delayMs(nowMs) === 0) {
          pace.sent(500);
          sent += 500;
        }
        expect(sent).toBeLessThanOrEqual((nowMs - 1000) * 1000 + 500.001);
        nowMs += step;
      }
      // Steps are shorter than what is made up for, so nothing is left behind either.
      expect(sent).toBeGreaterThanOrEqual((nowMs - steps.at(-1)! - 1000) * 1000 - 0.001);
    }),
  );
});

test('Pace does not make up for a long stall', () => {
  const pace = new Pace(8_000_000);
  expect(pace.delayMs(0)).toBe(0);
  pace.sent(1000);
  expect(pace.delayMs(10_000)).toBe(0);
  expect(pace.dueBytes(10_000)).toBeCloseTo(100_000);
});

test('Pace without a rate has everything due', () => {
  const pace = new Pace(0);
  pace.sent(1e12);
  expect([pace.delayMs(5), pace.dueBytes(5)]).toEqual([0, Infinity]);
});
