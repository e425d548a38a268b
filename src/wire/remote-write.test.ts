import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSnappyBlock, readWriteRequest } from './remote-write.case.ts';
import { encodeWriteRequest } from './remote-write.ts';
import { snappyBlock } from './snappy.ts';

describe('snappyBlock()', () => {
  test('is read back by a decoder of its own, whatever the octets', () => {
    // Few different octets, so that copies of every length and overlap come.
    const octet = fc.integer({ min: 0, max: 3 });
    const dull = fc.array(octet, { maxLength: 600 }).map((all) => Uint8Array.from(all));
    fc.assert(
      fc.property(fc.oneof(dull, fc.uint8Array({ maxLength: 600 })), (bytes) => {
        expect(readSnappyBlock(snappyBlock(bytes)).equals(bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('takes literals and repetitions longer than every limit of the format', () => {
    let state = 1;
    const noise = Buffer.from(Array.from({ length: 70_000 }, () => (state = (state * 48_271) % 0x7fffffff) & 0xff));
    const all = [Buffer.alloc(0), Buffer.alloc(300_000, 'a'), noise, Buffer.concat([noise, noise.subarray(0, 5000)])];
    for (const bytes of all) expect(readSnappyBlock(snappyBlock(bytes)).equals(bytes)).toBe(true);
    expect(snappyBlock(all[1]!).length).toBeLessThan(15_000);
    expect(snappyBlock(noise).length).toBeLessThan(70_100);
  });
});

describe('encodeWriteRequest()', () => {
  const pair = fc.tuple(fc.string(), fc.string({ unit: 'grapheme' }));
  const series = fc.record({ labels: fc.array(pair, { maxLength: 5 }), value: fc.double() });
  const head = fc.record({
    family: fc.string(),
    type: fc.constantFrom('counter', 'gauge', 'histogram', 'info'),
    help: fc.string({ unit: 'grapheme', maxLength: 300 }),
  });
  test('is read back by a decoder of its own', () => {
    fc.assert(
      fc.property(
        fc.array(series, { maxLength: 5 }),
        fc.nat({ max: 2 ** 45 }),
        fc.array(head, { maxLength: 3 }),
        (all, atMs, heads) => {
          const read = readWriteRequest(encodeWriteRequest(all, atMs, heads));
          expect(read.series.map(({ labels }) => labels)).toEqual(all.map(({ labels }) => labels));
          expect(read.series.map(({ samples }) => samples.map((one) => [one.bits.readDoubleLE(), one.atMs]))).toEqual(
            all.map(({ value }) => [[value, atMs]]),
          );
          const types = { counter: 1, gauge: 2, histogram: 3, info: 6 } as const;
          expect(read.metadata).toEqual(heads.map((one) => ({ ...one, type: types[one.type] })));
        },
      ),
    );
  });

  test('ends a series with the NaN of Prometheus, bit by bit', () => {
    const [one] = readWriteRequest(encodeWriteRequest([{ labels: [['a', 'b']], value: 'stale' }], 1)).series;
    expect(one!.samples[0]!.bits.toString('hex')).toBe('020000000000f07f');
  });
});
