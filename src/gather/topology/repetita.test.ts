import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { mistakeText } from './parsed.ts';
import { parseRepetitaDemands, parseRepetitaGraph } from './repetita.ts';

const graph = `NODES 2
label x y
0_Here 8.5 50.1
1_There 2.3 48.9

EDGES 2
label src dest weight bw delay
edge_0 0 1 10 1000 5
edge_1 1 0 10 1000 5
`;

test('a graph and its demands are read, line ends of any kind', () => {
  for (const end of ['\n', '\r\n']) {
    const parsed = parseRepetitaGraph(graph.replaceAll('\n', end));
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        nodes: [{ name: '0_Here', x: 8.5, y: 50.1 }, { name: '1_There' }],
        edges: [
          { name: 'edge_0', from: 0, to: 1, weight: 10, capacity: 1000, delay: 5 },
          { from: 1, to: 0 },
        ],
      },
    });
  }
  const demands = parseRepetitaDemands('DEMANDS 1\nlabel src dest bw\nd 0 1 2.5e3\n', 2);
  expect(demands).toEqual({ ok: true, notes: [], value: [{ name: 'd', from: 0, to: 1, volume: 2500 }] });
});

test('every mistake is told with line and key', () => {
  const broken = graph
    .replace('edge_0 0 1 10 1000 5', 'edge_0 0 2 -1 x 5')
    .replace('NODES 2', 'NODES 3')
    .replace('edge_1 1 0 10 1000 5', 'edge_1 1 0');
  const parsed = parseRepetitaGraph(broken);
  expect(parsed.ok ? [] : parsed.mistakes.map((m) => mistakeText('a.graph', m))).toEqual([
    'a.graph:1: NODES: found 2 rows where the heading says 3: is the file cut off?',
    'a.graph:8: EDGES dest: found "2"; allowed: a node from 0 to 1',
    'a.graph:8: EDGES weight: found "-1"; allowed: a number ≥ 0',
    'a.graph:8: EDGES bw: found "x"; allowed: a number ≥ 0',
    'a.graph:9: EDGES: found 3 fields; allowed: label src dest weight bw delay',
  ]);
});

const folder = sharedData('planning/repetita');

test.skipIf(folder === null)('the public files are read whole', () => {
  const parsed = parseRepetitaGraph(readFileSync(`${folder}/Geant2012.graph`, 'utf8'));
  expect(parsed.ok && [parsed.value.nodes.length, parsed.value.edges.length]).toEqual([40, 122]);
});

test('whatever is read, the parser ends with a value or with mistakes that have lines', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'NODES',
      'EDGES',
      'DEMANDS',
      'label',
      '2',
      '-1',
      '1e999',
      'NaN',
      '0x10',
      '\n',
      '\r',
      ' ',
      '999999999',
    ),
    fc.string({ maxLength: 8 }),
  );
  const text = fc.oneof(
    fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
    fc
      .tuple(fc.nat(graph.length), fc.nat(20), word)
      .map(([at, cut, put]) => graph.slice(0, at) + put + graph.slice(at + cut)),
  );
  fc.assert(
    fc.property(text, (garbage) => {
      for (const parsed of [parseRepetitaGraph(garbage), parseRepetitaDemands(garbage, 2)]) {
        if (parsed.ok) continue;
        expect(parsed.mistakes.length).toBeGreaterThan(0);
        for (const { line } of parsed.mistakes) expect(line).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: 5000, seed: 7 },
  );
});
