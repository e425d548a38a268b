import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes, addressText } from '../../wire/ip.ts';
import { readAsnDatabase } from './mmdb.ts';
import { masked, PrefixFileError, readPrefixTable } from './prefix-table.ts';
import { writeMmdb } from './mmdb-writer.case.ts';

const prefixes = fc
  .record({
    bytes: fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    asn: fc.nat(4_294_967_295),
  })
  .map(({ bytes, part, asn }) => {
    const length = Math.round(part * 8 * bytes.length);
    return { prefix: `${addressText(masked(bytes, length))}/${length}`, bytes: masked(bytes, length), length, asn };
  });

/** The slow and obvious way: every prefix of the family, the longest that holds the address. */
function bruteForce(table: readonly { bytes: Uint8Array; length: number; asn: number }[], address: string) {
  const wanted = addressBytes(address);
  const holding = table.filter(
    (p) => p.bytes.length === wanted.length && masked(wanted, p.length).every((byte, i) => byte === p.bytes[i]),
  );
  // Of two lines for one prefix the later one counts.
  return holding.reduce<(typeof table)[number] | null>(
    (best, p) => (!best || p.length >= best.length ? p : best),
    null,
  );
}

describe('readPrefixTable()', () => {
  test('reads prefixes, AS numbers and names; the longest prefix wins', () => {
    const lookup = readPrefixTable(
      [
        '# a table',
        '10.0.0.0/8 64512 Example Net, Inc.',
        '10.1.0.0/16\tAS64513\tBranch # inside',
        '',
        '10.1.2.3/32,64514',
        '0.0.0.0/0 1 Everything',
        '2001:db8::/32 65551 Six\r',
      ].join('\n'),
    );
    expect(lookup('10.9.9.9')).toEqual({ number: 64_512, name: 'Example Net Inc.', prefix: '10.0.0.0/8' });
    expect(lookup('10.1.9.9')).toEqual({ number: 64_513, name: 'Branch', prefix: '10.1.0.0/16' });
    expect(lookup('10.1.2.3')).toEqual({ number: 64_514, name: '', prefix: '10.1.2.3/32' });
    expect(lookup('192.0.2.1')?.number).toBe(1);
    expect(lookup('2001:db8::1')?.name).toBe('Six');
    expect(lookup('fe80::1%eth0')).toBeNull();
    expect(lookup('no address')).toBeNull();
  });

  test('names every mistake with its line', () => {
    const read = () =>
      readPrefixTable(
        '10.0.0.0/8 64512\n10.0.0.1/8 1\n10.0.0.0/33 1\n10.0.0.0 1\n::/0 x\n1.2.3.0/24 4294967296\nmunich',
      );
    expect(read).toThrow(PrefixFileError);
    expect(read).toThrow(
      [
        'line 2: 10.0.0.1/8 has bits behind its length; allowed: 10.0.0.0/8',
        'line 3: found the length "33"; allowed: 0 to 32',
        'line 4: found "10.0.0.0"; allowed: a prefix such as 10.0.0.0/8 or 2001:db8::/32',
        'line 5: found "x" behind the prefix; allowed: an AS number, 0 to 4294967295',
        'line 6: found "4294967296" behind the prefix; allowed: an AS number, 0 to 4294967295',
        'line 7: found "munich"; allowed: a prefix such as 10.0.0.0/8 or 2001:db8::/32',
      ].join('\n'),
    );
    expect(() => readPrefixTable('x\n'.repeat(1000))).toThrow(/line 20: [^\n]*$/);
  });

  test('agrees with a search of all prefixes', () => {
    const cases = fc.tuple(fc.array(prefixes, { maxLength: 40 }), fc.array(prefixes, { minLength: 1, maxLength: 10 }));
    fc.assert(
      fc.property(cases, ([table, others]) => {
        const lookup = readPrefixTable(table.map((p) => `${p.prefix} ${p.asn} Name`).join('\n'));
        for (const { bytes } of [...table, ...others]) {
          const address = addressText(bytes);
          expect(lookup(address)?.number ?? null).toBe(bruteForce(table, address)?.asn ?? null);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('throws nothing but its own error, whatever the text', () => {
    const line = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789./:afS #\t,') }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
        try {
          readPrefixTable(lines.join('\n'))('10.0.0.1');
        } catch (error) {
          expect(error).toBeInstanceOf(PrefixFileError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('readAsnDatabase()', () => {
  const file = writeMmdb([
    { prefix: '10.0.0.0/8', record: { autonomous_system_number: 64_512, autonomous_system_organization: 'Example' } },
    { prefix: '10.1.0.0/16', record: { asn: 'AS64513', name: 'Other \u001b[2Jkeys' } },
    { prefix: '192.0.2.0/24', record: { country: 'none' } },
    { prefix: '2001:db8::/32', record: { autonomous_system_number: 65_551, autonomous_system_organization: 'Six' } },
  ]);

  test('finds systems and the prefix, by the keys of either publisher', () => {
    const lookup = readAsnDatabase(file);
    expect(lookup('10.200.0.1')).toMatchObject({ number: 64_512, name: 'Example' });
    expect(lookup('10.1.2.3')).toEqual({ number: 64_513, name: 'Other  [2Jkeys', prefix: '10.1.0.0/16' });
    expect(lookup('2001:db8::7')).toEqual({ number: 65_551, name: 'Six', prefix: '2001:db8::/32' });
    expect(lookup('192.0.2.1')).toBeNull();
    expect(lookup('198.51.100.1')).toBeNull();
    expect(lookup('no address')).toBeNull();
  });

  test('agrees with the prefix table about the same prefixes', () => {
    // A database is a tree, where a shorter prefix behind a longer one is the writer's business: none overlap here.
    const distinct = ['1.0.0.0/8', '2.128.0.0/9', '3.3.0.0/16', '4.4.4.0/24', '5.5.5.5/32', 'fd00::/16', 'fd01:1::/48'];
    const rows = distinct.map((prefix, i) => ({ prefix, asn: 100 + i }));
    const database = readAsnDatabase(
      writeMmdb(rows.map(({ prefix, asn }) => ({ prefix, record: { autonomous_system_number: asn } }))),
    );
    const table = readPrefixTable(rows.map(({ prefix, asn }) => `${prefix} ${asn}`).join('\n'));
    for (const address of [
      '1.2.3.4',
      '2.127.0.1',
      '2.128.0.1',
      '3.3.3.3',
      '4.4.4.4',
      '5.5.5.5',
      '5.5.5.6',
      'fd00::1',
      'fd01:1::9',
      'fd01:2::',
    ])
      expect(database(address)).toEqual(table(address));
  });

  test('refuses what is no such file', () => {
    for (const bytes of [new Uint8Array(0), Buffer.from('10.0.0.0/8 64512\n'), new Uint8Array(1000)])
      expect(() => readAsnDatabase(bytes)).toThrow(TypeError);
  });

  test('a damaged file is refused or knows less, and never throws anything else nor hangs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        (damage) => {
          const broken = Uint8Array.from(file);
          for (const [at, byte] of damage) broken[at] = byte;
          let lookup;
          try {
            lookup = readAsnDatabase(broken);
          } catch (error) {
            expect(error).toBeInstanceOf(TypeError);
            return;
          }
          for (const address of ['10.1.2.3', '192.0.2.1', '2001:db8::7']) lookup(address);
        },
      ),
      { numRuns: 600 },
    );
  });
});
