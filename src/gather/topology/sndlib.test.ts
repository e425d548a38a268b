import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { mistakeText } from './parsed.ts';
import { parseSndlib } from './sndlib.ts';

const text = `?SNDlib native format; type: network; version: 1.0
# network two
META (
  unit = MBITPERSEC
  origin = somebody, (drawn) # by hand
)
NODES (
  A ( 8.5 50.1 )
  B
)
LINKS (
  L1 ( A B ) 10.00 1.00 2.00 3.00 ( 40.00 133.00 155.00 400.00 )
)
DEMANDS (
  D1 ( A B ) 1 7.00 UNLIMITED
  D2 ( B A ) 2 3.00 4
)
ADMISSIBLE_PATHS (
  D1 (
    P_0 ( L1 )
  )
)
`;

test('every part of a network is read', () => {
  expect(parseSndlib(text)).toMatchObject({
    ok: true,
    value: {
      meta: { unit: 'MBITPERSEC', origin: 'somebody, (drawn)' },
      nodes: [
        { name: 'A', x: 8.5, y: 50.1 },
        { name: 'B', x: null, y: null },
      ],
      links: [
        {
          name: 'L1',
          from: 0,
          to: 1,
          preInstalledCapacity: 10,
          preInstalledCost: 1,
          routingCost: 2,
          setupCost: 3,
          modules: [
            { capacity: 40, cost: 133 },
            { capacity: 155, cost: 400 },
          ],
          line: 12,
        },
      ],
      demands: [
        { name: 'D1', from: 0, to: 1, routingUnit: 1, value: 7, maxPathLength: null },
        { name: 'D2', from: 1, to: 0, routingUnit: 2, value: 3, maxPathLength: 4 },
      ],
      demandsWithPaths: 1,
    },
  });
});

test.each([
  ['L1 ( A B )', 'L1 ( A C )', 'a.txt:12: LINKS target: found "C"; allowed: a node of the section NODES'],
  ['10.00 1.00', 'ten 1.00', 'a.txt:12: LINKS pre_installed_capacity: found "ten"; allowed: a number ≥ 0'],
  ['133.00 155.00', '155.00', 'a.txt:12: LINKS module_cost: found ")"; allowed: a number ≥ 0'],
  ['1 7.00', '1 -7.00', 'a.txt:15: DEMANDS demand_value: found "-7.00"; allowed: a number ≥ 0'],
  ['DEMANDS (', 'WISHES (', 'a.txt:14: file: found "WISHES"; allowed: NODES, LINKS, DEMANDS, ADMISSIBLE_PATHS'],
  ['  B\n', '  B\n  A\n', 'a.txt:10: NODES node_id: found "A" a second time; allowed: once'],
  [
    '?SNDlib native format',
    '<network>',
    'a.txt:1: file: found no first line "?SNDlib native format; type: network"; allowed: SNDlib native networks',
  ],
])('instead of %j there stands %j', (right, wrong, message) => {
  const parsed = parseSndlib(text.replace(right, wrong));
  expect(parsed.ok ? [] : parsed.mistakes.map((m) => mistakeText('a.txt', m))).toContain(message);
});

const folder = sharedData('planning/sndlib');

test.skipIf(folder === null)('the public networks are read whole', () => {
  for (const file of readdirSync(folder!)) {
    const source = readFileSync(`${folder}/${file}`, 'utf8');
    const parsed = parseSndlib(source);
    expect(parsed.ok, file).toBe(true);
    if (!parsed.ok) continue;
    // A twin that only counts lines between the section's brackets.
    const rowsOf = (name: string) =>
      source
        .split(`\n${name} (`)[1]!
        .split('\n)')[0]!
        .split('\n')
        .filter((l) => /^ {2}\S/.test(l)).length;
    expect([parsed.value.nodes.length, parsed.value.links.length, parsed.value.demands.length], file).toEqual(
      ['NODES', 'LINKS', 'DEMANDS'].map(rowsOf),
    );
  }
});

test('whatever is read, the parser ends with a value or with mistakes that have lines', () => {
  const word = fc.oneof(
    fc.constantFrom(
      '(',
      ')',
      '((',
      'NODES (',
      'LINKS (',
      'META (',
      '#',
      '\n',
      '=',
      '__proto__',
      '1e99',
      'UNLIMITED',
      'A',
    ),
    fc.string({ maxLength: 6 }),
  );
  const garbage = fc.oneof(
    fc.array(word, { maxLength: 30 }).map((words) => `?SNDlib native format; type: network\n${words.join(' ')}`),
    fc
      .tuple(fc.nat(text.length), fc.nat(25), word)
      .map(([at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut)),
  );
  fc.assert(
    fc.property(garbage, (one) => {
      const parsed = parseSndlib(one);
      if (parsed.ok) return;
      expect(parsed.mistakes.length).toBeGreaterThan(0);
      for (const { line } of parsed.mistakes) expect(line).toBeGreaterThanOrEqual(1);
    }),
    { numRuns: 5000, seed: 8 },
  );
});
