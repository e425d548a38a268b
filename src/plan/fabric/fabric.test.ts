import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planFabric as planFabricSchema } from '../../model/plan/fabric.ts';
import { entered } from '../figures.ts';
import { bisectionGbps } from './bisection.ts';
import { type Clos, type ClosWish, designClos, largestFabric } from './clos.ts';
import { bruteBisection, build } from './clos.case.ts';
import { type FabricWish, planFabric, wishMistakes } from './fabric.ts';
import { mediumFor } from './reach.ts';

const wish = (over: Partial<ClosWish> = {}): ClosWish => ({
  endpoints: 1024,
  nicGbps: 400,
  radix: 64,
  portGbps: 400,
  oversubscription: 1,
  rails: 1,
  ...over,
});
const asked = (over: Partial<Record<keyof FabricWish, number>> = {}): FabricWish => {
  const all = {
    gpus: 1024,
    gpusPerNode: 8,
    nicsPerGpu: 1,
    nicGbps: 400,
    radix: 64,
    portGbps: 400,
    oversubscription: 1,
    rails: 0,
    hostToLeafM: 2,
    leafToSpineM: 30,
    spineToCoreM: 200,
    ...over,
  };
  return Object.fromEntries(
    Object.entries(all).map(([k, v]) => [k, entered(k, v, '', `--${k}`)]),
  ) as unknown as FabricWish;
};

describe('designClos()', () => {
  test('1,024 NICs of 400G on switches of 64 ports: 32 leaves, 16 spines, two links to each', () => {
    expect(designClos(wish())).toEqual({
      tiers: 2,
      leaves: 32,
      leafDown: 32,
      leafUp: 32,
      pods: 1,
      spinesPerPod: 16,
      linksPerSpine: 2,
      coresPerPlane: 0,
      linksPerCore: 0,
    });
  });

  test('the largest of two tiers is radix²/2, of three radix³/4: the fat-trees of the textbook', () => {
    for (const radix of [4, 8, 64]) {
      const largest = largestFabric(wish({ radix }));
      expect(largest).toEqual({ twoTiers: radix ** 2 / 2, threeTiers: radix ** 3 / 4 });
      expect(designClos(wish({ radix, endpoints: largest.twoTiers }))!.tiers).toBe(2);
      const full = designClos(wish({ radix, endpoints: largest.threeTiers }))!;
      expect(full).toMatchObject({ tiers: 3, pods: radix, spinesPerPod: radix / 2, coresPerPlane: radix / 2 });
      expect(full.leaves).toBe(radix ** 2 / 2);
      expect(designClos(wish({ radix, endpoints: largest.threeTiers + 1 }))).toBeNull();
    }
  });

  const anyWish = fc.record({
    endpoints: fc.integer({ min: 1, max: 3000 }),
    nicGbps: fc.constantFrom(100, 200, 400),
    radix: fc.integer({ min: 4, max: 40 }),
    portGbps: fc.constantFrom(400, 800),
    oversubscription: fc.constantFrom(1, 1.5, 2, 3),
    rails: fc.constantFrom(1, 2, 4, 8),
  });

  test('built switch by switch, no switch has more ports than it has, every host has one, and no leaf is oversubscribed beyond the wish', () => {
    let designed = 0;
    fc.assert(
      fc.property(anyWish, (w) => {
        const endpoints = Math.ceil(w.endpoints / w.rails) * w.rails;
        const clos = designClos({ ...w, endpoints });
        if (!clos) {
          expect(endpoints).toBeGreaterThan(largestFabric(w).threeTiers * 0.4 - 8 * w.rails);
          return;
        }
        designed++;
        const built = build(clos, { ...w, endpoints });
        for (const used of built.ports) expect(used).toBeLessThanOrEqual(w.radix);
        expect(built.hosts.reduce((sum, h) => sum + h.count, 0)).toBe(endpoints);
        expect(clos.leaves % w.rails).toBe(0);
        if (clos.tiers === 1) return;
        for (const { count } of built.hosts)
          expect(count * w.nicGbps).toBeLessThanOrEqual(clos.leafUp * w.portGbps * w.oversubscription + 1e-6);
        // Above the leaves nothing narrows: a spine has as many links up as down.
        if (clos.tiers === 3)
          expect(clos.coresPerPlane * clos.linksPerCore).toBeGreaterThanOrEqual(
            (clos.leaves / clos.pods) * clos.linksPerSpine,
          );
        expect(clos.leafUp).toBe(clos.spinesPerPod * clos.linksPerSpine);
      }),
      { numRuns: 1500 },
    );
    expect(designed).toBeGreaterThan(500);
  });
});

describe('bisectionGbps()', () => {
  const small = fc
    .record({
      tiers: fc.constantFrom(2, 3),
      pods: fc.constantFrom(2, 3),
      perPod: fc.constantFrom(1, 2),
      perLeaf: fc.integer({ min: 1, max: 3 }),
      spinesPerPod: fc.constantFrom(1, 2),
      linksPerSpine: fc.constantFrom(1, 2),
      coresPerPlane: fc.constantFrom(1, 2),
      linksPerCore: fc.constantFrom(1, 2),
    })
    .map(({ tiers, perPod, perLeaf, ...c }): [Clos, number] => [
      {
        ...c,
        tiers,
        leaves: perPod * c.pods,
        leafDown: perLeaf,
        leafUp: c.spinesPerPod * c.linksPerSpine,
        ...(tiers === 2 ? { pods: 1, coresPerPlane: 0, linksPerCore: 0 } : {}),
      },
      perLeaf * perPod * c.pods,
    ]);

  test('is the least max-flow over all ways to halve the hosts, in fabrics of any shape, oversubscribed or not', () => {
    fc.assert(
      fc.property(small, fc.constantFrom(100, 200, 400), ([clos, endpoints], nicGbps) => {
        const rates = { endpoints, nicGbps, portGbps: 400 };
        expect(bisectionGbps(clos, rates)).toBe(bruteBisection(build(clos, rates), nicGbps));
      }),
      { numRuns: 250 },
    );
  });

  test('with leaves of unequal filling too', () => {
    for (let endpoints = 2; endpoints <= 11; endpoints++) {
      const clos = { ...designClos(wish({ radix: 4, endpoints: 8 }))!, leafUp: 1, spinesPerPod: 1, linksPerSpine: 1 };
      const rates = { endpoints, nicGbps: 400, portGbps: 400 };
      expect(bisectionGbps(clos, rates)).toBe(bruteBisection(build(clos, rates), 400));
    }
  });

  test('is full where nothing is oversubscribed', () => {
    for (const endpoints of [8, 64, 500, 1024, 2048, 5000, 65_536]) {
      const clos = designClos(wish({ endpoints }))!;
      expect(bisectionGbps(clos, { endpoints, nicGbps: 400, portGbps: 400 })).toBe(Math.floor(endpoints / 2) * 400);
    }
  });
});

describe('planFabric()', () => {
  test('the example of the documentation: 1,024 GPUs at 400G', () => {
    const plan = planFabric(asked())!;
    expect(planFabricSchema.parse(plan)).toEqual(plan);
    expect(plan.switches).toEqual({ leaf: 32, spine: 16, core: 0, total: 48 });
    expect(plan.cables.map(({ between, count, kind, transceivers }) => [between, count, kind, transceivers])).toEqual([
      ['host-leaf', 1024, 'DAC', 0],
      ['leaf-spine', 1024, 'AOC', 0],
    ]);
    expect(plan.ports).toEqual({ total: 3072, used: 3072, free: 0 });
    expect(plan.bisectionGbps).toBe(204_800);
    expect(plan.findings.map((f) => f.verdict)).toEqual(['pass', 'pass']);
    expect(plan.failures.find((f) => f.of === 'spine')!.bisectionGbps).toBe(192_000);
  });

  test('rails: each leaf has one NIC of every node, and a leaf that fails takes no GPU that has other rails to use', () => {
    const plan = planFabric(asked({ rails: 8, leafToSpineM: 60 }))!;
    expect(plan).toMatchObject({ layout: 'rail-optimised', nodes: 128, switches: { leaf: 32 } });
    const [leaf] = plan.failures;
    expect(leaf).toMatchObject({ endpointsLost: 32, nodesTouched: 32 });
    expect(plan.transceivers).toBe(2048);
  });

  test('oversubscription halves the uplinks and the bisection, and is told', () => {
    const plan = planFabric(asked({ oversubscription: 2 }))!;
    expect(plan.oversubscription).toBeLessThanOrEqual(2);
    expect(plan.bisectionGbps).toBeLessThan(plan.fullBisectionGbps);
    expect(plan.findings[0]).toMatchObject({ id: 'fabric-blocking', verdict: 'fail' });
  });

  test('a port of 800G serves two NICs of 400G: half of the leaf ports and one module for two', () => {
    const plan = planFabric(asked({ portGbps: 800, hostToLeafM: 50 }))!;
    expect(plan.switches.leaf).toBe(16);
    const [hosts] = plan.cables;
    expect(hosts).toMatchObject({ count: 1024, transceivers: 1024 + 512 });
  });

  test('eight GPUs hang on one switch, and that is told as the risk it is', () => {
    const plan = planFabric(asked({ gpus: 8 }))!;
    expect(plan.tiers).toBe(1);
    expect(plan.findings.find((f) => f.id === 'fabric-single-switch')!.verdict).toBe('fail');
  });

  test('what three tiers cannot connect is refused, not shrunk', () => {
    expect(planFabric(asked({ gpus: 100_000, radix: 32 }))).toBeNull();
    expect(wishMistakes(asked({ nicGbps: 800 }))[0]).toContain('nicGbps: found 800');
    expect(wishMistakes(asked({ rails: 3 }))[0]).toContain('rails: found 3');
    expect(wishMistakes(asked())).toEqual([]);
  });

  test('the medium follows from length and lane', () => {
    expect(mediumFor(2, 400)!.kind).toBe('DAC');
    expect(mediumFor(3, 400)!.kind).toBe('AOC');
    expect(mediumFor(3, 200)!.kind).toBe('DAC');
    expect(mediumFor(31, 400)!.name).toContain('SR');
    expect(mediumFor(400, 400)!.name).toContain('DR');
    expect(mediumFor(40_000, 400)).toBeNull();
  });
});
