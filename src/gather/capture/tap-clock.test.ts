import { expect, test } from 'vitest';
import { newFrame } from '../../wire/pcap/frame.ts';
import { TapClock } from './tap-clock.ts';

const at = (ms: number) => ({
  ...newFrame(),
  hasTime: true,
  seconds: 1000 + Math.floor(ms / 1000),
  nanoseconds: (((ms % 1000) + 1000) % 1000) * 1e6,
});
const clockAt = (...ms: number[]) => {
  const clock = new TapClock();
  for (const one of ms) clock.see(at(one));
  return clock;
};

test('packets that come late leave the clock where it is', () => {
  const clock = clockAt(0, 5000, 4000);
  expect(clock).toMatchObject({ nowMs: 5000, lastMs: 5000, backwards: 1, taps: 1 });
  expect(clock.see({ ...at(0), hasTime: false })).toBe(5000);
});

test('a file goes on with the one ahead of it, and may overlap by a second', () => {
  const clock = clockAt(0, 5000);
  clock.beginFile();
  clock.see(at(4100));
  expect(clock).toMatchObject({ nowMs: 5000, backwards: 1, taps: 1 });
  clock.beginFile();
  expect(clock.see(at(6000))).toBe(6000);
  expect(clock.taps).toBe(1);
});

test('a file that begins before the one ahead of it ended is of another tap', () => {
  const clock = clockAt(0, 5000);
  clock.beginFile();
  expect(clock.see(at(1000))).toBe(1000);
  expect(clock).toMatchObject({ nowMs: 1000, lastMs: 5000, backwards: 0, taps: 2 });
  // Only its first packet tells.
  clock.see(at(-50_000));
  expect(clock).toMatchObject({ nowMs: 1000, taps: 2 });
});

test('a thousand packets in a row that are a minute behind are of another tap, fewer are late', () => {
  const clock = clockAt(0, 100_000);
  for (let i = 0; i < 999; i++) clock.see(at(i));
  expect(clock.isBehind).toBe(false);
  clock.turn();
  expect(clock.taps).toBe(1);
  clock.see(at(999));
  expect(clock.isBehind).toBe(true);
  clock.turn();
  expect(clock).toMatchObject({ isBehind: false, nowMs: 999, lastMs: 100_000, taps: 2 });
});

test('two clocks whose packets come in turns are one tap', () => {
  const clock = clockAt(0);
  for (let i = 0; i < 5000; i++) {
    clock.see(at(i));
    clock.see(at(1e6 + i));
  }
  expect(clock).toMatchObject({ taps: 1, isBehind: false });
});
