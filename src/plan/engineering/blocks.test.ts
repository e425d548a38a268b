import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocksOf, gatesOf } from './blocks.ts';
import { anyCase } from './traffic.case.ts';
import type { TrafficNetwork } from './traffic.ts';

/** Two arcs are of one block when a circle goes through both: no single node parts them. By taking away each node. */
function areTogether({ graph }: TrafficNetwork, a: number, b: number): boolean {
  const ends = (arc: number) => [graph.from[arc]!, graph.to[arc]!];
  const touches = (x: number, y: number, without: number) => ends(x).some((v) => v !== without && ends(y).includes(v));
  const others = Array.from({ length: graph.links }, (_, x) => x).filter((x) => graph.from[x] !== graph.to[x]);
  const isConnected = (without: number) => {
    const seen = new Set([a]);
    for (const at of seen) for (const next of others) if (touches(at, next, without)) seen.add(next);
    return seen.has(b);
  };
  return Array.from({ length: graph.nodes + 1 }, (_, v) => v - 1).every(isConnected);
}

test('blocks hold the arcs that no single node parts, and every arc but a loop is in one', () => {
  fc.assert(
    fc.property(anyCase(['each']), ({ network }) => {
      const blocks = blocksOf(network.graph);
      const blockOf = new Map(blocks.flatMap(({ arcs }, i) => [...arcs].map((arc) => [arc, i] as const)));
      for (let a = 0; a < network.graph.links; a++) {
        expect(blockOf.has(a)).toBe(network.graph.from[a] !== network.graph.to[a]);
        for (let b = 0; b < a; b++)
          if (blockOf.has(a) && blockOf.has(b))
            expect(blockOf.get(a) === blockOf.get(b)).toBe(areTogether(network, a, b));
      }
      for (const block of blocks) {
        const gate = gatesOf(network.graph, block);
        for (const node of block.nodes) expect(gate[node]).toBe(node);
        for (const g of gate) expect(g === -1 || block.nodes.includes(g)).toBe(true);
      }
    }),
    { numRuns: 60, seed: 2 },
  );
});
