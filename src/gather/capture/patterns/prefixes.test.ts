import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cidr, parseAddress, parseCidr } from '../../../model/cidr.ts';
import { prefixTable } from './prefixes.ts';

const cidr = (text: string): Cidr => parseCidr(text)!;

function octetsOf(text: string): { bytes: Buffer; version: 4 | 6 } {
  const { family, value } = parseAddress(text)!;
  const bytes = Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
  return { bytes, version: family };
}

/** Looks at every prefix; the longest that holds the address, and of equal ones the first. */
function slow(prefixes: readonly Cidr[], family: 4 | 6, value: bigint): number {
  let best = -1;
  for (const [i, one] of prefixes.entries()) {
    const holds = one.family === family && one.first <= value && value <= one.last;
    if (holds && (best < 0 || one.length > prefixes[best]!.length)) best = i;
  }
  return best;
}

describe('prefixTable', () => {
  test('the longest prefix wins, inside or beside others', () => {
    const table = prefixTable(
      ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', 'fd00::/8', 'fd00:1::/32', '0.0.0.0/0'].map(cidr),
    );
    const find = (text: string) => {
      const { bytes, version } = octetsOf(text);
      return table.find(bytes, 0, version);
    };
    expect(['10.0.0.0', '10.1.9.9', '10.1.2.3', '10.1.2.4', '10.2.0.0', '11.0.0.0'].map(find)).toEqual([
      0, 1, 2, 1, 0, 5,
    ]);
    expect(['fd00::1', 'fd00:1::1', 'fd00:2::', 'fe00::', '255.255.255.255'].map(find)).toEqual([3, 4, 3, -1, 5]);
    expect(table.find(Buffer.alloc(16), 0, 0)).toBe(-1);
  });

  test('equals a look at every prefix, for both families, at the edges too', () => {
    // Few distinct bits, so that prefixes nest, touch and are equal.
    const prefix = (family: 4 | 6) => {
      const bits = family === 4 ? 32 : 128;
      return fc
        .tuple(fc.nat({ max: 255 }), fc.constantFrom(0, 4, bits - 8), fc.integer({ min: 0, max: bits }))
        .map(([octet, shift, length]): Cidr => {
          const hosts = (1n << BigInt(bits - length)) - 1n;
          const first = (BigInt(octet) << BigInt(bits - 8 - shift)) & ~hosts;
          return { family, first, last: first | hosts, length };
        });
    };
    const prefixes = fc.array(fc.oneof(prefix(4), prefix(6)), { maxLength: 30 });
    fc.assert(
      fc.property(
        prefixes,
        fc.array(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), { maxLength: 10 }),
        (list, more) => {
          const table = prefixTable(list);
          for (const family of [4, 6] as const) {
            const most = (1n << (family === 4 ? 32n : 128n)) - 1n;
            const edges = list.flatMap(({ first, last }) => [first, first - 1n, last, last + 1n]);
            for (const value of [...edges, ...more.map((v) => v & most), 0n, most]) {
              if (value < 0n || value > most) continue;
              const bytes = Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
              expect(table.find(bytes, 0, family)).toBe(slow(list, family, value));
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
