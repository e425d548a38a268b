import { describe, expect, test } from 'vitest';
import { StampClock } from './stamp-clock.ts';

function clockOf(tickMs: number, everyMs: number, count: number, delayMs: (i: number) => number = () => 0): StampClock {
  const clock = new StampClock();
  for (let i = 0; i < count; i++)
    clock.seen((0xffff_fff0 + Math.floor((i * everyMs) / tickMs)) >>> 0, i * everyMs + delayMs(i));
  return clock;
}

describe('the clock of a sender', () => {
  test.each([1, 4, 10, 100])('has a tick of %s ms, found from its stamps', (tickMs) => {
    expect(clockOf(tickMs, 20, 600).tickMs).toBe(tickMs);
  });

  test('is not known before 150 ms, nor when its tick is none in use', () => {
    expect(clockOf(1, 20, 7).tickMs).toBeNaN();
    expect(clockOf(7, 20, 600).tickMs).toBeNaN();
  });

  test('measures the time between two stamps, also across the wrap of the counter', () => {
    const clock = clockOf(1, 20, 600);
    expect(clock.betweenMs(0xffff_ffff, 9)).toBe(10);
  });

  test('is found though the path jitters', () => {
    expect(clockOf(1, 20, 600, (i) => (i * 7) % 30).tickMs).toBe(1);
  });
});
