import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyGraph } from './graph.case.ts';
import { makeGraph } from './graph.ts';
import { everyPath, lengthOf } from './paths.case.ts';
import { shortestFirst } from './yen.ts';

test('shortestFirst() gives every path without loops once, never a shorter one after a longer one', () => {
  fc.assert(
    fc.property(anyGraph({ nodes: 6, links: 11 }), (input) => {
      const graph = makeGraph(input);
      const to = graph.nodes - 1;
      const routes = [...shortestFirst(graph, 0, to)];
      const truth = everyPath(graph, 0, to);
      expect(routes.map(({ links }) => String(links)).sort()).toEqual(truth.map(String).sort());
      expect(routes.map(({ length }) => length)).toEqual(truth.map((p) => lengthOf(graph, p)).sort((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});

test('shortestFirst() leaves out what is gone, and goes no further than it is asked', () => {
  const graph = makeGraph({ nodes: 3, from: [0, 1, 0, 0], to: [1, 2, 2, 2], length: [1, 1, 5, 3] });
  const routes = shortestFirst(graph, 0, 2, { links: Uint8Array.of(0, 0, 0, 1) });
  expect(routes.next().value).toEqual({ links: [0, 1], length: 2 });
  expect(routes.next().value).toEqual({ links: [2], length: 5 });
  expect(routes.next().done).toBe(true);
  expect([...shortestFirst(graph, 0, 2, { nodes: Uint8Array.of(0, 1, 0) })].map((r) => r.links)).toEqual([[3], [2]]);
});
