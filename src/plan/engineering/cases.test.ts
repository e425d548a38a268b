import fc from 'fast-check';
import { expect, test } from 'vitest';
import { baseLoads, demandsIn, goneIn, loadsIn } from './cases.ts';
import { routeByWeights } from './ecmp.ts';
import { anyCase } from './traffic.case.ts';
import { yearsUntil } from './years.ts';

test('loads after a failure equal those of routing everything anew without what failed', () => {
  const failure = fc.record({ link: fc.nat(11), node: fc.option(fc.nat(6)) });
  fc.assert(
    fc.property(anyCase(), failure, ({ network, demands }, { link, node }) => {
      const gone = { links: [link % network.links], nodes: node === null ? [] : [node % network.graph.nodes] };
      const quick = loadsIn(baseLoads(network, demands), gone);
      const slow = routeByWeights(network, demandsIn(demands, gone), goneIn(network, gone));
      expect(quick.unroutedVolume).toBe(slow.unroutedVolume);
      quick.arcLoad.forEach((load, a) => expect(load).toBeCloseTo(slow.arcLoad[a]!, 9));
      const isEnd = (v: number) => gone.nodes.includes(v);
      const stranded = [...demands.volume].filter(
        (_, d) => demands.from[d] !== demands.to[d] && (isEnd(demands.from[d]!) || isEnd(demands.to[d]!)),
      );
      expect(quick.strandedVolume).toBe(stranded.reduce((sum, much) => sum + much, 0));
    }),
    { numRuns: 300, seed: 6 },
  );
});

test('a link passes its limit when growth has made up the distance', () => {
  expect(yearsUntil(0.9, 0.8, 0.4)).toBe(0);
  expect(yearsUntil(0.4, 0.8, 1)).toBeCloseTo(1, 12);
  expect(yearsUntil(0.4, 0.8, 0.4)).toBeCloseTo(2.06, 2);
  expect(yearsUntil(0.4, 0.8, 0)).toBeNull();
  expect(yearsUntil(0, 0.8, 1)).toBeNull();
});
