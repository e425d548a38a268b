import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchLoopLag } from './loop-lag.ts';

let nowMs = 0;
const monoMs = () => nowMs;
/** Time passes on both clocks; a timer that is due runs. */
const pass = (ms: number) => {
  for (let i = 0; i < ms; i++) {
    nowMs++;
    vi.advanceTimersByTime(1);
  }
};
/** The loop stands still: the clock goes on, and the timer runs only once afterwards. */
const block = (ms: number) => {
  nowMs += ms;
};

beforeEach(() => {
  nowMs = 1000;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => vi.useRealTimers());

test('watchLoopLag() finds nothing in a loop that runs', () => {
  const lag = watchLoopLag(monoMs);
  pass(500);
  expect(lag.maxSinceMs(1000)).toBe(0);
  expect(lag.samples().length).toBe(50);
  lag.stop();
});

test('watchLoopLag() measures a stall, also one that is not over', () => {
  const lag = watchLoopLag(monoMs);
  pass(100);
  block(80);
  expect(lag.maxSinceMs(1000)).toBeGreaterThanOrEqual(70);
  pass(30);
  expect(lag.maxSinceMs(1000)).toBeCloseTo(80, -1);
  // What was before the moment that is asked about does not count.
  expect(lag.maxSinceMs(nowMs - 5)).toBe(0);
  lag.stop();
});

test('watchLoopLag() keeps a bounded past and stops', () => {
  const lag = watchLoopLag(monoMs);
  pass(130_000);
  expect(lag.samples().length).toBeLessThanOrEqual(12_000);
  lag.stop();
  const before = lag.samples().length;
  pass(1000);
  expect(lag.samples().length).toBe(before);
});
