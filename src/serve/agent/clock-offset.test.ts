import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClockOffset } from './clock-offset.ts';

/** What an answer says when the server is `offsetMs` ahead, and reads its clock somewhere on the way. */
function answer(offsetMs: number, sentAtMs: number, upMs: number, downMs: number, resolutionMs = 1000) {
  const truth = sentAtMs + upMs + offsetMs;
  return {
    dateMs: Math.floor(truth / resolutionMs) * resolutionMs,
    resolutionMs,
    sentAtMs,
    headAtMs: sentAtMs + upMs + downMs,
  };
}

test('the truth always lies within the bounds, and many answers narrow them', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e7, max: 1e7 }),
      fc.array(fc.record({ gapMs: fc.integer({ min: 1, max: 20_000 }), upMs: fc.nat(200), downMs: fc.nat(200) }), {
        minLength: 1,
        maxLength: 80,
      }),
      (offsetMs, answers) => {
        const clock = new ClockOffset();
        let nowMs = 1_700_000_000_000;
        let width = Infinity;
        for (const { gapMs, upMs, downMs } of answers) {
          nowMs += gapMs;
          clock.note(answer(offsetMs, nowMs, upMs, downMs), nowMs);
          const [low, high] = clock.bounds(nowMs)!;
          expect(low).toBeLessThanOrEqual(offsetMs);
          expect(high).toBeGreaterThanOrEqual(offsetMs);
          expect(high - low).toBeLessThanOrEqual(1000 + upMs + downMs);
          width = high - low;
        }
        expect(width).toBeLessThanOrEqual(1400);
      },
    ),
  );
});

test('whole seconds at changing moments tell the offset to some ten milliseconds', () => {
  const clock = new ClockOffset();
  for (let n = 0; n < 64; n++) clock.note(answer(250, 1_700_000_000_000 + n * 15_137, 10, 10), n * 15_137);
  const [low, high] = clock.bounds(63 * 15_137)!;
  expect(high - low).toBeLessThan(150);
});

test('a clock that was set is seen at the next answer, and old ones do not count any more', () => {
  const clock = new ClockOffset();
  for (let n = 0; n < 10; n++) clock.note(answer(0, 1e12 + n * 1000, 5, 5), n * 1000);
  clock.note(answer(60_000, 1e12 + 11_000, 5, 5), 11_000);
  const [low, high] = clock.bounds(11_000)!;
  expect(low).toBeLessThanOrEqual(60_000);
  expect(high).toBeGreaterThanOrEqual(60_000);
});

test('nonsense says nothing', () => {
  const clock = new ClockOffset();
  clock.note({ dateMs: NaN, resolutionMs: 1000, sentAtMs: 0, headAtMs: 1 }, 0);
  clock.note({ dateMs: 5, resolutionMs: 1000, sentAtMs: 10, headAtMs: 1 }, 0);
  expect(clock.bounds(0)).toBeNull();
});
