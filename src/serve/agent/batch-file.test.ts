import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchName, decodeBatchFile, encodeBatchFile, parseBatchName } from './batch-file.ts';

const key = fc.stringMatching(/^[A-Za-z0-9.:-]{8,64}$/);
const batch = fc.record({
  key,
  samples: fc.nat(50_000),
  encoding: fc.constantFrom('identity' as const, 'gzip' as const),
  payload: fc.uint8Array({ maxLength: 300 }),
});

describe('batch file', () => {
  test('a batch comes back as it was written', () => {
    fc.assert(
      fc.property(batch, (one) => {
        const back = decodeBatchFile(encodeBatchFile(one))!;
        expect({ ...back, payload: [...back.payload] }).toEqual({ ...one, payload: [...one.payload] });
      }),
    );
  });

  test('a file that lost its end, grew or had a bit changed is none', () => {
    fc.assert(
      fc.property(batch, fc.nat(), fc.nat(7), (one, at, bit) => {
        const file = encodeBatchFile(one);
        expect(decodeBatchFile(file.subarray(0, at % file.length))).toBeNull();
        expect(decodeBatchFile(Buffer.concat([file, Buffer.alloc(1 + (at % 9))]))).toBeNull();
        file[at % file.length]! ^= 1 << bit;
        expect(decodeBatchFile(file)).toBeNull();
      }),
    );
  });

  test('octets of any kind are a batch or null, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        const head = Buffer.from('4946504201', 'hex');
        expect(decodeBatchFile(Buffer.from(octets))).toBeNull();
        expect(decodeBatchFile(Buffer.concat([head, octets]))).toBeNull();
      }),
    );
  });

  test('its name says what is in it and sorts by age', () => {
    fc.assert(
      fc.property(key, fc.nat(1e9), fc.nat(50_000), fc.nat(1e9), (key, sequence, samples, bytes) => {
        const one = { sequence, samples, bytes, key };
        expect(parseBatchName(batchName(one))).toEqual(one);
        expect(batchName(one) < batchName({ ...one, sequence: sequence + 1 })).toBe(true);
      }),
    );
    for (const name of [
      'ledger.json',
      '1_2_3_key.batch',
      '000000000001_1_1_../../../x.batch',
      `${'9'.repeat(17)}_1_1_aaaaaaaa.batch`,
    ])
      expect(parseBatchName(name), name).toBeNull();
  });
});
