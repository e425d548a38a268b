import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { everySet, finish } from './placement.case.ts';
import { measure, type PlanInput, planSites } from './plan.ts';

const small: fc.Arbitrary<PlanInput> = fc
  .record({ places: fc.integer({ min: 1, max: 6 }), sites: fc.integer({ min: 1, max: 5 }), hasLimits: fc.boolean() })
  .chain(({ places, sites, hasLimits }) => {
    const list = (one: fc.Arbitrary<number>, length: number) =>
      fc.array(one, { minLength: length, maxLength: length }).map((values) => Float64Array.from(values));
    const flags = fc.array(fc.nat(1), { minLength: sites, maxLength: sites }).map((values) => Uint8Array.from(values));
    return fc.record({
      users: list(fc.integer({ min: 1, max: 9 }), places),
      sites: fc.constant(sites),
      rttMs: list(fc.integer({ min: 1, max: 60 }), places * sites),
      isOpen: flags,
      mustStay: fc.constant(new Uint8Array(sites)),
      capacityUsers: list(hasLimits ? fc.integer({ min: 0, max: 40 }) : fc.constant(Infinity), sites),
      monthly: list(fc.nat(100), sites),
      monthlyPerUser: list(fc.nat(3), sites),
      targetMs: fc.integer({ min: 5, max: 50 }),
      coverage: fc.constantFrom(0.5, 0.8, 0.95, 1),
      maxSites: fc.integer({ min: 1, max: 5 }),
    });
  })
  .chain((input) =>
    fc.nat(3).map((stay) => ({ ...input, mustStay: input.isOpen.map((one, s) => (one === 1 && s < stay ? 1 : 0)) })),
  );

const hasLimits = ({ capacityUsers }: PlanInput) => capacityUsers.some((most) => most < Infinity);

const isAllowed = ({ mustStay }: PlanInput, open: Uint8Array) => mustStay.every((one, s) => one === 0 || open[s] === 1);

describe('planSites()', () => {
  it('has for every number of sites the lowest mean of all choices, and bounds that no choice passes', () => {
    fc.assert(
      fc.property(small, (input) => {
        const { curve } = finish(planSites(input));
        for (const row of curve) {
          let mean = Infinity;
          let coverage = 0;
          for (const open of everySet(input.sites, row.sites)) {
            if (!isAllowed(input, open)) continue;
            mean = Math.min(mean, measure(input, open, 'mean')?.meanMs ?? Infinity);
            coverage = Math.max(coverage, measure(input, open)?.coverage ?? 0);
          }
          expect(row.metrics.meanMs).toBeCloseTo(mean, 6);
          expect(row.meanLowerBoundMs).toBeCloseTo(mean, 6);
          expect(row.coverageUpperBound).toBeGreaterThanOrEqual(coverage - 1e-6);
          expect(row.bestCoverage).toBeCloseTo(coverage, 6);
          expect(isAllowed(input, row.open)).toBe(true);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('finds the fewest sites that cover enough, also where capacities are short', () => {
    fc.assert(
      fc.property(small, (input) => {
        let fewest: number | null = null;
        const least = Math.max(
          1,
          input.mustStay.reduce((sum, one) => sum + one, 0),
        );
        const most = Math.max(least, Math.min(input.maxSites, input.sites));
        for (let sites = least; sites <= most && fewest === null; sites++)
          for (const open of everySet(input.sites, sites))
            if (isAllowed(input, open) && (measure(input, open)?.coverage ?? 0) >= input.coverage - 1e-9)
              fewest = sites;
        const plan = finish(planSites(input));
        expect(plan.fewest).toBe(fewest);
        expect(plan.fewestLowerBound).toBeLessThanOrEqual(fewest ?? most + 1);
        if (!hasLimits(input)) expect(plan.fewestLowerBound).toBe(fewest ?? most + 1);
        if (fewest !== null) {
          expect(plan.answer!.metrics.coverage).toBeGreaterThanOrEqual(input.coverage - 1e-9);
          expect(plan.answer!.open.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(fewest);
        }
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});

/** The most whole users inside the target, everybody served, by trying every site for every user. */
function mostInside({ users, sites, rttMs, capacityUsers, targetMs }: PlanInput, open: Uint8Array): number {
  const who = [...users].flatMap((count, place) => Array.from({ length: count }, () => place));
  const known = new Map<string, number>();
  const from = (user: number, room: readonly number[]): number => {
    if (user === who.length) return 0;
    const key = `${user} ${room.join(' ')}`;
    let most = known.get(key);
    if (most !== undefined) return most;
    most = -Infinity;
    for (let s = 0; s < sites; s++) {
      if (!open[s] || room[s]! < 1) continue;
      const isInside = rttMs[who[user]! * sites + s]! <= targetMs ? 1 : 0;
      const rest = room.map((one, at) => (at === s ? one - 1 : one));
      most = Math.max(most, isInside + from(user + 1, rest));
    }
    known.set(key, most);
    return most;
  };
  return from(
    0,
    Array.from(capacityUsers, (most) => Math.min(most, who.length)),
  );
}

describe('measure()', () => {
  it('fills sites so that as many users as possible are inside, and of those ways takes a low mean', () => {
    const few = small.filter(({ users, sites }) => users.reduce((sum, one) => sum + one, 0) <= 12 && sites <= 4);
    fc.assert(
      fc.property(few, (input) => {
        const open = input.isOpen;
        const metrics = measure(input, open);
        const most = mostInside(input, open);
        expect(metrics === null).toBe(most === -Infinity);
        if (!metrics) return;
        expect(metrics.coverage * input.users.reduce((sum, one) => sum + one, 0)).toBeCloseTo(most, 6);
        const least = measure(input, open, 'mean')!;
        expect(least.meanMs).toBeLessThanOrEqual(metrics.meanMs + 1e-9);
        if (least.coverage >= metrics.coverage - 1e-9) expect(metrics.meanMs).toBeCloseTo(least.meanMs, 6);
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  it('weighs by users: mean, the round trip of 95 %, the farthest, the share inside, the cost', () => {
    const input: PlanInput = {
      users: Float64Array.of(90, 10),
      sites: 2,
      rttMs: Float64Array.of(10, 40, 100, 30),
      isOpen: Uint8Array.of(1, 0),
      mustStay: new Uint8Array(2),
      capacityUsers: Float64Array.of(Infinity, Infinity),
      monthly: Float64Array.of(1000, 500),
      monthlyPerUser: Float64Array.of(1, 2),
      targetMs: 50,
      coverage: 0.95,
      maxSites: 2,
    };
    expect(measure(input, Uint8Array.of(1, 0))).toMatchObject({
      meanMs: 19,
      p95Ms: 100,
      worstMs: 100,
      coverage: 0.9,
      monthly: 1100,
    });
    expect(measure(input, Uint8Array.of(1, 1))).toMatchObject({ meanMs: 12, p95Ms: 30, coverage: 1, monthly: 1610 });
    expect(measure({ ...input, capacityUsers: Float64Array.of(50, 60) }, Uint8Array.of(1, 1))).toMatchObject({
      meanMs: 24,
      coverage: 1,
    });
    expect(measure({ ...input, capacityUsers: Float64Array.of(50, 60) }, Uint8Array.of(1, 0))).toBe(null);
  });
});
