import fc from 'fast-check';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  addressBytes,
  addressText,
  checksumAdd,
  checksumFold,
  decrementTtl4,
  fragments4,
  packetVersion,
  sealHeader4,
} from './ip.ts';

describe('addressBytes() and addressText()', () => {
  test('undo each other for every IPv4 and IPv6 address', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (address) => {
        const text = addressText(address);
        expect(address.length === 4 ? isIPv4(text) : isIPv6(text)).toBe(true);
        expect(addressBytes(text)).toEqual(address);
      }),
    );
  });

  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['FD00:0:0:0:0:0:0:1', 'fd00::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:10.1.2.3', '::ffff:a01:203'],
    ['1::', '1::'],
    ['10.0.0.1', '10.0.0.1'],
  ])('write %s as %s', (text, shortest) => {
    expect(addressText(addressBytes(text))).toBe(shortest);
  });

  test.each(['', 'host', '1.2.3', '1.2.3.256', 'fe80::1%lab0', '::g', '1:2:3:4:5:6:7:8:9'])('refuse "%s"', (text) => {
    expect(() => addressBytes(text)).toThrow(TypeError);
  });
});

describe('checksum', () => {
  test('gives the worked example of RFC 1071 §3', () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(checksumFold(checksumAdd(bytes, 0, 8))).toBe(~0xddf2 & 0xffff);
  });

  test('folds to zero over any block that carries its own checksum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 3000 }), (data) => {
        const block = new Uint8Array(data.length + 2);
        block.set(data, 2);
        const sum = checksumFold(checksumAdd(block, 0, block.length));
        block.set([sum >> 8, sum & 0xff]);
        expect(checksumFold(checksumAdd(block, 0, block.length))).toBe(0);
      }),
    );
  });
});

test('decrementTtl4() mends the checksum as summing anew would, for any header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.integer({ min: 1, max: 255 }), (bytes, ttl) => {
      const header = Uint8Array.from(bytes);
      header[0] = 0x45;
      header[8] = ttl;
      sealHeader4(header, 0);
      decrementTtl4(header, 0);
      expect(header[8]).toBe(ttl - 1);
      expect(checksumFold(checksumAdd(header, 0, 20))).toBe(0);
    }),
  );
});

test('fragments4() covers the payload without gaps, in parts that fit and are multiples of eight', () => {
  const sizes = [
    fc.integer({ min: 5, max: 15 }),
    fc.integer({ min: 1, max: 9000 }),
    fc.integer({ min: 68, max: 1500 }),
  ] as const;
  fc.assert(
    fc.property(...sizes, (words, payload, mtu) => {
      const header = words * 4;
      let next = 0;
      for (const { offset, length } of fragments4(header, payload, mtu)) {
        expect(offset).toBe(next);
        expect(offset % 8).toBe(0);
        expect(header + length).toBeLessThanOrEqual(mtu);
        next += length;
      }
      expect(next).toBe(payload);
    }),
  );
});

test('packetVersion() accepts no packet whose own lengths reach beyond the bytes received', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const version = packetVersion(bytes, 0, bytes.length);
      if (version === 4) expect((bytes[2]! << 8) | bytes[3]!).toBeLessThanOrEqual(bytes.length);
      else if (version === 6) expect(((bytes[4]! << 8) | bytes[5]!) + 40).toBeLessThanOrEqual(bytes.length);
      else expect(version).toBe(0);
    }),
    { numRuns: 1000 },
  );
});
