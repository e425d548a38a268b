import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutSets, type Reachability } from './cut-sets.ts';
import { simulate } from './monte-carlo.ts';
import { downtime } from './downtime.ts';
import { reachOf } from './reachability.ts';
import { anyReach, cutsByTrying, downtimeByTrying } from './reach.case.ts';
import { anyRiskMap, sparseRiskMap } from './risk-map.case.ts';
import { type RiskMap, risksAt } from './risk-map.ts';

const question = (map: RiskMap, targets: number[]): Reachability => {
  const excepted = new Uint8Array(map.risks.length);
  for (const r of risksAt(map, 0)) excepted[r] = 1;
  return { map, source: 0, targets, excepted };
};

const anyQuestion = anyRiskMap({ nodes: 5, links: 7, groups: 3 }).chain((map) =>
  fc.uniqueArray(fc.nat(map.graph.nodes - 1), { minLength: 1, maxLength: 2 }).map((targets) => question(map, targets)),
);

/** Ten nodes, sparse, with every link, every node and some groups a risk: 21 to 30 of them. */
const sparseQuestion = sparseRiskMap().chain((map) =>
  fc.uniqueArray(fc.nat(map.graph.nodes - 1), { minLength: 1, maxLength: 2 }).map((targets) => question(map, targets)),
);

function byTrying(asked: Reachability, order: number): string[] {
  const cuts = cutsByTrying(reachOf(asked), order, (r) => asked.excepted[r] !== 1);
  return cuts.map((cut) => String(asked.map.risks.flatMap((_, r) => ((cut >> r) & 1 ? [r] : [])))).sort();
}

describe('cut sets', () => {
  test('are all the minimal ones of up to three risks that trying every set finds', () => {
    fc.assert(
      fc.property(anyQuestion, (asked) => {
        const { sets, isComplete } = cutSets(asked, 3);
        expect(isComplete).toBe(true);
        expect(sets.map(String).sort()).toEqual(byTrying(asked, 3));
      }),
      { numRuns: 300 },
    );
  });

  test('of networks of ten nodes are those that trying every set finds, up to four risks', () => {
    fc.assert(
      fc.property(sparseQuestion, fc.constantFrom(2, 3, 4), (asked, order) => {
        const { sets, isComplete } = cutSets(asked, order);
        expect(isComplete).toBe(true);
        expect(sets.map(String).sort()).toEqual(byTrying(asked, order));
      }),
      { numRuns: 120 },
    );
  });

  test('that were not all looked for say so', () => {
    fc.assert(
      fc.property(anyQuestion, (asked) => {
        const all = new Set(cutSets(asked, 3).sets.map(String));
        const { sets, isComplete } = cutSets(asked, 3, 4);
        for (const set of sets) expect(all.has(String(set))).toBe(true);
        if (isComplete) expect(sets).toHaveLength(all.size);
      }),
      { numRuns: 100 },
    );
  });
});

test('simulate() agrees with the exact downtime, also of rare failures, whether it tries or draws', () => {
  fc.assert(
    fc.property(anyReach({ risks: 8 }), fc.constantFrom(1, 1e-2, 1e-4), (reach, scale) => {
      const rare = { ...reach, down: Array.from(reach.down, (p) => p * scale) };
      const truth = downtimeByTrying(rare);
      const { interval, share } = simulate(rare, 100, 1, 1 - 1e-6);
      expect(interval[0]).toBeLessThanOrEqual(truth * (1 + 1e-12));
      expect(interval[1]).toBeGreaterThanOrEqual(truth * (1 - 1e-12));
      // Eight risks have few combinations: all are tried.
      expect(Math.abs(share - truth)).toBeLessThanOrEqual(1e-12 * truth);
    }),
    { numRuns: 200 },
  );
  // A ring of a hundred: any two failures on different sides cut it; too many pairs to try.
  const ring = {
    nodes: 100,
    source: 0,
    targets: [50],
    edges: Array.from({ length: 100 }, (_, v) => ({ a: v, b: (v + 1) % 100, risks: [v] })),
    risksOfNode: Array.from({ length: 100 }, () => []),
    down: Array.from({ length: 100 }, () => 1e-3),
  };
  const { interval, share, drawn } = simulate(ring, 1000, 1);
  const truth = downtime(ring).low;
  expect(drawn).toBeGreaterThan(1000);
  expect(interval[0]).toBeLessThanOrEqual(truth);
  expect(interval[1]).toBeGreaterThanOrEqual(truth);
  expect(Math.abs(share / truth - 1)).toBeLessThan(0.1);
});
