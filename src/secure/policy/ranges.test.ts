import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cidrsOf, cidrTexts, includes, intersect, type Range, rangesOf, sizeOf, subtract } from './ranges.ts';

const limit = 40;
const range = fc
  .tuple(fc.nat(limit), fc.nat(limit))
  .map(([a, b]): Range => [BigInt(Math.min(a, b)), BigInt(Math.max(a, b))]);
const ranges = fc.array(range, { maxLength: 6 }).map(rangesOf);
const all = Array.from({ length: limit + 2 }, (_, i) => BigInt(i));

test('union, intersection and difference have the members that the sets say, in the one normal form', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), ranges, (raw, b) => {
      const a = rangesOf(raw);
      for (const value of all) {
        const inRaw = raw.some(([first, last]) => first <= value && value <= last);
        expect(includes(a, value)).toBe(inRaw);
        expect(includes(intersect(a, b), value)).toBe(inRaw && includes(b, value));
        expect(includes(subtract(a, b), value)).toBe(inRaw && !includes(b, value));
      }
      for (const set of [a, intersect(a, b), subtract(a, b)]) expect(rangesOf(set)).toEqual(set);
      expect(sizeOf(a)).toBe(BigInt(all.filter((value) => includes(a, value)).length));
    }),
  );
});

test('CIDRs of a set hold exactly its addresses, and no two of them could be one', () => {
  fc.assert(
    fc.property(ranges, (set) => {
      const cidrs = cidrsOf(set, 4);
      expect(rangesOf(cidrs.map(({ first, last }): Range => [first, last]))).toEqual(set);
      const texts = new Set(cidrTexts(set, 4));
      for (const c of cidrs) {
        const buddy = c.first ^ (c.last - c.first + 1n);
        expect(texts.has(cidrTexts([[buddy, buddy + c.last - c.first]], 4)[0]!)).toBe(false);
      }
    }),
  );
});

test('all of IPv6 is one CIDR', () => {
  expect(cidrTexts([[0n, 2n ** 128n - 1n]], 6)).toEqual(['::/0']);
});
