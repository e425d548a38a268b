import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutSets, type Reachability } from './cut-sets.ts';
import { simulate } from './monte-carlo.ts';
import { downtimeOf, reachOf } from './reachability.ts';
import { reaches } from './reach.case.ts';
import { anyRiskMap } from './risk-map.case.ts';
import { type RiskMap, risksAt } from './risk-map.ts';

const question = (map: RiskMap, targets: number[]): Reachability => {
  const excepted = new Uint8Array(map.risks.length);
  for (const r of risksAt(map, 0)) excepted[r] = 1;
  return { map, source: 0, targets, excepted };
};

const anyQuestion = anyRiskMap({ nodes: 5, links: 7, groups: 3 }).chain((map) =>
  fc.uniqueArray(fc.nat(map.graph.nodes - 1), { minLength: 1, maxLength: 2 }).map((targets) => question(map, targets)),
);

/** Minimal cut sets by trying all sets of at most three risks. */
function byTrying(asked: Reachability): string[] {
  const reach = reachOf(asked);
  const count = reach.down.length;
  const cuts: number[] = [];
  const bits = (set: number) => Array.from({ length: count }, (_, r) => r).filter((r) => (set >> r) & 1);
  const sets = Array.from({ length: 1 << count }, (_, set) => set)
    .filter((set) => bits(set).length <= 3 && bits(set).every((r) => !asked.excepted[r]))
    .sort((a, b) => bits(a).length - bits(b).length);
  for (const set of sets) if (!reaches(reach, set) && !cuts.some((cut) => (cut & set) === cut)) cuts.push(set);
  return cuts.map((cut) => String(bits(cut))).sort();
}

describe('cut sets', () => {
  test('are all the minimal ones of up to three risks that trying every set finds', () => {
    fc.assert(
      fc.property(anyQuestion, (asked) => {
        const { sets, isComplete } = cutSets(asked, 3);
        expect(isComplete).toBe(true);
        expect(sets.map(String).sort()).toEqual(byTrying(asked));
      }),
      { numRuns: 300 },
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

test('simulate() agrees with the exact downtime, also of rare failures', () => {
  let misses = 0;
  let asked = 0;
  fc.assert(
    fc.property(anyQuestion, fc.constantFrom(1, 1e-2, 1e-4), (q, scale) => {
      const reach = reachOf(q);
      const rare = { ...reach, down: Array.from(reach.down, (p) => p * scale) };
      const { low } = downtimeOf({
        ...q,
        map: { ...q.map, risks: q.map.risks.map((r) => ({ ...r, down: r.down * scale })) },
      });
      const { interval, share, cutOff } = simulate(rare, 3000, 1);
      if (cutOff === 0) {
        expect(low).toBeLessThan(0.01 * scale);
        return;
      }
      asked++;
      if (low < interval[0] || low > interval[1]) misses++;
      expect(share).toBeGreaterThanOrEqual(low / 3);
      expect(share).toBeLessThanOrEqual(low * 3);
    }),
    { numRuns: 120, seed: 7 },
  );
  // 99 % intervals: of about a hundred, more than six outside happen once in ten thousand times.
  expect(asked).toBeGreaterThan(50);
  expect(misses).toBeLessThanOrEqual(6);
});
