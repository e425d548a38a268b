import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startSolver } from '../milp/solver.ts';
import { routeByWeights } from './ecmp.ts';
import { minimiseMaxUtilisation } from './minimise.ts';
import { startReweighing } from './reweigh.ts';
import { anyCase, type Case, columns } from './traffic.case.ts';
import { makeTrafficNetwork, maxUtilisation, type TrafficNetwork } from './traffic.ts';
import { optimiseWeights } from './weights.ts';

/** The same network with other weights, made anew. */
function weighted({ graph, ...rest }: TrafficNetwork, weights: ArrayLike<number>): TrafficNetwork {
  const links = Array.from(graph.from, (from, arc) => ({
    from,
    to: graph.to[arc]!,
    capacity: 1,
    weight: weights[arc]!,
  }));
  return { ...rest, graph: makeTrafficNetwork(graph.nodes, links, 'one').graph };
}

test('routing kept up to date through changes of weights is that of routing everything anew, and so is what is taken back', () => {
  const change = fc.record({
    arcs: fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 2 }),
    weight: fc.integer({ min: 1, max: 5 }),
    isKept: fc.boolean(),
  });
  fc.assert(
    fc.property(anyCase(), fc.array(change, { maxLength: 8 }), ({ network, demands }, changes) => {
      const routing = startReweighing(network, demands, network.graph.length);
      const isRight = () => {
        const fresh = routeByWeights(weighted(network, routing.network.graph.length), demands).arcLoad;
        fresh.forEach((load, arc) => expect(routing.arcLoad[arc]!).toBeCloseTo(load, 9));
      };
      for (const { arcs, weight, isKept } of changes) {
        const before = [routing.arcLoad.slice(), routing.network.graph.length.slice()];
        const undo = routing.change([...new Set(arcs.map((arc) => arc % network.graph.links))], weight);
        isRight();
        if (isKept) continue;
        undo();
        expect([routing.arcLoad, routing.network.graph.length]).toEqual(before);
        isRight();
      }
      // The network that was given is untouched.
      expect(network.graph.length.every((length) => length <= 3)).toBe(true);
    }),
    { numRuns: 400 },
  );
});

/** The least over all weights from 1 to 4 of every link. */
function leastByTrying({ network, demands }: Case): number {
  const { links, link } = network;
  let least = Infinity;
  for (let code = 0; code < 4 ** links; code++) {
    const weights = Array.from(link, (l) => 1 + (Math.floor(code / 4 ** l) % 4));
    const tried = weighted(network, weights);
    least = Math.min(least, maxUtilisation(tried, routeByWeights(tried, demands).arcLoad));
  }
  return least;
}

const options = { isPerDirection: false, lowerBound: 0, tries: 3000 };

test('on small networks the search is as good as trying all weights from 1 to 4', { timeout: 60_000 }, async () => {
  // Always the same networks: that a search finds the best of all is nothing that can be promised.
  const cases = fc.sample(
    anyCase(['each']).filter(({ network }) => network.links <= 5 && network.graph.nodes <= 5),
    { numRuns: 40, seed: 7 },
  );
  for (const one of cases) {
    const { maxUtilisation: found, weights } = await optimiseWeights(one.network, one.demands, {
      ...options,
      worth: new Float64Array(one.network.capacity.length),
    });
    expect(found).toBeLessThanOrEqual(leastByTrying(one) + 1e-9);
    const tried = weighted(one.network, weights);
    expect(maxUtilisation(tried, routeByWeights(tried, one.demands).arcLoad)).toBeLessThanOrEqual(found + 1e-9);
  }
});

test('weights are whole and no worse than those given; nothing gets below the bound; the same seed gives the same', async () => {
  const solver = startSolver();
  try {
    await fc.assert(
      fc.asyncProperty(
        anyCase(['one', 'each', 'shared']),
        fc.boolean(),
        async ({ network, demands }, isPerDirection) => {
          const { lowerBound, worth } = await minimiseMaxUtilisation(network, demands, { solver });
          const asked = { isPerDirection, lowerBound, worth, tries: 200 };
          const found = await optimiseWeights(network, demands, asked);
          const given = maxUtilisation(network, routeByWeights(network, demands).arcLoad);
          expect(found.maxUtilisation).toBeLessThanOrEqual(given + 1e-9);
          expect(found.maxUtilisation).toBeGreaterThanOrEqual(lowerBound - 1e-6);
          for (const weight of found.weights)
            expect(Number.isInteger(weight) && weight >= 1 && weight <= 65_535).toBe(true);
          expect(await optimiseWeights(network, demands, asked)).toEqual(found);
        },
      ),
      { numRuns: 40 },
    );
  } finally {
    await solver.close();
  }
});

test('a square: the weight that divides the traffic is found, and nothing else is changed', async () => {
  const links = [
    { from: 0, to: 1, capacity: 10, weight: 1 },
    { from: 1, to: 2, capacity: 10, weight: 1 },
    { from: 2, to: 3, capacity: 10, weight: 2 },
    { from: 3, to: 0, capacity: 10, weight: 2 },
  ];
  const network = makeTrafficNetwork(4, links, 'each');
  const found = await optimiseWeights(network, columns([[0, 2, 12]]), {
    ...options,
    lowerBound: 0.6,
    worth: new Float64Array(8),
  });
  expect(found).toMatchObject({ maxUtilisation: 0.6, start: 'given' });
  const changed = links.filter(({ weight }, l) => found.weights[2 * l] !== weight);
  expect(changed.length).toBeLessThanOrEqual(2);
});

test('stopped, it gives what it has, and what joins a device to its site keeps its weight', async () => {
  const links = [
    { from: 0, to: 1, capacity: 1, weight: 0 },
    { from: 1, to: 2, capacity: 1, weight: 0.25 },
  ];
  const found = await optimiseWeights(makeTrafficNetwork(3, links, 'each'), columns([[0, 2, 2]]), {
    ...options,
    worth: new Float64Array(4),
    signal: AbortSignal.abort(),
  });
  expect([...found.weights]).toEqual([0, 0, 10_000, 10_000]);
  expect(found.maxUtilisation).toBe(2);
});
