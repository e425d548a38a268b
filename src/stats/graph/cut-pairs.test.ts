import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutPairs } from './cut-pairs.ts';
import { anyGraph } from './graph.case.ts';
import { type Graph, makeGraph } from './graph.ts';

/** Pairs of ends with a path, by walking from every end over what is left. */
function joinedPairs(graph: Graph, isEnd: readonly number[], goneLink: number, goneNode: number): number {
  let pairs = 0;
  for (let a = 0; a < graph.nodes; a++) {
    if (!isEnd[a] || a === goneNode) continue;
    const reached = new Set([a]);
    for (const at of reached)
      for (let l = 0; l < graph.links; l++) {
        const [from, to] = [graph.from[l]!, graph.to[l]!];
        if (l === goneLink || from === goneNode || to === goneNode) continue;
        if (from === at) reached.add(to);
        if (to === at) reached.add(from);
      }
    for (const b of reached) if (b > a && isEnd[b]) pairs++;
  }
  return pairs;
}

test('pairs cut by every link and every node are those that removing it and looking again finds', () => {
  const graphs = fc.oneof(
    anyGraph({ nodes: 9, links: 12, directed: false }),
    anyGraph({ nodes: 12, links: 9, directed: false }),
  );
  fc.assert(
    fc.property(graphs, fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }), (input, draw) => {
      const graph = makeGraph(input);
      const isEnd = draw.map((one) => (one > 0 ? 1 : 0));
      const { byLink, byNode } = cutPairs(graph, isEnd);
      const all = joinedPairs(graph, isEnd, -1, -1);
      for (let l = 0; l < graph.links; l++) expect(byLink[l]).toBe(all - joinedPairs(graph, isEnd, l, -1));
      for (let v = 0; v < graph.nodes; v++) {
        const without = isEnd.map((one, at) => (at === v ? 0 : one));
        expect(byNode[v]).toBe(joinedPairs(graph, without, -1, -1) - joinedPairs(graph, without, -1, v));
      }
    }),
    { numRuns: 1500 },
  );
});

test('a path of a hundred thousand nodes needs no deep stack', () => {
  const nodes = 100_000;
  const graph = makeGraph({
    nodes,
    from: Int32Array.from({ length: nodes - 1 }, (_, v) => v),
    to: Int32Array.from({ length: nodes - 1 }, (_, v) => v + 1),
  });
  const { byLink, byNode } = cutPairs(graph, new Uint8Array(nodes).fill(1));
  expect(byLink[0]).toBe(nodes - 1);
  expect(byNode[50_000]).toBe(50_000 * 49_999);
});

test('a directed graph is refused', () => {
  const graph = makeGraph({ nodes: 2, from: [0], to: [1], directed: true });
  expect(() => cutPairs(graph, [1, 1])).toThrow('Cannot find bridges of a directed graph');
});
