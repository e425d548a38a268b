import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { network as schema } from '../../model/network.ts';
import type { CountsPoint } from '../../store/store.ts';
import { budgetOf, Counts, viewPair } from './budget.ts';
import { countsNeeds, planOf } from './plan.ts';

const horizonMs = Date.UTC(2026, 0, 20);
const minute = 60_000;

const pledgeOf = (slo: object = {}) => planOf(networkWith(slo)).promises[0]!;

function networkWith(slo: object = {}) {
  return schema.parse({
    version: 1,
    endpoints: [{ name: 'eu', url: 'https://eu.example.com' }],
    watch: {
      agents: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
      slos: [{ name: 'up', indicator: 'availability', objective: 0.99, ...slo }],
    },
  });
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

describe('a maintenance', () => {
  const minutes = 30 * 24 * 60;

  it('takes out of the budget what it lasts, to the minute, and nothing else', () => {
    const pledge = pledgeOf();
    const fromMs = horizonMs - minutes * minute;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 400, max: minutes - 400 }), fc.integer({ min: 1, max: 200 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 50 }),
        (drawn, everyBad) => {
          const spans = drawn.map(([begin, long]) => ({
            fromMs: fromMs + begin * minute,
            toMs: fromMs + (begin + long) * minute,
          }));
          // One event a minute; every so many is bad.
          const all = Array.from({ length: minutes }, (_, i) => ({
            atMs: fromMs + i * minute,
            isBad: i % everyBad === 0,
          }));
          const out = all.filter(({ atMs }) => !spans.some((s) => atMs >= s.fromMs && atMs < s.toMs));
          const needs = countsNeeds(
            { ...planOf(networkWith()), promises: [pledge] },
            new Map([['eu', spans]]),
            horizonMs,
          );
          const counts = new Counts(new Map(needs.map(({ key, query }) => [key, binned(all, query)])));
          const budget = budgetOf(pledge, context(counts, 1, spans));
          expect(budget.events).toBe(out.length);
          expect(budget.bad).toBe(out.filter(({ isBad }) => isBad).length);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('takes whole points where no minutes are kept any more', () => {
    const pledge = pledgeOf();
    const { key, stepMs } = pledge.windows.get(pledge.periodMs)!;
    const atMs = horizonMs - 4 * stepMs;
    const point = { endpoint: 'eu', agent: null, good: 360, bad: 0, unknown: 0 };
    const counts = new Counts(
      new Map([
        [
          key,
          [
            { ...point, atMs },
            { ...point, atMs: atMs + stepMs },
          ],
        ],
      ]),
    );
    const span = { fromMs: atMs + 10 * minute, toMs: atMs + 30 * minute };
    expect(budgetOf(pledge, context(counts, 1, [span])).events).toBe(360);
  });
});

function binned(
  events: readonly { atMs: number; isBad: boolean }[],
  { fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number },
): CountsPoint[] {
  const bins = new Map<number, CountsPoint>();
  for (const { atMs, isBad } of events) {
    if (atMs < fromMs || atMs >= toMs) continue;
    const slotMs = Math.floor(atMs / stepMs) * stepMs;
    const bin = bins.get(slotMs) ?? { atMs: slotMs, endpoint: 'eu', agent: null, good: 0, bad: 0, unknown: 0 };
    bins.set(slotMs, bin);
    if (isBad) bin.bad++;
    else bin.good++;
  }
  return [...bins.values()];
}
