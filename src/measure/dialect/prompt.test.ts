import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePrompt } from './prompt.ts';

/** mulberry32: any seeded source will do. */
function seeded(seed: number): { next: () => number } {
  let state = seed;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

test('makePrompt() begins with the nonce and has four bytes per token', () => {
  fc.assert(
    fc.property(fc.integer({ min: 30, max: 20_000 }), fc.uuid(), fc.nat(), (tokens, nonce, seed) => {
      const prompt = makePrompt(tokens, nonce, seeded(seed));
      expect(prompt.startsWith(nonce)).toBe(true);
      expect(Buffer.byteLength(prompt)).toBeGreaterThanOrEqual(tokens * 4);
      expect(Buffer.byteLength(prompt)).toBeLessThan(tokens * 4 + 12);
    }),
    { numRuns: 50 },
  );
});

test('makePrompt() is the same for the same source and different for another', () => {
  expect(makePrompt(500, 'n', seeded(1))).toBe(makePrompt(500, 'n', seeded(1)));
  expect(makePrompt(500, 'n', seeded(1))).not.toBe(makePrompt(500, 'n', seeded(2)));
});

test('makePrompt() of nothing, of nonsense and of a broken random source still ends', () => {
  expect(makePrompt(0, 'n', seeded(1))).toBe('n: continue this text at length.');
  expect(makePrompt(Number.NaN, 'n', seeded(1))).toBe('n: continue this text at length.');
  expect(makePrompt(100, 'n', { next: () => 1 })).toContain(' world');
});
