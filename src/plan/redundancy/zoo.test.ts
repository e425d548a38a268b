import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { parseGraphml } from '../../gather/topology/graphml.ts';
import { startSolver } from '../milp/solver.ts';
import { cutSets } from './cut-sets.ts';
import { drawnDucts, drawnPairs } from './ducts.case.ts';
import { riskNetworkOfMap } from './from-map.ts';
import { simulate } from './monte-carlo.ts';
import { pairQuestion, sharedRisks } from './pair-question.ts';
import { findPair, leastShared } from './pairs.ts';
import { downtimeOf, reachOf } from './reachability.ts';
import { riskMapOf } from './risk-network.ts';
import { serviceQuestion } from './service.ts';

const solver = startSolver();
afterAll(() => solver.close());

const folder = sharedData('planning/topologyzoo/graphml');

function load(name: string, ducts: number) {
  const parsed = parseGraphml(readFileSync(`${folder}/${name}.graphml`, 'utf8'));
  if (!parsed.ok) throw new Error(parsed.mistakes[0]!.message);
  const { net } = riskNetworkOfMap(parsed.value, 1.5, drawnDucts(parsed.value, ducts, 3));
  return { net, map: riskMapOf(net) };
}

describe.skipIf(folder === null)(
  'maps of the Topology Zoo with drawn ducts (the reference data is absent if skipped)',
  () => {
    for (const [name, ducts] of [
      ['Geant2012', 6],
      ['Cogentco', 16],
    ] as const)
      test(`${name}: search and program agree on the shortest pair, or that there is none`, async () => {
        const { map } = load(name, ducts);
        const statuses = new Set<string>();
        for (const [from, to] of drawnPairs(map.graph.nodes, 15, 4)) {
          const question = pairQuestion(map, from, to, ['group']);
          const answer = await findPair(question, { solver, timeLimitS: 30 });
          statuses.add(answer.status);
          if (answer.status === 'found') {
            expect(answer.isShortest).toBe(true);
            expect(sharedRisks(question, answer.pair)).toEqual([]);
          }
          // The program alone is slower: it checks on the smaller map.
          if (ducts > 6) continue;
          const its = await findPair(question, { solver, maxCases: 0, timeLimitS: 30 });
          expect(its.status).toBe(answer.status);
          if (its.status === 'found' && answer.status === 'found')
            expect(its.pair.lengthKm).toBeCloseTo(answer.pair.lengthKm, 3);
          if (answer.status === 'none')
            expect((await leastShared(question, answer.because, { solver }))!.risks.length).toBeGreaterThan(0);
        }
        expect(statuses.has('unknown')).toBe(false);
        expect(statuses.has('found')).toBe(true);
      }, 60_000);

    test('Geant2012: the exact downtime lies between what cut sets and draws say', () => {
      const { map } = load('Geant2012', 6);
      for (const [from, to] of drawnPairs(map.graph.nodes, 3, 6)) {
        const service = {
          from: map.nodeNames[from]!,
          to: '',
          servedFrom: [map.nodeNames[to]!],
          countsSite: false,
          target: null,
          users: 1,
        };
        const question = serviceQuestion(map, service);
        const { low, high } = downtimeOf(question);
        expect(low).toBe(high);
        const { sets } = cutSets(question, 3);
        // Each cut set alone is a part of the downtime; all of them together, without what they share, are more than those up to three.
        const shares = sets.map((set) => set.reduce((product, r) => product * map.risks[r]!.down, 1));
        expect(low).toBeGreaterThanOrEqual(Math.max(0, ...shares) * (1 - 1e-9));
        const sum = shares.reduce((total, share) => total + share, 0);
        expect(low).toBeGreaterThan(sum * 0.9);
        expect(low).toBeLessThan(sum * 1.1);
        const { interval } = simulate(reachOf(question), 200, 1, 0.9999);
        expect(interval[0]).toBeLessThanOrEqual(high);
        expect(interval[1]).toBeGreaterThanOrEqual(low);
      }
    });
  },
);
