import fc from 'fast-check';
import { expect, test } from 'vitest';
import { putAddress, WordIndex } from './word-index.ts';

test('numbers keys as a map does, in the order in which they come, and never more than it may', () => {
  // Few values, so that keys come again.
  const keys = fc.array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })), { maxLength: 400 });
  fc.assert(
    fc.property(keys, fc.integer(), fc.integer({ min: 1, max: 300 }), (list, seed, most) => {
      const index = new WordIndex(2, most, seed);
      const twin = new Map<string, number>();
      for (const [a, b] of list) {
        index.key.set([a, b]);
        expect(index.find()).toBe(twin.get(`${a} ${b}`) ?? -1);
        if (!twin.has(`${a} ${b}`) && twin.size < most) twin.set(`${a} ${b}`, twin.size);
        index.key.set([a, b]);
        expect(index.add()).toBe(twin.get(`${a} ${b}`) ?? -1);
      }
      expect(index.size).toBe(twin.size);
      for (const [key, number] of twin) {
        index.read(number);
        expect([...index.key].join(' ')).toBe(key);
      }
    }),
    { numRuns: 50 },
  );
});

test('an IPv4 address and the same one mapped into IPv6 are one', () => {
  const [four, six] = [new Uint32Array(4), new Uint32Array(4)];
  putAddress(four, 0, Buffer.from([10, 0, 0, 255]), 0, 4);
  putAddress(six, 0, Buffer.from('00000000000000000000ffff0a0000ff', 'hex'), 0, 6);
  expect(four).toEqual(six);
});
