import fc from 'fast-check';
import { sparseLinks } from './risk-map.case.ts';
import type { Reach } from './reduce.ts';

/** Probabilities are eighths, so that sums of products are exact. */
const eighths = fc.constantFrom(0, 0.125, 0.25, 0.5, 0.875, 1);

/** Any small network with risks that take several parts down. */
export function anyReach({ nodes = 6, edges = 9, risks = 8 }: { nodes?: number; edges?: number; risks?: number } = {}) {
  return fc
    .record({ nodes: fc.integer({ min: 2, max: nodes }), risks: fc.integer({ min: 1, max: risks }) })
    .chain(({ nodes: n, risks: m }) =>
      reachWith(n, m, fc.array(fc.record({ a: fc.nat(n - 1), b: fc.nat(n - 1) }), { maxLength: edges })),
    );
}

/** A network of exactly so many nodes, all joined, with a few links more than that takes, and exactly so many risks. */
export function sparseReach({ nodes = 10, risks = 14 } = {}): fc.Arbitrary<Reach> {
  return reachWith(
    nodes,
    risks,
    sparseLinks(nodes).map((links) => links.map(([a, b]) => ({ a, b }))),
  );
}

function reachWith(nodes: number, risks: number, edges: fc.Arbitrary<{ a: number; b: number }[]>) {
  const someRisks = fc.uniqueArray(fc.nat(risks - 1), { maxLength: 3 });
  const few = fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: someRisks });
  return edges.chain((ends): fc.Arbitrary<Reach> => {
    const risksOfEdge = fc.array(someRisks, { minLength: ends.length, maxLength: ends.length });
    return fc.record({
      nodes: fc.constant(nodes),
      source: fc.nat(nodes - 1),
      targets: fc.uniqueArray(fc.nat(nodes - 1), { minLength: 1, maxLength: 2 }),
      edges: risksOfEdge.map((of) => ends.map((edge, i) => ({ ...edge, risks: of[i]! }))),
      risksOfNode: fc.array(few, { minLength: nodes, maxLength: nodes }),
      down: fc.array(eighths, { minLength: risks, maxLength: risks }),
    });
  });
}

/** Bits of the members of a list of at most 31. */
const bits = (list: readonly number[]): number => list.reduce((set, one) => set | (1 << one), 0);

/**
 * Whether the source reaches a target when exactly the risks of `happened` (bits) are down: what is up is walked until nothing more is
 * reached. Sets are bits, so that all of 2^14 sets are a matter of milliseconds; at most 31 risks and 31 nodes.
 */
export function reacher({ source, targets, edges, risksOfNode }: Reach): (happened: number) => boolean {
  const risksAtNode = risksOfNode.map(bits);
  const wanted = bits(targets);
  const ways = edges.map(({ a, b, risks }) => ({
    ends: (1 << a) | (1 << b),
    risks: bits(risks) | risksAtNode[a]! | risksAtNode[b]!,
  }));
  return (happened) => {
    if (happened & risksAtNode[source]!) return false;
    let reached = 1 << source;
    for (let before = 0; before !== reached;) {
      before = reached;
      for (const { ends, risks } of ways) if (reached & ends && !(risks & happened)) reached |= ends;
    }
    return (reached & wanted) !== 0;
  };
}

/** The share of time that no target is reached, by trying every combination of risks. */
export function downtimeByTrying(reach: Reach): number {
  const { length } = reach.down;
  const reaches = reacher(reach);
  let sum = 0;
  for (let happened = 0; happened < 1 << length; happened++) {
    if (reaches(happened)) continue;
    let p = 1;
    for (let r = 0; r < length; r++) p *= (happened >> r) & 1 ? reach.down[r]! : 1 - reach.down[r]!;
    sum += p;
  }
  return sum;
}

/** Minimal sets of at most `order` risks without which no target is reached, as bits, by trying every such set, the small ones first. */
export function cutsByTrying(reach: Reach, order: number, mayFail: (risk: number) => boolean): number[] {
  const reaches = reacher(reach);
  const risks = Array.from(reach.down, (_, r) => r).filter(mayFail);
  const cuts: number[] = [];
  const tryFrom = (first: number, left: number, set: number): void => {
    if (left === 0) {
      if (!cuts.some((cut) => (cut & set) === cut) && !reaches(set)) cuts.push(set);
      return;
    }
    for (let i = first; i <= risks.length - left; i++) tryFrom(i + 1, left - 1, set | (1 << risks[i]!));
  };
  for (let size = 0; size <= order; size++) tryFrom(0, size, 0);
  return cuts;
}
