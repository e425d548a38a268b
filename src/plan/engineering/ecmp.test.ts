import fc from 'fast-check';
import { expect, test } from 'vitest';
import { routeByWeights } from './ecmp.ts';
import { anyCase, type Case, columns, pathsOf } from './traffic.case.ts';
import { makeTrafficNetwork, maxUtilisation } from './traffic.ts';

test('traffic divides in equal parts at every node, not over paths', () => {
  // 0 → 1 → 3 and 0 → 2 → 3 twice over parallel links: half goes by 1, a quarter over each link from 2.
  const links = [
    { from: 0, to: 1, capacity: 10, weight: 1 },
    { from: 1, to: 3, capacity: 10, weight: 1 },
    { from: 0, to: 2, capacity: 10, weight: 1 },
    { from: 2, to: 3, capacity: 10, weight: 1 },
    { from: 2, to: 3, capacity: 10, weight: 1 },
  ];
  const network = makeTrafficNetwork(4, links, 'one');
  const { arcLoad } = routeByWeights(network, columns([[0, 3, 8]]));
  expect([...arcLoad]).toEqual([4, 4, 4, 2, 2]);
  expect(maxUtilisation(network, arcLoad)).toBe(0.4);
});

test('lengths that differ only by rounding are equal', () => {
  const links = [0.1 + 0.2, 0.3].map((weight) => ({ from: 0, to: 1, capacity: 1, weight }));
  expect([...routeByWeights(makeTrafficNetwork(2, links, 'one'), columns([[0, 1, 1]])).arcLoad]).toEqual([0.5, 0.5]);
});

test('links of length zero make no circles', () => {
  const links = [
    { from: 0, to: 1, capacity: 1, weight: 0 },
    { from: 1, to: 2, capacity: 1, weight: 0 },
    { from: 0, to: 2, capacity: 1, weight: 0 },
  ];
  const { arcLoad, unroutedVolume } = routeByWeights(makeTrafficNetwork(3, links, 'each'), columns([[0, 2, 1]]));
  expect(unroutedVolume).toBe(0);
  expect(arcLoad[4]! + arcLoad[2]! - arcLoad[3]!).toBeCloseTo(1, 12);
});

/** Lists all paths, keeps the shortest, and follows the traffic along them node by node. */
function byEnumeration(
  { network, demands }: Case,
  gone: Uint8Array,
): { arcLoad: Float64Array; unroutedVolume: number } {
  const { graph } = network;
  const arcLoad = new Float64Array(graph.links);
  let unroutedVolume = 0;
  const lengthOf = (arcs: readonly number[]) => arcs.reduce((sum, a) => sum + graph.length[a]!, 0);
  for (let d = 0; d < demands.volume.length; d++) {
    const [from, to, volume] = [demands.from[d]!, demands.to[d]!, demands.volume[d]!];
    if (from === to) continue;
    const paths = pathsOf(network, from, to).filter((arcs) => !arcs.some((a) => gone[a]));
    const shortest = Math.min(...paths.map(lengthOf));
    const best = paths.filter((arcs) => lengthOf(arcs) === shortest);
    if (best.length === 0) unroutedVolume += volume;
    const follow = (node: number, much: number) => {
      if (node === to || much === 0) return;
      const next = new Set(best.flat().filter((a) => graph.from[a] === node));
      for (const arc of next) {
        arcLoad[arc]! += much / next.size;
        follow(graph.to[arc]!, much / next.size);
      }
    };
    follow(from, volume);
  }
  return { arcLoad, unroutedVolume };
}

test('loads equal those of listing every path, also with arcs gone', () => {
  fc.assert(
    fc.property(anyCase(), fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }), (one, fails) => {
      const arcs = Uint8Array.from({ length: one.network.graph.links }, (_, a) => (fails[a] && fails[23 - a] ? 1 : 0));
      const slow = byEnumeration(one, arcs);
      const quick = routeByWeights(one.network, one.demands, { arcs });
      expect(quick.unroutedVolume).toBe(slow.unroutedVolume);
      quick.arcLoad.forEach((load, a) => expect(load).toBeCloseTo(slow.arcLoad[a]!, 9));
    }),
    { numRuns: 400, seed: 1 },
  );
});
