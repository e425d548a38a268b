import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupAt, shortestPaths, type Edge } from './routes.ts';

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
      const { next } = shortestPaths(nodes, edges, transit);
      for (let from = 0; from < nodes; from += 1)
        for (let to = 0; to < nodes; to += 1)
          expect(follow(next, nodes, edges, from, to)).toBe(bruteForce(edges, transit, from, to));
    }),
    { numRuns: 300 },
  );
});

/** Every edge that begins a cheapest way, by trying every simple path. */
function bestEdges(edges: readonly Edge[], transit: readonly boolean[], from: number, to: number): number[] {
  const cheapest = bruteForce(edges, transit, from, to);
  if (from === to || cheapest === Number.POSITIVE_INFINITY) return [];
  return [...edges.keys()].filter((index) => {
    const edge = edges[index]!;
    return edge.from === from && edge.cost + bruteForce(edges, transit, edge.to, to, [from]) === cheapest;
  });
}

test('shortestPaths() gives a balancing node all its equally good edges, in the order listed, and others the first', () => {
  const nodes = 5;
  const network = fc.record({
    balances: fc.array(fc.boolean(), { minLength: nodes, maxLength: nodes }),
    edges: fc.array(fc.record({ from: fc.nat(nodes - 1), to: fc.nat(nodes - 1), cost: fc.constantFrom(1, 2) }), {
      minLength: 8,
      maxLength: 16,
    }),
  });
  const transit = Array.from({ length: nodes }, () => true);
  let choices = 0;
  fc.assert(
    fc.property(network, ({ balances, edges: drawn }) => {
      const edges = drawn.filter((edge) => edge.from !== edge.to);
      const { next, groups } = shortestPaths(nodes, edges, transit, balances);
      for (let from = 0; from < nodes; from += 1)
        for (let to = 0; to < nodes; to += 1) {
          const entry = next[from * nodes + to]!;
          const best = bestEdges(edges, transit, from, to);
          if (balances[from] && best.length > 1) {
            expect([...groups[groupAt(entry)]!]).toEqual(best);
            choices += 1;
          } else expect(entry).toBe(best[0] ?? -1);
        }
    }),
    { numRuns: 300 },
  );
  expect(choices).toBeGreaterThan(20);
});

test('shortestPaths() takes sums of the same costs in another order for equal', () => {
  const [a, b, c] = [1.1, 1.2, 1.3];
  const way = (costs: number[], first: number) => [
    { from: 0, to: first, cost: costs[0]! },
    { from: first, to: first + 1, cost: costs[1]! },
    { from: first + 1, to: 5, cost: costs[2]! },
  ];
  expect(a + b + c).not.toBe(c + b + a);
  const edges = [...way([a, b, c], 1), ...way([c, b, a], 3)];
  const all = Array.from({ length: 6 }, () => true);
  expect(shortestPaths(6, edges, all, all).groups.map((group) => [...group])).toEqual([[0, 3]]);
});
