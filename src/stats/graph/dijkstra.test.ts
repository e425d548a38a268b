import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeSearchSpace, nodesAlong, pathTo, shortestPaths } from './dijkstra.ts';
import { anyGraph, floyd } from './graph.case.ts';
import { makeGraph } from './graph.ts';

const mask = (max: number) =>
  fc.array(fc.nat(1), { minLength: max, maxLength: max }).map((bits) => Uint8Array.from(bits));

describe('shortest paths', () => {
  test('are as long as Floyd says, whatever is gone', () => {
    fc.assert(
      fc.property(anyGraph(), mask(16), mask(8), (input, links, nodes) => {
        const graph = makeGraph(input);
        const space = makeSearchSpace(graph.nodes);
        for (const without of [{}, { links }, { nodes }, { links, nodes }]) {
          const far = floyd(graph, without);
          for (let source = 0; source < graph.nodes; source++)
            expect([...shortestPaths(graph, source, without, space).distance]).toEqual(far[source]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('lead along links that exist, each where the one before ends, and add up to the distance', () => {
    fc.assert(
      fc.property(anyGraph(), mask(16), (input, links) => {
        const graph = makeGraph(input);
        const paths = shortestPaths(graph, 0, { links });
        for (let node = 0; node < graph.nodes; node++) {
          const path = pathTo(graph, paths, node);
          if (paths.distance[node] === Infinity) expect(path).toBeNull();
          else {
            const visited = nodesAlong(graph, 0, path!);
            expect([visited[0], visited.at(-1)]).toEqual([0, node]);
            expect(new Set(visited).size).toBe(visited.length);
            expect(path!.reduce((sum, link) => sum + graph.length[link]!, 0)).toBe(paths.distance[node]);
            for (const [i, link] of path!.entries()) {
              expect(links[link]).toBe(0);
              if (graph.directed) expect([graph.from[link], graph.to[link]]).toEqual([visited[i], visited[i + 1]]);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('take the shorter of two parallel links', () => {
    const graph = makeGraph({ nodes: 2, from: [0, 1], to: [1, 0], length: [5, 3] });
    const paths = shortestPaths(graph, 0);
    expect([paths.distance[1], paths.parentLink[1]]).toEqual([3, 1]);
  });

  test('from a node that is gone reach nothing', () => {
    const graph = makeGraph({ nodes: 2, from: [0], to: [1] });
    expect([...shortestPaths(graph, 0, { nodes: Uint8Array.of(1, 0) }).distance]).toEqual([Infinity, Infinity]);
  });

  test('on a grid of 40 by 40 are the Manhattan distance', () => {
    const ends: [number, number][] = [];
    for (let v = 0; v < 1600; v++) {
      if (v % 40 < 39) ends.push([v, v + 1]);
      if (v < 1560) ends.push([v, v + 40]);
    }
    const graph = makeGraph({ nodes: 1600, from: ends.map(([a]) => a), to: ends.map(([, b]) => b) });
    const { distance } = shortestPaths(graph, 0);
    expect([...distance]).toEqual(Array.from({ length: 1600 }, (_, v) => (v % 40) + Math.floor(v / 40)));
  });
});
