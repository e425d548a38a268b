import { expect, test } from 'vitest';
import { SteadyClock } from './steady-clock.ts';

function bench() {
  const at = { monoMs: 5000, aheadMs: 1_700_000_000_000 };
  const steady = new SteadyClock({ monoMs: () => at.monoMs, wallMs: () => at.monoMs + at.aheadMs });
  const start = at.aheadMs;
  /** Looks every ten seconds; the answer as an offset to the clock at the start. */
  const after = (ms: number) => {
    for (let gone = 0; gone < ms; gone += 10_000) {
      at.monoMs += 10_000;
      steady.nowMs();
    }
    return steady.nowMs() - at.monoMs - start;
  };
  return { at, after, step: (ms: number) => void (at.aheadMs = start + ms) };
}
const year = 365 * 86_400_000;

test('a step forward counts when it has lasted for an hour, one that is taken back never does', () => {
  const { after, step } = bench();
  expect(after(60_000)).toBe(0);
  step(year);
  expect(after(3_000_000)).toBe(0);
  step(0);
  expect(after(7_200_000)).toBe(0);
  step(2 * year);
  expect(after(3_500_000)).toBe(0);
  expect(after(200_000)).toBe(2 * year);
});

test('a step backward counts at once, and slewing always', () => {
  const { at, after, step } = bench();
  step(-year);
  expect(after(10_000)).toBe(-year);
  step(0);
  expect(after(10_000)).toBe(0);
  for (let i = 0; i < 100; i++) {
    at.aheadMs += 50_000;
    after(10_000);
  }
  expect(after(10_000)).toBe(5_000_000);
});
