import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plannedNetwork } from '../../model/network.ts';
import { planTransport as planTransportSchema } from '../../model/plan/transport.ts';
import { planDemand } from '../demand/demand.ts';
import { breakEven, costOf, cumulative, type Need, needAt, type Prices, unitsAt } from './cost.ts';
import { kindFacts } from './kinds.ts';
import { planTransport } from './transport.ts';

const sites = [
  { name: 'a', role: 'dc', location: { lat: 50, lon: 8 } },
  { name: 'b', role: 'dc', location: { lat: 52, lon: 5 } },
];
const wave = {
  name: 'wave',
  from: 'a',
  to: 'b',
  kind: 'wavelength',
  carrier: 'w',
  capacityGbps: 100,
  monthly: 1000,
  setup: 500,
  lengthKm: 400,
  availability: 0.9995,
};
const fibre = {
  name: 'fibre',
  from: 'b',
  to: 'a',
  kind: 'darkFibre',
  carrier: 'f',
  capacityGbps: 400,
  monthly: 100,
  setup: 10_000,
  baseMonthly: 3000,
  baseSetup: 20_000,
  lengthKm: 420,
};

const carriers = [{ name: 'w' }, { name: 'f' }, { name: 'other' }];

function plan(requirement: object, quotes: object[], rest: object = {}) {
  const planning = { years: 3, growthPerYear: 0.5, ...('planning' in rest ? (rest.planning as object) : {}) };
  const requirements = [{ from: 'a', to: 'b', ...requirement }];
  const network = plannedNetwork.parse({ version: 1, sites, carriers, requirements, quotes, ...rest, planning });
  const result = planTransport(network, planDemand(network));
  expect(planTransportSchema.parse(result)).toEqual(result);
  return result;
}
const choiceOf = (...args: Parameters<typeof plan>) => plan(...args).choices[0]!;
const option = (choice: ReturnType<typeof choiceOf>, name: string) =>
  choice.options.find((o) => o.quote === name || o.kind === name)!;

describe('planTransport()', () => {
  test('every kind is judged, with or without a quote, and says why it lost', () => {
    const choice = choiceOf({ minGbps: 100 }, [wave, fibre]);
    expect(new Set(choice.options.map((o) => o.kind))).toEqual(new Set(kindFacts.map((k) => k.kind)));
    for (const o of choice.options) expect(o.why, o.kind).not.toBe('');
    expect(choice.options[0]!.status).toBe('chosen');
  });

  test('no quote is no price: it is never free, and never chosen', () => {
    const choice = choiceOf({ minGbps: 100 }, []);
    expect(choice.chosen).toBeNull();
    for (const o of choice.options) expect(o.cost).toBeNull();
    const { monthly: _, setup: __, ...unpriced } = wave;
    const named = choiceOf({ minGbps: 100 }, [unpriced]);
    expect(option(named, 'wave')).toMatchObject({ status: 'notPriced', cost: null });
    expect(plan({ minGbps: 100 }, [unpriced]).findings[0]!.verdict).toBe('unknown');
  });

  test('a price that is missing in part is told beside the sum', () => {
    const { setup: _, ...partly } = wave;
    expect(option(choiceOf({ minGbps: 100 }, [partly]), 'wave').cost!.missing).toEqual(['setup']);
  });

  test('few waves are cheaper than fibre, many are not; the month in between is told', () => {
    const few = choiceOf({ minGbps: 100 }, [wave, fibre]);
    expect(few.chosen).toBe('wave');
    const many = choiceOf({ minGbps: 800 }, [wave, fibre]);
    expect(many.chosen).toBe('fibre');
    const [turn] = many.breakEvens;
    expect(turn).toMatchObject({ cheaperFirst: 'wave', cheaperThen: 'fibre' });
    expect(turn!.needGbps).toBeCloseTo(800 * 1.5 ** (turn!.month / 12), 9);
    expect(option(many, 'wave').why).toMatch(/keeps everything but costs [\d.]+ times as much over 36 months/);
  });

  test.each([
    ['latency', { maxRttMs: 3 }, 'wave', /light alone takes 3\.92 ms/],
    ['latency', { maxRttMs: 20 }, 'dia', /nobody promises a round trip/],
    ['bandwidth', { minGbps: 900 }, 'small', /too little from month \d+ on/],
    ['availability', { availability: 0.9999 }, 'wave', /99\.95 % promised; 99\.99 % asked/],
    ['encryption', { encryption: 'macsec' }, 'plain', /optical by the quote; macsec asked/],
    ['operability', { ownOptics: false }, 'fibre', /needs somebody who runs optical equipment/],
    ['diversity', { diverse: true }, 'lonely', /it shares a risk group or the carrier/],
    ['fit', {}, 'cloudOnRamp', /neither site is in a cloud/],
  ])('%s excludes what does not keep it: %j', (about, requirement, loser, claim) => {
    const quotes = [
      wave,
      fibre,
      { ...wave, name: 'small', maxUnits: 20 },
      { ...wave, name: 'plain', encryption: ['optical'] },
    ];
    const lonely = { ...wave, name: 'lonely', riskGroups: ['duct'] };
    const rest = { riskGroups: [{ name: 'duct' }] };
    const lone = [lonely, { ...lonely, name: 'same', carrier: 'other' }];
    const all = about === 'diversity' ? lone : quotes;
    const choice = choiceOf({ minGbps: 100, ...requirement }, all, rest);
    const lost = option(choice, loser);
    expect(lost.status).toBe('excluded');
    expect(lost.constraints.find((c) => c.about === about)).toMatchObject({ verdict: 'fail' });
    expect(lost.why).toMatch(claim);
  });

  test('what is not promised is unknown and never a pass', () => {
    const { lengthKm: _, availability: __, ...bare } = wave;
    const choice = choiceOf({ minGbps: 100, maxRttMs: 20, availability: 0.99 }, [
      bare,
      { ...bare, name: 'epl', kind: 'ethernetP2p' },
    ]);
    expect(choice.chosen).toBeNull();
    expect(option(choice, 'wave').status).toBe('undecided');
    expect(option(choice, 'wave').why).toContain('ask for the length');
    expect(option(choice, 'epl').why).toContain('ask for one in the contract');
    expect(option(choice, 'wave').why).toContain('usual for the kind, not promised');
  });

  test('two ways that share nothing reach an availability that neither has alone', () => {
    const choice = choiceOf({ minGbps: 100, availability: 0.9999, diverse: true }, [wave, fibre]);
    expect(option(choice, 'wave').status).not.toBe('excluded');
    const claim = option(choice, 'wave').constraints.find((c) => c.about === 'availability')!.claim;
    // 420 km × 2.13 failures per 1,000 km × 12 h ÷ 8,766 h are 1.2246e-3; times 5e-4 of the wave.
    expect(claim).toContain(`${Number(((1 - 5e-4 * 1.2246e-3) * 100).toFixed(5))} % together with quote fibre`);
  });

  test('without a requirement a quote is held against the demand of the pair, with room in the link', () => {
    const demands = [{ name: 'd', from: 'a', to: 'b', gbps: 90 }];
    const network = plannedNetwork.parse({
      version: 1,
      sites,
      carriers,
      quotes: [wave],
      demands,
      planning: { years: 0, maxUtilisation: 0.5 },
    });
    const [choice] = planTransport(network, planDemand(network)).choices;
    expect(choice!.needGbps).toMatchObject({ value: 90, origin: 'computed' });
    expect(choice!.options[0]!.cost!.units).toBe(2);
  });

  test('the choice becomes a change with what it buys and costs', () => {
    const links = [{ name: 'old', from: 'a', to: 'b', capacityGbps: 10 }];
    const [change] = plan({ minGbps: 150 }, [wave], { links }).changes;
    expect(change).toMatchObject({
      id: 'buy-transport',
      buys: [{ before: 10, after: 210 }],
      cost: { setup: 1000, monthly: 2000, currency: 'EUR' },
    });
  });
});

describe('cost', () => {
  const prices = fc.record<Prices>({
    capacityGbps: fc.constantFrom(10, 100, 400),
    maxUnits: fc.constant(undefined),
    monthly: fc.integer({ min: 1, max: 5000 }),
    setup: fc.integer({ min: 0, max: 50_000 }),
    baseMonthly: fc.integer({ min: 0, max: 20_000 }),
    baseSetup: fc.integer({ min: 0, max: 500_000 }),
    termMonths: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
  });
  const needs = fc.record<Need>({
    gbps: fc.double({ min: 1, max: 3000, noNaN: true }),
    growthPerYear: fc.double({ min: -0.3, max: 1, noNaN: true }),
    share: fc.constantFrom(0.5, 0.8, 1),
  });

  test('what is paid is the sum of the months, each with the units that its need takes, and units once bought stay', () => {
    fc.assert(
      fc.property(prices, needs, fc.integer({ min: 0, max: 8 }), (p, need, years) => {
        const cost = costOf(p, need, years)!;
        let most = 0;
        let total = p.baseSetup!;
        for (let month = 0; month <= cost.months; month++) {
          const units = Math.max(most, unitsAt(p.capacityGbps, need, month));
          total += (units - most) * p.setup! + (month === 0 ? 0 : p.baseMonthly! + units * p.monthly!);
          most = units;
          expect(units * p.capacityGbps * need.share).toBeGreaterThanOrEqual(needAt(need, month) * (1 - 1e-6));
        }
        total +=
          Math.max(0, (p.termMonths ?? 1) - cost.months) *
          (p.baseMonthly! + Math.max(cost.units, unitsAt(p.capacityGbps, need, cost.months)) * p.monthly!);
        expect(Math.abs(cost.total - total)).toBeLessThan(1e-6 * total + 1e-6);
      }),
      { numRuns: 400 },
    );
  });

  test('the month of the break-even is the first in which the dearer start has caught up', () => {
    fc.assert(
      fc.property(prices, prices, needs, (p, q, need) => {
        const [a, b] = [cumulative(p, need, 96), cumulative(q, need, 96)];
        const found = breakEven({ name: 'a', paid: a }, { name: 'b', paid: b }, need);
        if (!found) return;
        const [first, then] = found.cheaperFirst === 'a' ? [a, b] : [b, a];
        expect(first[found.month]!).toBeGreaterThanOrEqual(then[found.month]!);
        for (let m = 1; m < found.month; m++) expect(first[m]!).toBeLessThan(then[m]!);
      }),
      { numRuns: 400 },
    );
  });

  test('a year of nothing but a fixed price is that price twelve times', () => {
    const flat: Prices = {
      capacityGbps: 100,
      maxUnits: undefined,
      monthly: 100,
      setup: undefined,
      baseMonthly: undefined,
      baseSetup: undefined,
      termMonths: undefined,
    };
    expect(costOf(flat, { gbps: 1, growthPerYear: 0, share: 1 }, 1)).toMatchObject({
      total: 1200,
      units: 1,
      missing: ['setup'],
    });
    expect(costOf({ ...flat, termMonths: 24 }, { gbps: 1, growthPerYear: 0, share: 1 }, 1)!.total).toBe(2400);
    expect(costOf({ ...flat, monthly: undefined, setup: 5 }, { gbps: 1, growthPerYear: 0, share: 1 }, 1)).toBeNull();
  });
});
