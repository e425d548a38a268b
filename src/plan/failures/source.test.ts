import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { parseGraphml } from '../../gather/topology/graphml.ts';
import { anyGraph } from '../../stats/graph/graph.case.ts';
import { greatCircleKm } from '../../stats/globe.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { effectOf, makeEffects } from './effects.ts';
import { type Element, elementTable, linkElements, nodeElements } from './elements.ts';
import { naiveEffect } from './naive.case.ts';
import { addSource, makeSpace, type Question } from './source.ts';

function effectsOf(question: Question, sources: readonly number[]) {
  const effects = makeEffects(question.table.count, question.doubles);
  const space = makeSpace(question);
  for (const source of sources) addSource(space, source, effects);
  return effects;
}

/** Every single and every pair, against the naive twin. */
function expectSame(question: Question, elements: readonly Element[], sources: readonly number[]): void {
  const effects = effectsOf(question, sources);
  for (const [i, x] of elements.entries()) {
    expect(effectOf(effects, i)).toEqual(naiveEffect(question, sources, [x]));
    for (const [j, y] of elements.entries())
      if (j > i)
        expect(effectOf(effects, i, j), `${x.name} and ${y.name}`).toEqual(naiveEffect(question, sources, [x, y]));
  }
}

const graphs = (nodes: number, links: number) => anyGraph({ nodes, links, directed: false }).map(makeGraph);

describe('what failures do to the paths from all sources', () => {
  test('is what Dijkstra says for every link and every two links', () => {
    fc.assert(
      fc.property(graphs(9, 18), fc.integer({ min: 0, max: 30 }), (graph, limit) => {
        const elements = linkElements(Array.from({ length: graph.links }, (_, l) => `link ${l}`));
        const isEnd = new Uint8Array(graph.nodes).fill(1);
        const question = { graph, table: elementTable(graph, elements), isEnd, limit, doubles: true };
        expectSame(question, elements, [...isEnd.keys()]);
      }),
      { numRuns: 200 },
    );
  });

  test('is what Dijkstra says for links, nodes and any groups of both that overlap, from some sources to some ends', () => {
    const group = fc.record({
      links: fc.array(fc.nat(11), { maxLength: 4 }),
      nodes: fc.array(fc.nat(6), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        graphs(7, 12),
        fc.array(group, { maxLength: 5 }),
        fc.nat(),
        fc.nat(127),
        fc.nat(127),
        (graph, groups, limit, from, to) => {
          const named = (what: string, count: number) => Array.from({ length: count }, (_, i) => `${what} ${i}`);
          const elements = [
            ...linkElements(named('link', graph.links)),
            ...nodeElements(named('node', graph.nodes)),
            ...groups.map(({ links, nodes }, i): Element => ({
              kind: 'risk-group',
              name: `group ${i}`,
              links: links.filter((link) => link < graph.links),
              nodes: nodes.filter((node) => node < graph.nodes),
            })),
          ];
          const nodes = Array.from({ length: graph.nodes }, (_, v) => v);
          const isEnd = Uint8Array.from(nodes, (v) => (to >> v) & 1);
          const question = { graph, table: elementTable(graph, elements), isEnd, limit: limit % 30, doubles: true };
          expectSame(
            question,
            elements,
            nodes.filter((v) => (from >> v) & 1),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});

const cogentco = sharedData('planning/topologyzoo/graphml/Cogentco.graphml');

test.skipIf(cogentco === null)(
  'Cogentco: all single link failures come to what NetworkX made of them (needs ../shared/data)',
  () => {
    const parsed = parseGraphml(readFileSync(cogentco!, 'utf8'));
    if (!parsed.ok) throw new Error('Cogentco cannot be read');
    const { nodes } = parsed.value;
    // As it was measured: one link for each pair of nodes, a sphere of 6371 km, 100 km where a place is missing.
    const ends = new Map(
      parsed.value.links.map(({ from, to }) => [[from, to].sort((a, b) => a - b).join(), [from, to]]),
    );
    const [from, to] = [0, 1].map((i) => [...ends.values()].map((pair) => pair[i]!));
    const length = [...ends.values()].map(([a, b]) => {
      const [here, there] = [nodes[a!]!.place, nodes[b!]!.place];
      return here && there ? (greatCircleKm(here, there) * 6371) / 6371.0088 : 100;
    });
    const graph = makeGraph({ nodes: nodes.length, from: from!, to: to!, length });
    const elements = linkElements(length.map(String));
    const isEnd = new Uint8Array(nodes.length).fill(1);
    const table = elementTable(graph, elements);
    const effects = effectsOf({ graph, table, isEnd, limit: Infinity, doubles: false }, [...isEnd.keys()]);
    const sum = (column: ArrayLike<number>) => Array.from(column).reduce((total, one) => total + one, 0);
    expect(sum(effects.broken)).toBe(21736);
    expect(sum(effects.extra)).toBeCloseTo(235_859_126.5, 0);
  },
);
