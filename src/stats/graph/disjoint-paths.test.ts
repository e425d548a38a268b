import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { disjointPaths } from './disjoint-paths.ts';
import { anyGraph } from './graph.case.ts';
import { makeGraph } from './graph.ts';
import { between, everyPath, lengthOf } from './paths.case.ts';

const meets = (a: readonly number[], b: readonly number[]) => a.some((x) => b.includes(x));

describe('disjoint paths', () => {
  for (const nodesMayMeet of [false, true])
    test(`that share no ${nodesMayMeet ? 'link' : 'link and no node'} are the shortest pair of all that there are`, () => {
      fc.assert(
        fc.property(anyGraph({ nodes: 7, links: 12 }), (input) => {
          const graph = makeGraph(input);
          const to = graph.nodes - 1;
          const mayShare = nodesMayMeet ? { nodes: new Uint8Array(graph.nodes).fill(1) } : {};
          const all = everyPath(graph, 0, to);
          let best = Infinity;
          for (const [i, a] of all.entries())
            for (const b of all.slice(i + 1))
              if (!meets(a, b) && (nodesMayMeet || !meets(between(graph, 0, a), between(graph, 0, b))))
                best = Math.min(best, lengthOf(graph, a) + lengthOf(graph, b));
          const pair = disjointPaths(graph, 0, to, 2, { mayShare });
          expect(pair !== null).toBe(best < Infinity);
          if (!pair) return;
          const [a, b] = pair as [number[], number[]];
          expect(lengthOf(graph, a) + lengthOf(graph, b)).toBe(best);
          expect(meets(a, b)).toBe(false);
          const keys = new Set(all.map(String));
          expect([keys.has(String(a)), keys.has(String(b))]).toEqual([true, true]);
          if (!nodesMayMeet) expect(meets(between(graph, 0, a), between(graph, 0, b))).toBe(false);
        }),
        { numRuns: 400 },
      );
    });

  test('may all use what may be shared', () => {
    fc.assert(
      fc.property(anyGraph({ nodes: 6, links: 10 }), fc.nat(1023), fc.nat(63), (input, linkBits, nodeBits) => {
        const graph = makeGraph(input);
        const to = graph.nodes - 1;
        const bits = (count: number, of: number) => Uint8Array.from({ length: count }, (_, i) => (of >> i) & 1);
        const mayShare = { links: bits(graph.links, linkBits), nodes: bits(graph.nodes, nodeBits) };
        const all = everyPath(graph, 0, to);
        const shares = (a: number[], b: number[]) =>
          a.some((link) => b.includes(link) && !mayShare.links[link]) ||
          between(graph, 0, a).some((node) => between(graph, 0, b).includes(node) && !mayShare.nodes[node]);
        let best = Infinity;
        for (const [i, a] of all.entries())
          for (const b of all.slice(i))
            if (!shares(a, b)) best = Math.min(best, lengthOf(graph, a) + lengthOf(graph, b));
        const pair = disjointPaths(graph, 0, to, 2, { mayShare });
        expect(pair ? lengthOf(graph, pair.flat()) : Infinity).toBe(best);
        if (pair) expect(shares(pair[0]!, pair[1]!)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test('undo a greedy choice: the shortest path alone would leave no second one', () => {
    // The trap of Suurballe (1974): 0-1-2-3 is shortest, and cuts both others.
    const graph = makeGraph({ nodes: 4, from: [0, 1, 2, 0, 1], to: [1, 2, 3, 2, 3], length: [1, 1, 1, 3, 3] });
    expect(disjointPaths(graph, 0, 3, 2)).toEqual([
      [3, 2],
      [0, 4],
    ]);
  });

  test('come as many as asked for, or not at all', () => {
    const graph = makeGraph({ nodes: 2, from: [0, 0, 1], to: [1, 1, 0], length: [3, 1, 2] });
    expect(disjointPaths(graph, 0, 1, 3)).toEqual([[1], [2], [0]]);
    expect(disjointPaths(graph, 0, 1, 4)).toBeNull();
    expect(disjointPaths(graph, 0, 1, 2, { without: { links: Uint8Array.of(0, 1, 0) } })).toEqual([[2], [0]]);
    expect(disjointPaths(graph, 0, 1, 1, { without: { nodes: Uint8Array.of(0, 1) } })).toBeNull();
    expect(disjointPaths(graph, 0, 0, 1)).toBeNull();
  });
});
