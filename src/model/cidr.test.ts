import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, formatAddress, formatCidr, overlaps, parseAddress, parseCidr } from './cidr.ts';

const options = { numRuns: 2000, seed: 6 };
const ipv4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n });
// Short numbers give the long runs of zeros that "::" stands for.
const ipv6 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  fc
    .array(fc.constantFrom<bigint>(0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce((all, group) => (all << 16n) | group, 0n)),
);
const cidr = fc.oneof(
  fc
    .tuple(ipv4, fc.integer({ min: 0, max: 32 }))
    .map(([value, length]) => parseCidr(`${formatAddress(4, value)}/${length}`)!),
  fc
    .tuple(ipv6, fc.integer({ min: 0, max: 128 }))
    .map(([value, length]) => parseCidr(`${formatAddress(6, value)}/${length}`)!),
);

describe('addresses', () => {
  test('text and number are the same address, in the form of the URL parser', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        expect(parseAddress(formatAddress(4, value))).toEqual({ family: 4, value });
      }),
      options,
    );
    fc.assert(
      fc.property(ipv6, (value) => {
        const text = formatAddress(6, value);
        expect(parseAddress(text)).toEqual({ family: 6, value });
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
      options,
    );
  });

  test('whatever Node takes for an address is one here, and nothing else', () => {
    const part = fc.constantFrom(
      '0',
      '1',
      '10',
      '255',
      '256',
      '00',
      '01',
      ':',
      '::',
      '.',
      'f',
      'ffff',
      'fffff',
      'g',
      '127.0.0.1',
      '/',
      ' ',
      '%eth0',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
          fc.array(part, { maxLength: 12 }).map((parts) => parts.join(':')),
          fc.ipV6(),
          fc.ipV4(),
          fc.ipV4Extended(),
          fc.string(),
        ),
        (text) => {
          expect(parseAddress(text)?.family ?? 0, text).toBe(text.includes('%') ? 0 : isIP(text));
        },
      ),
      { ...options, numRuns: 10_000 },
    );
  });

  test.each([
    '127.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '[::1]',
    'fe80::1%eth0',
    '',
    '1.2.3.4.5',
    '::1::',
  ])('%s is none: it could be read in more than one way', (text) => expect(parseAddress(text)).toBeNull());
});

describe('networks', () => {
  test('hold the addresses that Node says they hold', () => {
    fc.assert(
      fc.property(
        cidr,
        fc.oneof(
          ipv4.map((value) => ({ family: 4 as const, value })),
          ipv6.map((value) => ({ family: 6 as const, value })),
        ),
        (network, one) => {
          const list = new BlockList();
          list.addSubnet(
            formatAddress(network.family, network.first),
            network.length,
            network.family === 4 ? 'ipv4' : 'ipv6',
          );
          const near = one.family === network.family ? one : { family: network.family, value: network.first };
          const host = { family: near.family, first: near.value, last: near.value };
          const text = formatAddress(near.family, near.value);
          expect(contains(network, host)).toBe(list.check(text, near.family === 4 ? 'ipv4' : 'ipv6'));
        },
      ),
      options,
    );
  });

  test('text and network are the same, and host bits are told', () => {
    fc.assert(
      fc.property(cidr, (network) => {
        expect(parseCidr(formatCidr(network))).toEqual({ ...network, isAligned: true });
      }),
      options,
    );
    expect(parseCidr('10.1.2.3/16')).toMatchObject({ isAligned: false, length: 16 });
    expect(parseCidr('10.1.2.3')).toMatchObject({ isAligned: true, length: 32 });
    for (const wrong of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '::/129', 'fd00::/x', '10.0.0/8'])
      expect(parseCidr(wrong), wrong).toBeNull();
  });

  test('two of them overlap only when one holds the other', () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        expect(overlaps(a, b)).toBe(contains(a, b) || contains(b, a));
      }),
      options,
    );
  });
});
