import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bounds, coarser, countedBounds, makeTally, observe } from './buckets.ts';

test('fewer bounds of the same counts are what counting by them gives', () => {
  const pairs = [
    [countedBounds.ttft, bounds.ttft],
    [countedBounds.ttft, bounds.request],
    [countedBounds.tokenGap, bounds.tokenGap],
    [countedBounds.tokenGap, bounds.request],
  ] as const;
  const value = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constantFrom(...countedBounds.ttft));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 50 }), fc.constantFrom(...pairs), (values, [fine, wanted]) => {
      const [counted, direct] = [makeTally(fine), makeTally(wanted)];
      for (const one of values) for (const tally of [counted, direct]) observe(tally, one);
      expect(coarser(counted, wanted)).toEqual(direct);
    }),
  );
});
