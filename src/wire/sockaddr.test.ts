import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSockaddr, encodeSockaddr, formatIPv6 } from './sockaddr.ts';

const port = fc.integer({ min: 0, max: 0xffff });

describe('sockaddr', () => {
  test('lays out sockaddr_in with port and address in network order', () => {
    const bytes = Buffer.alloc(28, 0xff);
    expect(encodeSockaddr(bytes, '192.0.2.1', 443)).toBe(16);
    expect(bytes.subarray(0, 16).toString('hex')).toBe('020001bbc00002010000000000000000');
  });

  test('lays out sockaddr_in6 with scope in host order', () => {
    const bytes = Buffer.alloc(28, 0xff);
    expect(encodeSockaddr(bytes, 'fe80::1%7', 80)).toBe(28);
    expect(bytes.toString('hex')).toBe('0a00005000000000fe80000000000000000000000000000107000000');
    expect(decodeSockaddr(bytes)).toEqual({ family: 6, address: 'fe80::1%7', port: 80 });
  });

  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('reads %s back as %s', (text, canonical) => {
    const bytes = Buffer.alloc(28);
    encodeSockaddr(bytes, text, 1);
    expect(decodeSockaddr(bytes)?.address).toBe(canonical);
  });

  test('round-trips every IPv4 and IPv6 address', () => {
    const bytes = Buffer.alloc(28);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (address, port) => {
        const length = encodeSockaddr(bytes, address, port);
        const first = decodeSockaddr(bytes, 0, length);
        if (first === null) throw new Error(`cannot decode ${address}`);
        expect(first.port).toBe(port);
        const before = Buffer.from(bytes);
        encodeSockaddr(bytes, first.address, first.port);
        expect(bytes.equals(before)).toBe(true);
      }),
    );
  });

  test('formatIPv6() agrees with the URL parser of Node', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        const bytes = Buffer.from(octets);
        const full = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':');
        expect(`[${formatIPv6(bytes, 0)}]`).toBe(new URL(`http://[${full}]/`).hostname);
      }),
    );
  });

  test('decodeSockaddr() never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        const decoded = decodeSockaddr(Buffer.from(octets));
        expect(decoded === null || decoded.address.length > 0).toBe(true);
      }),
    );
  });

  test.each(['example.com', '', '1.2.3', '::1%nosuchinterface'])('refuses "%s"', (address) => {
    expect(() => encodeSockaddr(Buffer.alloc(28), address, 1)).toThrow(RangeError);
  });

  test.each([-1, 65_536, 1.5])('refuses port %d', (port) => {
    expect(() => encodeSockaddr(Buffer.alloc(28), '::1', port)).toThrow(RangeError);
  });
});
