import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientHello, isAnswerRecord, renewRandom } from './client-hello.ts';

describe('clientHello()', () => {
  test('every length says what stands behind it, whatever the name', () => {
    fc.assert(
      fc.property(fc.option(fc.stringMatching(/^[a-z\d.-]{1,253}$/), { nil: undefined }), (name) => {
        const hello = clientHello(name);
        expect(hello.readUInt16BE(3)).toBe(hello.length - 5);
        expect(hello.readUIntBE(6, 3)).toBe(hello.length - 9);
        // Behind version, random octets, an empty session, three suites and no compression.
        const start = 11 + 32 + 1 + 8 + 2 + 2;
        expect(hello.readUInt16BE(start - 2)).toBe(hello.length - start);
        const types: number[] = [];
        for (let at = start; at < hello.length; at += 4 + hello.readUInt16BE(at + 2)) {
          types.push(hello.readUInt16BE(at));
          expect(at + 4 + hello.readUInt16BE(at + 2)).toBeLessThanOrEqual(hello.length);
        }
        expect(types).toEqual([...(name === undefined ? [] : [0]), 10, 13, 43, 51]);
        expect(hello.includes(name ?? '')).toBe(true);
      }),
    );
  });

  test('new random octets change these 32 and nothing else', () => {
    const hello = clientHello('example.org');
    const before = Buffer.from(hello);
    renewRandom(hello);
    expect(hello.subarray(11, 43)).not.toEqual(before.subarray(11, 43));
    hello.fill(0, 11, 43);
    expect(hello).toEqual(before);
  });
});

describe('isAnswerRecord()', () => {
  test('takes handshakes and alerts of SSL 3 to TLS 1.3, nothing else', () => {
    expect(isAnswerRecord(Uint8Array.of(0x16, 3, 3, 0, 80))).toBe(true);
    expect(isAnswerRecord(Uint8Array.of(0x15, 3, 1, 0, 2))).toBe(true);
    for (const other of [
      'HTTP/',
      'SSH-2',
      '220 m',
      '\x17\x03\x03\x00\x10',
      '\x16\x03\x03\x00\x00',
      '\x16\x03\x03\xff\xff',
    ])
      expect(isAnswerRecord(Buffer.from(other, 'latin1')), other).toBe(false);
  });
});
