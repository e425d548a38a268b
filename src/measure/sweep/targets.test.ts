import fc from 'fast-check';
import { isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parseTarget, readTargets, targetAddress, targetName } from './targets.ts';

const shown = (text: string, family?: 4 | 6) => {
  const { table, mistakes } = readTargets(text, family);
  const rows = Array.from({ length: table.count }, (_, i) => [
    targetName(table, i),
    targetAddress(table, i) || table.hosts.get(i),
    table.port[i],
  ]);
  return { rows, mistakes, duplicates: table.duplicates, withPort: table.withPort };
};

describe('readTargets()', () => {
  test('reads addresses, names, ports and URLs, and leaves comments out', () => {
    const { rows, mistakes, withPort } = shown(
      '# hosts\n10.0.0.1\n  10.0.0.2  # the second\r\n\n2001:DB8::1\n[2001:db8::2]:443\nAPI.example.com:8443\nhttps://llm.example.com/v1\nhttp://[::1]:7041\n',
    );
    expect(mistakes).toEqual([]);
    expect(rows).toEqual([
      ['10.0.0.1', '10.0.0.1', 0],
      ['10.0.0.2', '10.0.0.2', 0],
      ['2001:DB8::1', '2001:db8::1', 0],
      ['[2001:db8::2]:443', '2001:db8::2', 443],
      ['API.example.com:8443', 'api.example.com', 8443],
      ['https://llm.example.com/v1', 'llm.example.com', 443],
      ['http://[::1]:7041', '::1', 7041],
    ]);
    expect(withPort).toBe(4);
  });

  test('names every mistake by its line', () => {
    const { mistakes, rows } = shown(
      '10.0.0.1\n300.1.1.1\n\nhost:0\na b\n[10.0.0.1]:5\n-x\nhttp://\nfe80::1%nosuch0\n',
    );
    expect(mistakes.map(({ line, text }) => [line, text])).toEqual([
      [2, '300.1.1.1'],
      [4, 'host:0'],
      [5, 'a b'],
      [6, '[10.0.0.1]:5'],
      [7, '-x'],
      [8, 'http://'],
      [9, 'fe80::1%nosuch0'],
    ]);
    expect(rows).toHaveLength(1);
  });

  test('refuses addresses of the family that was not asked for', () => {
    expect(shown('10.0.0.1\n::1\n', 6).mistakes).toMatchObject([
      { line: 1, why: 'is not an IPv6 address (--family 6)' },
    ]);
    expect(shown('10.0.0.1\n::1\n', 4).mistakes).toMatchObject([{ line: 2 }]);
  });

  test('measures once what stands there twice, however it is written', () => {
    const { rows, duplicates } = shown(
      '10.0.0.1\n10.0.0.1\n10.0.0.1:80\n::1\n0:0::1\nA.example\na.example\n10.0.0.2\n',
    );
    expect(rows.map(([name]) => name)).toEqual(['10.0.0.1', '10.0.0.1:80', '::1', 'A.example', '10.0.0.2']);
    expect(duplicates).toBe(3);
  });

  test('agrees with a set on what is distinct, for many random addresses', () => {
    const quad = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)).map((q) => q.join('.'));
    fc.assert(
      fc.property(fc.array(quad, { maxLength: 200 }), (list) => {
        const { rows } = shown(list.join('\n'));
        expect(rows.map(([name]) => name)).toEqual([...new Set(list)]);
      }),
    );
  });

  test('takes for an IPv4 address what isIP() does, by its fast way and by its slow one', () => {
    const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '01', '0', 'a', ' ', '-1', '1e1'));
    const text = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(text, (one) => {
        const { table } = readTargets(one);
        expect(table.family[0] === 4).toBe(isIP(one.trim()) === 4);
        if (table.family[0] === 4) expect(targetAddress(table, 0)).toBe(one.trim());
      }),
      { numRuns: 5000 },
    );
  });

  test('never throws, and never makes more targets than lines, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const { table, mistakes } = readTargets(text);
        expect(table.count + mistakes.length).toBeLessThanOrEqual(text.split('\n').length);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[\d.:[\]a-f%/#\s]{0,40}$/), (text) => {
        expect(() => readTargets(text)).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });
});

test.each([
  ['host', { host: 'host', port: 0 }],
  ['host.', { host: 'host.', port: 0 }],
  ['under_score.example:1', { host: 'under_score.example', port: 1 }],
  ['wss://h/x', { host: 'h', port: 443 }],
  ['ftp://h', { host: 'h', port: 0 }],
])('parseTarget(%s)', (word, place) => {
  expect(parseTarget(word)).toEqual(place);
});
