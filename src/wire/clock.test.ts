import { describe, expect, test } from 'vitest';
import { CLOCK_REALTIME, KernelClock } from './clock.ts';

/** Two clocks that advance by `tickNs` at every reading. */
function fakeClocks(tickNs = 1000n) {
  const state = { mono: 5_000_000_000n, wall: 1_900_000_000_000_000_000n, tickNs };
  const read = (clock: number, timespec: Buffer) => {
    state.mono += state.tickNs;
    state.wall += state.tickNs;
    const ns = clock === CLOCK_REALTIME ? state.wall : state.mono;
    timespec.writeBigInt64LE(ns / 1_000_000_000n, 0);
    timespec.writeBigInt64LE(ns % 1_000_000_000n, 8);
  };
  return { state, read };
}

describe('KernelClock', () => {
  test('maps a wall-clock stamp to the monotonic scale to better than its stated uncertainty', () => {
    const { read, state } = fakeClocks();
    const clock = new KernelClock(read);
    const offsetNs = state.wall - state.mono;
    const stampNs = 7_000_000_123n + offsetNs;
    const mono = clock.toMonoMs(Number(stampNs / 1_000_000_000n), Number(stampNs % 1_000_000_000n));
    expect(Math.abs(mono - 7000.000_123)).toBeLessThanOrEqual(clock.uncertaintyMs + 1e-6);
  });

  test('sample() reports a step of the wall clock and remembers the largest', () => {
    const { read, state } = fakeClocks();
    const clock = new KernelClock(read);
    expect(clock.sample()).toBe(0);
    state.wall -= 30_000_000n;
    expect(clock.sample()).toBeCloseTo(-30, 3);
    state.wall += 5_000_000n;
    expect(clock.sample()).toBeCloseTo(5, 3);
    expect(clock.sample()).toBe(0);
    expect(clock.largestStepMs).toBeCloseTo(-30, 3);
  });

  test('sample() does not take slow readings for a step', () => {
    const { read, state } = fakeClocks();
    const clock = new KernelClock(read);
    state.tickNs = 3_000_000n;
    expect(clock.sample()).toBe(0);
    expect(clock.uncertaintyMs).toBeCloseTo(3, 3);
  });

  test.runIf(process.platform === 'linux')('monoMs() is the scale of process.hrtime()', () => {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const now = new KernelClock().monoMs();
    const after = Number(process.hrtime.bigint()) / 1e6;
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(after);
  });
});
