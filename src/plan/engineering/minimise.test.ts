import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { parseRepetitaDemands, parseRepetitaGraph } from '../../gather/topology/repetita.ts';
import { startSolver } from '../milp/solver.ts';
import { routeByWeights } from './ecmp.ts';
import { type LeastUtilisation, minimiseMaxUtilisation } from './minimise.ts';
import { anyCase, type Case, columns, isReachable, leastByArcs } from './traffic.case.ts';
import { demandRows, makeTrafficNetwork, maxUtilisation } from './traffic.ts';

const solver = startSolver();
afterAll(() => solver.close());

/** What flows in and out of each node is what demands want there. */
function expectCarried({ network, demands }: Case, { arcLoad, unroutedVolume }: LeastUtilisation): void {
  const { graph } = network;
  const balance = new Float64Array(graph.nodes);
  let unreachable = 0;
  for (let d = 0; d < demands.volume.length; d++) {
    const [from, to, volume] = [demands.from[d]!, demands.to[d]!, demands.volume[d]!];
    if (!isReachable(network, from, to)) unreachable += volume;
    else {
      balance[from]! += volume;
      balance[to]! -= volume;
    }
  }
  expect(unroutedVolume).toBe(unreachable);
  for (let a = 0; a < graph.links; a++) {
    expect(arcLoad[a]).toBeGreaterThanOrEqual(0);
    balance[graph.from[a]!]! -= arcLoad[a]!;
    balance[graph.to[a]!]! += arcLoad[a]!;
  }
  for (const rest of balance) expect(rest).toBeCloseTo(0, 8);
}

test('the optimum equals that of the textbook program, and is proved by both ends', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase(), async (one) => {
      const found = await minimiseMaxUtilisation(one.network, one.demands, { solver });
      expect(found.maxUtilisation).toBeCloseTo(await leastByArcs(one, solver), 6);
      expect(found.lowerBound).toBeLessThanOrEqual(found.maxUtilisation * (1 + 1e-12));
      expect(found.maxUtilisation).toBeLessThanOrEqual(found.lowerBound * (1 + 1e-6));
      expectCarried(one, found);
    }),
    { numRuns: 70, seed: 3 },
  );
});

test('without the program the potential method alone holds the optimum between its bounds', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase(), async (one) => {
      const rough = await minimiseMaxUtilisation(one.network, one.demands, {
        solver,
        isRough: true,
        sweeps: 12,
        gap: 0.02,
      });
      const least = await leastByArcs(one, solver);
      expect(rough.lowerBound).toBeLessThanOrEqual(least * (1 + 1e-9) + 1e-12);
      expect(rough.maxUtilisation).toBeGreaterThanOrEqual(least * (1 - 1e-9));
      expectCarried(one, rough);
    }),
    { numRuns: 60, seed: 4 },
  );
});

/** Augmenting paths (Ford and Fulkerson 1956) on whole capacities: knows nothing of linear programs. */
function maxFlow({ graph, capacity, pool }: Case['network'], from: number, to: number): number {
  const room = new Map<string, number>();
  const key = (a: number, b: number) => `${a} ${b}`;
  const add = (a: number, b: number, much: number) => room.set(key(a, b), (room.get(key(a, b)) ?? 0) + much);
  for (let a = 0; a < graph.links; a++) add(graph.from[a]!, graph.to[a]!, capacity[pool[a]!]!);
  const augment = (at: number, seen: Set<number>): boolean => {
    if (at === to) return true;
    seen.add(at);
    for (let next = 0; next < graph.nodes; next++) {
      if (seen.has(next) || (room.get(key(at, next)) ?? 0) < 1 || !augment(next, seen)) continue;
      add(at, next, -1);
      add(next, at, 1);
      return true;
    }
    return false;
  };
  let flow = 0;
  while (augment(from, new Set())) flow++;
  return flow;
}

test('with one demand the optimum is the demand over the smallest cut', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase(['one', 'each']), async ({ network }) => {
      const to = network.graph.nodes - 1;
      const flow = maxFlow(network, 0, to);
      const found = await minimiseMaxUtilisation(network, columns([[0, to, 5]]), { solver });
      expect(found.maxUtilisation).toBeCloseTo(flow === 0 ? 0 : 5 / flow, 8);
    }),
    { numRuns: 80, seed: 5 },
  );
});

test('what a share of capacity is worth is what adding it gains', async () => {
  // A ring of four; everything from 0 to 2 goes both ways round, and the way by 1 is narrow.
  const links = [
    { from: 0, to: 1, capacity: 2, weight: 1 },
    { from: 1, to: 2, capacity: 4, weight: 1 },
    { from: 2, to: 3, capacity: 6, weight: 1 },
    { from: 3, to: 0, capacity: 6, weight: 1 },
  ];
  const demands = columns([[0, 2, 8]]);
  const before = await minimiseMaxUtilisation(makeTrafficNetwork(4, links, 'each'), demands, { solver });
  expect(before.maxUtilisation).toBeCloseTo(1, 9);
  expect(before.worth[0]).toBeCloseTo(0.25, 9);
  const wider = links.with(0, { ...links[0]!, capacity: 2.002 });
  const after = await minimiseMaxUtilisation(makeTrafficNetwork(4, wider, 'each'), demands, { solver });
  expect((1 - after.maxUtilisation) / 0.001).toBeCloseTo(0.25, 3);
});

test('a search that is stopped at once still carries everything, and bounds it', async () => {
  const links = Array.from({ length: 6 }, (_, i) => ({ from: i, to: (i + 1) % 6, capacity: 1 + i, weight: 1 }));
  const one = {
    network: makeTrafficNetwork(6, links, 'each'),
    demands: columns([
      [0, 3, 1],
      [1, 4, 2],
      [2, 0, 1],
    ]),
  };
  const stopped = await minimiseMaxUtilisation(one.network, one.demands, { solver, signal: AbortSignal.abort() });
  expectCarried(one, stopped);
  expect(stopped.lowerBound).toBeGreaterThan(0);
  expect(stopped.lowerBound).toBeLessThanOrEqual(await leastByArcs(one, solver));
});

const folder = sharedData('planning/repetita');
const optima = { Abilene: 0.8999992, Geant2012: 0.8999944, Cogentco: 0.898492 };

test.skipIf(folder === null).each(Object.entries(optima))(
  '%s of REPETITA: optimum %s',
  async (name, optimum) => {
    const graph = parseRepetitaGraph(readFileSync(`${folder}/${name}.graph`, 'utf8'));
    if (!graph.ok) throw new Error(graph.mistakes[0]!.message);
    const nodes = graph.value.nodes.length;
    const parsed = parseRepetitaDemands(readFileSync(`${folder}/${name}.0000.demands`, 'utf8'), nodes);
    if (!parsed.ok) throw new Error(parsed.mistakes[0]!.message);
    const network = makeTrafficNetwork(nodes, graph.value.edges, 'one');
    const demands = columns(parsed.value.map(({ from, to, volume }) => [from, to, volume]));
    const found = await minimiseMaxUtilisation(network, demands, { solver });
    expect(found.maxUtilisation).toBeCloseTo(optimum, 6);
    expect(found.lowerBound).toBeCloseTo(optimum, 6);
    expect(found.unroutedVolume).toBe(0);
    expect(demandRows(nodes, demands).size).toBe(nodes);
    const { arcLoad } = routeByWeights(network, demands);
    expect(maxUtilisation(network, arcLoad)).toBeGreaterThan(optimum);
  },
  120_000,
);
