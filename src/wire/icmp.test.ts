import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeIcmp,
  internetChecksum,
  isPortUnreachable,
  isTimeExceeded,
  readEcho,
  readIPv4Header,
  writeEcho,
} from './icmp.ts';

const family = fc.constantFrom(4 as const, 6 as const);
const uint16 = fc.integer({ min: 0, max: 0xffff });

describe('internetChecksum()', () => {
  test('computes the example of RFC 1071 §3', () => {
    expect(internetChecksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7), 8)).toBe(~0xddf2 & 0xffff);
  });

  test('pads an odd octet with zero', () => {
    expect(internetChecksum(Uint8Array.of(1, 2, 3), 3)).toBe(internetChecksum(Uint8Array.of(1, 2, 3, 0), 4));
  });
});

describe('echo', () => {
  test('what writeEcho() writes readEcho() reads, and IPv4 carries a checksum that verifies', () => {
    fc.assert(
      fc.property(family, uint16, uint16, fc.integer({ min: 8, max: 100 }), (family, identifier, sequence, bytes) => {
        const packet = Buffer.alloc(bytes, 0x5a);
        writeEcho(packet, family, identifier, sequence);
        expect(readEcho(packet, 0, bytes, family)).toEqual({ reply: false, identifier, sequence });
        if (family === 4) expect(internetChecksum(packet, bytes)).toBe(0);
      }),
    );
  });

  test.each([
    [4 as const, 0],
    [6 as const, 129],
  ])('readEcho() knows the reply of IPv%d', (family, type) => {
    const packet = Buffer.from([type, 0, 0, 0, 0x12, 0x34, 0, 7]);
    expect(readEcho(packet, 0, 8, family)).toEqual({ reply: true, identifier: 0x1234, sequence: 7 });
    expect(readEcho(packet, 0, 7, family)).toBeNull();
    expect(readEcho(packet, 1, 8, family)).toBeNull();
  });

  test('readEcho() and readIPv4Header() never throw and never read past the end', () => {
    const offset = fc.integer({ min: -10, max: 80 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), offset, offset, family, (octets, offset, length, family) => {
        const bytes = Buffer.from(octets);
        const echo = readEcho(bytes, offset, length, family);
        if (echo) expect(offset + 8).toBeLessThanOrEqual(Math.min(length, bytes.length));
        const header = readIPv4Header(bytes, length);
        if (header) expect(header.headerBytes).toBeLessThanOrEqual(Math.min(length, bytes.length));
      }),
    );
  });

  test('readIPv4Header() reads length, TTL, protocol and source', () => {
    const bytes = Buffer.from('46000054ea7900003a01922dc0000201c000020200000000', 'hex');
    expect(readIPv4Header(bytes, 24)).toEqual({ headerBytes: 24, protocol: 1, ttl: 58, source: '192.0.2.1' });
    expect(readIPv4Header(bytes, 23)).toBeNull();
  });
});

describe('ICMP errors', () => {
  test.each([
    [4 as const, 3, 1, 'host unreachable (ICMP 3/1)'],
    [4 as const, 3, 200, 'unreachable (ICMP 3/200)'],
    [4 as const, 11, 0, 'time to live exceeded (ICMP 11/0)'],
    [6 as const, 1, 4, 'port unreachable (ICMPv6 1/4)'],
    [6 as const, 3, 0, 'time to live exceeded (ICMPv6 3/0)'],
    [6 as const, 2, 0, 'packet too big (ICMPv6 2/0)'],
    [4 as const, 5, 1, 'ICMP error (ICMP 5/1)'],
  ])('describeIcmp(%d, %d, %d) is %s', (family, type, code, text) => {
    expect(describeIcmp(family, type, code)).toBe(text);
  });

  test('tells the end of the path from a hop on it', () => {
    expect([isTimeExceeded(4, 11), isTimeExceeded(6, 3), isTimeExceeded(4, 3)]).toEqual([true, true, false]);
    expect([isPortUnreachable(4, 3, 3), isPortUnreachable(6, 1, 4), isPortUnreachable(6, 3, 3)]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
