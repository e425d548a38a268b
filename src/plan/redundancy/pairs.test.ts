import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { makeGraph } from '../../stats/graph/graph.ts';
import { everyPath } from '../../stats/graph/paths.case.ts';
import { startSolver } from '../milp/solver.ts';
import { asPath, type PairQuestion, pairQuestion, risksOn, sharedRisks } from './pair-question.ts';
import { findPair, leastShared } from './pairs.ts';
import { anyRiskMap, sparseRiskMap } from './risk-map.case.ts';
import { makeRiskMap, type RiskKind } from './risk-map.ts';

const solver = startSolver();
afterAll(() => solver.close());

const kindLists: RiskKind[][] = [[], ['node'], ['group'], ['node', 'group']];
const anyQuestion = fc
  .tuple(
    anyRiskMap().filter(({ graph }) => graph.nodes > 1),
    fc.constantFrom(...kindLists),
  )
  .map(([map, kinds]) => pairQuestion(map, 0, map.graph.nodes - 1, kinds));

/** Ten nodes, sparse; at most 30 risks, so that a set of them is bits of a number. */
const sparseQuestion = fc
  .tuple(sparseRiskMap(), fc.constantFrom(...kindLists))
  .map(([map, kinds]) => pairQuestion(map, 0, map.graph.nodes - 1, kinds));

/** Every pair of paths, with what it shares, and what that costs. */
function everyPair(question: PairQuestion) {
  const bit = (r: number) => 1 << r;
  const paths = everyPath(question.map.graph, question.from, question.to).map((links) => ({
    lengthKm: asPath(question.map.graph, links).lengthKm,
    risks: [...risksOn(question, links)].reduce((set, r) => set | bit(r), 0),
  }));
  return paths.flatMap((a, i) =>
    paths.slice(i).map((b) => ({ lengthKm: a.lengthKm + b.lengthKm, shared: a.risks & b.risks })),
  );
}

const members = (set: number): number[] => Array.from({ length: 31 }, (_, r) => r).filter((r) => (set >> r) & 1);

const shortest = (pairs: { lengthKm: number }[]) => Math.min(Infinity, ...pairs.map(({ lengthKm }) => lengthKm));

describe('findPair()', () => {
  for (const [by, effort] of [
    ['conflicts alone', { solver: null, maxCases: 100_000 }],
    ['the program where conflicts may look at two cases only', { solver, maxCases: 2 }],
  ] as const)
    test(`finds the shortest pair of all that there are, or proves that there is none: by ${by}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.oneof(anyQuestion, sparseQuestion), async (question) => {
          const truth = shortest(everyPair(question).filter(({ shared }) => shared === 0));
          const answer = await findPair(question, effort);
          expect(answer.status).toBe(truth === Infinity ? 'none' : 'found');
          if (answer.status !== 'found') return;
          expect(answer.isShortest).toBe(true);
          expect(answer.pair.lengthKm).toBeCloseTo(truth, 6);
          expect(sharedRisks(question, answer.pair)).toEqual([]);
        }),
        { numRuns: effort.solver ? 150 : 600 },
      );
    });

  test('says unknown, not none, where it was stopped before it knew', async () => {
    const question = twistedQuestion();
    expect(await findPair(question, { solver: null, maxCases: 1 })).toMatchObject({ status: 'unknown' });
    expect(await findPair(question, { solver: null })).toEqual({ status: 'none', because: { kind: 'cases' } });
    expect(await findPair(question, { solver, maxCases: 1 })).toEqual({ status: 'none', because: { kind: 'program' } });
  });

  test('names what is on every path', async () => {
    const map = makeRiskMap({
      graph: makeGraph({ nodes: 3, from: [0, 0, 1, 1], to: [1, 1, 2, 2] }),
      nodeNames: ['a', 'b', 'c'],
      linkNames: ['1', '2', '3', '4'],
      risks: [
        ...[0, 1, 2, 3].map((l) => ({
          kind: 'link' as const,
          name: `${l}`,
          links: [l],
          nodes: [],
          down: 0,
          lengthKm: 0,
        })),
        { kind: 'node', name: 'b', links: [], nodes: [1], down: 0, lengthKm: 0 },
        { kind: 'group', name: 'duct', links: [0, 1], nodes: [], down: 0.1, lengthKm: 5 },
      ],
    });
    expect((await findPair(pairQuestion(map, 0, 2, []), { solver })).status).toBe('found');
    expect(await findPair(pairQuestion(map, 0, 2, ['node', 'group']), { solver })).toEqual({
      status: 'none',
      because: { kind: 'risks', risks: [4, 5] },
    });
    // What stands at an end itself is no reason.
    expect((await findPair(pairQuestion(map, 0, 1, ['node']), { solver })).status).toBe('found');
  });
});

describe('leastShared()', () => {
  for (const [by, effort] of [
    ['the search alone', { solver: null, maxCases: 1e6 }],
    ['the program where the search may look at two cases only', { solver, maxCases: 2 }],
  ] as const)
    test(`shares no more downtime than any other pair, and is the shortest of those: by ${by}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.oneof(anyQuestion, sparseQuestion), async (question) => {
          const answer = await findPair(question, { solver: null, maxCases: 1e6 });
          if (answer.status !== 'none') return;
          const cost = (risks: number[]) =>
            risks.reduce((sum, r) => sum + question.map.risks[r]!.down * 525_960 + 0.01, 0);
          const pairs = everyPair(question);
          const least = await leastShared(question, answer.because, effort);
          expect(least === null).toBe(pairs.length === 0);
          if (!least) return;
          const leastCost = Math.min(...pairs.map(({ shared }) => cost(members(shared))));
          expect(cost(least.risks)).toBeCloseTo(leastCost, 2);
          expect(least.isLeast).toBe(true);
          const truth = shortest(pairs.filter(({ shared }) => cost(members(shared)) <= leastCost + 1e-3));
          expect(least.pair.lengthKm).toBeCloseTo(truth, 5);
        }),
        { numRuns: effort.solver ? 100 : 400 },
      );
    });
});

/** Three ways of two links; any two ways share a duct, and no duct is on all three. */
function twistedQuestion(): PairQuestion {
  const graph = makeGraph({ nodes: 5, from: [0, 0, 0, 1, 2, 3], to: [1, 2, 3, 4, 4, 4] });
  const group = (name: string, links: number[]) => ({
    kind: 'group' as const,
    name,
    links,
    nodes: [],
    down: 0.01,
    lengthKm: 1,
  });
  const own = Array.from({ length: 6 }, (_, l) => ({
    kind: 'link' as const,
    name: `l${l}`,
    links: [l],
    nodes: [],
    down: 0.01,
    lengthKm: 0,
  }));
  const map = makeRiskMap({
    graph,
    nodeNames: ['a', 'b', 'c', 'd', 'e'],
    linkNames: own.map(({ name }) => name),
    risks: [...own, group('ab', [0, 1]), group('bc', [4, 5]), group('ac', [3, 2])],
  });
  return pairQuestion(map, 0, 4, ['group']);
}
