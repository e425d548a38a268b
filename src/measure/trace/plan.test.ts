import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { shapeOf } from './graph.ts';
import { answerOf, type Network, type NetworkOptions, randomNetwork, truthOf } from './network.case.ts';
import { Plan, type PlanOptions } from './plan.ts';
import { Table } from './table.ts';

const WINDOW = 24;
/** Hundreds of networks per test; the machine may be busy. */
const PATIENCE_MS = 120_000;

/** Runs a plan on a network, answers coming in any order, some only after they were given up. */
function discover(network: Network, more: Partial<PlanOptions> = {}) {
  const options: PlanOptions = {
    algorithm: 'mda-lite',
    confidence: 0.95,
    firstTtl: 1,
    maxTtl: 30,
    silentHops: 5,
    maxFlows: 512,
    ...more,
  };
  const table = new Table();
  const plan = new Plan(table, options);
  const random = seededRandom(network.seed + 1);
  let probes = 0;
  for (;;) {
    const wishes = plan.wishes().slice(0, WINDOW);
    if (wishes.length === 0) break;
    const flying = wishes.map(({ ttl, flow }) => {
      table.sent(ttl, flow);
      return { ttl, flow, answer: answerOf(network, ttl, flow, probes++) };
    });
    flying.sort(() => random() - 0.5);
    for (const { ttl, flow, answer } of flying) {
      const late = answer !== null && random() < 0.02;
      if (answer === null || late) table.missed(ttl, flow);
      if (answer !== null) table.answered(ttl, flow, answer.address, { ends: answer.ends, late });
    }
    if (probes > 50_000) throw new Error(`no end on network ${network.seed}`);
  }
  const target = network.address.at(-1)!;
  const shape = shapeOf(table, 1, (address) => address === target, options.soleFirstHop);
  return { table, plan, probes, shape };
}

function score(network: Network, more?: Partial<PlanOptions>) {
  const truth = truthOf(network);
  const { shape, probes, plan } = discover(network, more);
  const found = new Set(shape.nodes.flatMap(({ address }) => address ?? []));
  const name = (id: number) => shape.nodes[id]!.address;
  const false_ = shape.edges.filter(({ from, to }) => !truth.links.has(`${name(from)}>${name(to)}`));
  const invented = [...found].filter((address) => !truth.addresses.has(address));
  const all = [...truth.addresses].every((address) => found.has(address));
  return { truth, all, false_, invented, probes, plan, shape };
}

/** One way per router of the widest layer; where a layer has one router, all ways go through it. */
function layered(widths: readonly number[], seed: number): Network {
  const layers: number[][] = [[0]];
  let nodes = 1;
  for (const width of [...widths, 1]) layers.push(Array.from({ length: width }, () => nodes++));
  const next = layers.flatMap((layer, i) =>
    layer.map((_, place) => {
      const far = layers[i + 1] ?? [];
      return layer.length === far.length ? [far[place]!] : [...far];
    }),
  );
  const none = Array.from({ length: nodes }, () => false);
  const address = next.map((_, node) => `10.0.0.${node}`);
  return { next, address, silent: none, perPacket: none, loss: 0, seed };
}

/** Over many networks: no edge that is none, and everything found as often as the stopping rule promises. */
function expectTruth(options: Omit<NetworkOptions, 'seed'>, count: number, more?: Partial<PlanOptions>) {
  let [complete, promised, variance, probes] = [0, 0, 0, 0];
  const fallbacks = { meshing: 0, asymmetry: 0, none: 0 };
  for (let seed = 1; seed <= count; seed++) {
    const one = score(randomNetwork({ ...options, seed }), more);
    expect(one.false_, `network ${seed} has edges that are none`).toEqual([]);
    expect(one.invented, `network ${seed} has addresses that are none`).toEqual([]);
    const chance = (more?.confidence ?? 0.95) ** one.truth.balancers;
    complete += one.all ? 1 : 0;
    promised += chance;
    variance += chance * (1 - chance);
    probes += one.probes;
    fallbacks[one.plan.fallback ?? 'none']++;
  }
  return { complete, least: promised - 3.3 * Math.sqrt(variance), probes, fallbacks };
}

describe('Plan on random networks', { timeout: PATIENCE_MS }, () => {
  test.each(['mda-lite', 'mda'] as const)('%s states no false edge and finds all as often as promised', (algorithm) => {
    const { complete, least } = expectTruth({ shape: 'any' }, 250, { algorithm });
    expect(complete).toBeGreaterThanOrEqual(least);
  });

  test.each(['mda-lite', 'mda'] as const)('%s keeps its promise of 99 %, too', (algorithm) => {
    const { complete, least } = expectTruth({ shape: 'meshed' }, 100, { algorithm, confidence: 0.99 });
    expect(complete).toBeGreaterThanOrEqual(least);
  });

  test.each([
    ['lost answers', { loss: 0.1 }, 80],
    ['silent routers', { silentShare: 0.15, loss: 0.05 }, 80],
    ['packets spread one by one', { perPacketShare: 0.2 }, 150],
  ])('with %s there is still no false edge', (_name, trouble, count) => {
    expectTruth({ shape: 'any', ...trouble }, count);
  });

  /** Layers of so many routers, each linked to the one beside it; the probes of MDA (n to find k: the published table) hop by hop. */
  test.each([
    ['a chain', [1, 1, 1], [1, 6, 6]],
    ['two ways', [1, 2, 2, 2], [1, 11, 11, 11]],
    ['four ways', [1, 4, 4, 4], [1, 21, 21, 21]],
  ])('%s: no more probes than the stopping rule of MDA at every hop and one for each end', (_name, widths, hops) => {
    const probes: number[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const network = layered(widths, seed);
      const one = score(network, { soleFirstHop: () => true });
      expect(one.false_).toEqual([]);
      probes.push(one.probes);
    }
    const median = probes.sort((a, b) => a - b)[30];
    expect(median).toBeLessThanOrEqual(hops.reduce((sum, n) => sum + n, 0) + 1);
  });

  test('MDA-Lite needs fewer probes than MDA on even networks, and falls back on others', () => {
    const lite = expectTruth({ shape: 'uniform' }, 100);
    const mda = expectTruth({ shape: 'uniform' }, 100, { algorithm: 'mda' });
    expect(lite.fallbacks.none).toBeGreaterThan(90);
    expect(lite.probes).toBeLessThan(0.8 * mda.probes);
    expect(lite.complete).toBeGreaterThanOrEqual(lite.least);
    const uneven = expectTruth({ shape: 'meshed' }, 100);
    expect(uneven.fallbacks.meshing).toBeGreaterThan(20);
    expect(uneven.fallbacks.asymmetry).toBeGreaterThan(5);
  });
});
