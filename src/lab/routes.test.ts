import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shortestPaths, type Edge } from './routes.ts';

/** Cheapest way by trying every simple path. */
function bruteForce(
  edges: readonly Edge[],
  transit: readonly boolean[],
  from: number,
  to: number,
  seen: number[] = [],
): number {
  if (from === to) return 0;
  if (seen.length > 0 && !transit[from]) return Number.POSITIVE_INFINITY;
  const ways = edges
    .filter((edge) => edge.from === from && !seen.includes(edge.to))
    .map((edge) => edge.cost + bruteForce(edges, transit, edge.to, to, [...seen, from]));
  return Math.min(...ways, Number.POSITIVE_INFINITY);
}

/** Cost of following the table hop by hop; infinite where it says there is no way. */
function follow(next: Int32Array, nodes: number, edges: readonly Edge[], from: number, to: number): number {
  let cost = 0;
  let at = from;
  for (let hops = 0; at !== to; hops += 1) {
    const index = next[at * nodes + to]!;
    if (index < 0) return Number.POSITIVE_INFINITY;
    expect(hops).toBeLessThan(nodes);
    expect(edges[index]!.from).toBe(at);
    cost += edges[index]!.cost;
    at = edges[index]!.to;
  }
  return cost;
}

test('shortestPaths() finds the cheapest way between all nodes, and never through a node without transit', () => {
  const network = fc.integer({ min: 2, max: 6 }).chain((nodes) =>
    fc.record({
      nodes: fc.constant(nodes),
      transit: fc.array(fc.boolean(), { minLength: nodes, maxLength: nodes }),
      edges: fc.array(
        fc.record({
          from: fc.nat(nodes - 1),
          to: fc.nat(nodes - 1),
          cost: fc.integer({ min: 1, max: 5 }),
        }),
        { maxLength: 14 },
      ),
    }),
  );
  fc.assert(
    fc.property(network, ({ nodes, transit, edges: drawn }) => {
      const edges = drawn.filter((edge) => edge.from !== edge.to);
      const next = shortestPaths(nodes, edges, transit);
      for (let from = 0; from < nodes; from += 1)
        for (let to = 0; to < nodes; to += 1)
          expect(follow(next, nodes, edges, from, to)).toBe(bruteForce(edges, transit, from, to));
    }),
    { numRuns: 300 },
  );
});
