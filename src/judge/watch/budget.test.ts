import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { network as schema } from '../../model/network.ts';
import type { CountsPoint } from '../../store/store.ts';
import { budgetOf, Counts, viewPair } from './budget.ts';
import { planOf } from './plan.ts';

const horizonMs = Date.UTC(2026, 0, 20);
const minute = 60_000;

function pledgeOf(slo: object = {}) {
  const network = schema.parse({
    version: 1,
    endpoints: [{ name: 'eu', url: 'https://eu.example.com' }],
    watch: {
      agents: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
      slos: [{ name: 'up', indicator: 'availability', objective: 0.99, ...slo }],
    },
  });
  return planOf(network).promises[0]!;
}

interface Event {
  agent: string;
  agoMs: number;
  isBad: boolean;
}

/** Points of every window from single events, as a store makes them. */
function countsOf(pledge: ReturnType<typeof pledgeOf>, events: readonly Event[]): Counts {
  const byKey = new Map<string, CountsPoint[]>();
  const bin = (key: string, stepMs: number, agentOf: (event: Event) => string | null) => {
    const bins = new Map<string, CountsPoint>();
    for (const event of events) {
      const atMs = Math.floor((horizonMs - event.agoMs) / stepMs) * stepMs;
      const agent = agentOf(event);
      const bin = bins.get(`${agent} ${atMs}`) ?? { atMs, endpoint: 'eu', agent, good: 0, bad: 0, unknown: 0 };
      bins.set(`${agent} ${atMs}`, event.isBad ? { ...bin, bad: bin.bad + 1 } : { ...bin, good: bin.good + 1 });
    }
    byKey.set(key, [...bins.values()]);
  };
  for (const { key, stepMs, closer } of pledge.windows.values()) {
    bin(key, stepMs, () => null);
    bin(closer.key, closer.stepMs, ({ agent }) => agent);
  }
  return new Counts(byKey);
}

const context = (counts: Counts, quorum = 1, maintenance: { fromMs: number; toMs: number }[] = []) => ({
  counts,
  excluded: () => maintenance,
  horizonMs,
  quorum,
});

/** Events on whole minutes, so that no window cuts a point of an hour at another place than the twin does. */
const events = fc.array(
  fc.record({
    agent: fc.constantFrom('a', 'b', 'c'),
    agoMs: fc.integer({ min: 1, max: 24 * 60 }).map((m) => m * minute),
    isBad: fc.boolean(),
  }),
  { minLength: 1, maxLength: 300 },
);

describe('viewPair()', () => {
  it('burns as the definition says: share of bad events in the window, by what is allowed', () => {
    const pledge = pledgeOf();
    const old: Event = { agent: 'a', agoMs: 20 * 24 * 60 * minute, isBad: false };
    fc.assert(
      fc.property(events, (drawn) => {
        const [fast] = pledge.pairs;
        const view = viewPair(pledge, fast!, context(countsOf(pledge, [...drawn, old])));
        const inside = drawn.filter(({ agoMs }) => agoMs <= fast!.longMs);
        const bad = inside.filter(({ isBad }) => isBad).length;
        expect(view.long).toEqual({ good: inside.length - bad, bad });
        expect(view.longBurn).toBeCloseTo(inside.length === 0 ? 0 : bad / inside.length / 0.01, 6);
      }),
    );
  });

  it('never fires on fewer than three bad events, nor on what one agent alone sees when two have to', () => {
    const pledge = pledgeOf();
    fc.assert(
      fc.property(events, (drawn) => {
        const counts = countsOf(pledge, drawn);
        for (const pair of pledge.pairs) {
          const view = viewPair(pledge, pair, context(counts, 2));
          if (view.level !== 'bad') continue;
          expect(view.long.bad).toBeGreaterThanOrEqual(3);
          const reporting = new Set(drawn.filter(({ agoMs }) => agoMs <= pair.longMs).map(({ agent }) => agent));
          if (reporting.size > 1) expect(view.agents.length).toBeGreaterThan(1);
        }
      }),
    );
  });

  it('takes what a new endpoint has not lived through yet as good', () => {
    const pledge = pledgeOf();
    const drawn = Array.from({ length: 6 }, (_, i) => ({ agent: 'a', agoMs: (i + 1) * minute, isBad: i < 3 }));
    const view = viewPair(pledge, pledge.pairs[0]!, context(countsOf(pledge, drawn)));
    expect(view.longBurn).toBeCloseTo(((3 / 6) * 6) / 60 / 0.01, 6);
    expect(view.level).not.toBe('bad');
  });

  it('knows nothing without events, and nothing of a maintenance', () => {
    const pledge = pledgeOf();
    const drawn = Array.from({ length: 50 }, (_, i) => ({ agent: 'a', agoMs: (i + 1) * minute, isBad: true }));
    const all = [{ fromMs: horizonMs - 60 * minute, toMs: horizonMs }];
    expect(viewPair(pledge, pledge.pairs[0]!, context(countsOf(pledge, drawn), 1, all)).level).toBe('unknown');
    expect(viewPair(pledge, pledge.pairs[0]!, context(countsOf(pledge, []))).level).toBe('unknown');
  });

  it('counts slices where slices are promised: one bad event in a good minute costs nothing', () => {
    const pledge = pledgeOf({ method: 'timeslices', slice: '1m', sliceObjective: 0.9 });
    const minuteOf = (m: number, bad: number): Event[] =>
      Array.from({ length: 20 }, (_, i) => ({ agent: 'a', agoMs: m * minute - i * 1000, isBad: i < bad }));
    const drawn = [...minuteOf(3, 2), ...minuteOf(4, 3), ...minuteOf(5, 0)];
    expect(viewPair(pledge, pledge.pairs[0]!, context(countsOf(pledge, drawn))).long).toEqual({ good: 2, bad: 1 });
  });
});

describe('budgetOf()', () => {
  it('is whole at first, overdrawn after too much, and not known without events', () => {
    const pledge = pledgeOf();
    const good = Array.from({ length: 99 }, (_, i) => ({ agent: 'a', agoMs: (i + 1) * minute, isBad: false }));
    const bad: Event = { agent: 'a', agoMs: minute, isBad: true };
    expect(budgetOf(pledge, context(countsOf(pledge, good))).left).toBe(1);
    expect(budgetOf(pledge, context(countsOf(pledge, [...good, bad]))).left).toBeCloseTo(0, 9);
    expect(budgetOf(pledge, context(countsOf(pledge, [...good, bad, bad]))).left).toBeLessThan(0);
    expect(budgetOf(pledge, context(countsOf(pledge, []))).left).toBeNull();
  });
});
