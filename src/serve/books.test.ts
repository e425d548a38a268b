import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CountsNeed, LevelLine, SeriesNeed } from '../judge/watch/input.ts';
import type { Sample } from '../model/sample.ts';
import type { CountsPoint, CountsQuery, SeriesPoint, SeriesQuery, StateChange } from '../store/store.ts';
import { ChangeBook } from './change-book.ts';
import { CountsBook } from './counts-book.ts';
import { LevelBook } from './level-book.ts';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 0, 5);

test('CountsBook counts the end anew every time and all of it when it is old: never off by more than that', async () => {
  const events: { atMs: number; endpoint: string }[] = [];
  const truth = ({ fromMs, toMs, stepMs, endpoints }: CountsQuery): CountsPoint[] => {
    const sums = new Map<string, CountsPoint>();
    for (const { atMs, endpoint } of events) {
      const slotMs = Math.floor(atMs / stepMs) * stepMs;
      if (slotMs < fromMs || atMs >= toMs || !endpoints.includes(endpoint)) continue;
      const key = `${endpoint} ${slotMs}`;
      const sum = sums.get(key) ?? { atMs: slotMs, endpoint, agent: null, good: 0, bad: 0, unknown: 0 };
      sums.set(key, { ...sum, good: sum.good + 1 });
    }
    return [...sums.values()];
  };
  let asked = 0;
  const book = new CountsBook({
    counts: (query) => {
      const points = truth(query);
      asked += points.length;
      return Promise.resolve(points);
    },
  });
  const order = (points: readonly CountsPoint[]) => points.map((point) => JSON.stringify(point)).sort();
  for (let s = 0; s < 1200; s += 5) {
    const nowMs = start + 2 * hour + s * 1000;
    events.push({ atMs: nowMs - 1, endpoint: 'a' });
    // Late, but within what is asked anew.
    if (s % 50 === 0) events.push({ atMs: nowMs - 9 * minute, endpoint: s % 100 === 0 ? 'b' : 'a' });
    const query: CountsQuery = {
      fromMs: Math.floor((nowMs - hour) / minute) * minute,
      toMs: nowMs,
      stepMs: minute,
      kind: 'tcp',
      by: 'endpoint',
      endpoints: s < 600 ? ['a'] : ['a', 'b'],
    };
    const need: CountsNeed = { key: 'one', query, maxAgeMs: minute, tailMs: 10 * minute };
    const answers = await book.answers([need], s * 1000, [], () => false);
    expect(order(answers.get('one')!)).toEqual(order(truth(query)));
  }
  expect(asked).toBeLessThan(240 * 25);
});

test('CountsBook asks again after a minute where it has found nothing, and as late as it may where it has', async () => {
  let asked = 0;
  const point: CountsPoint = { atMs: start, endpoint: 'a', agent: null, good: 1, bad: 0, unknown: 0 };
  const book = new CountsBook({ counts: () => Promise.resolve(++asked === 1 ? [] : [point]) });
  const query: CountsQuery = {
    fromMs: start,
    toMs: start + hour,
    stepMs: hour,
    kind: 'tcp',
    by: 'endpoint',
    endpoints: ['a'],
  };
  const need: CountsNeed = { key: 'one', query, maxAgeMs: 10 * minute };
  const known: number[] = [];
  for (let s = 0; s <= 660; s += 30)
    known.push((await book.answers([need], s * 1000, [], () => false)).get('one')!.length);
  expect([known.slice(0, 3), asked]).toEqual([[0, 0, 1], 3]);
});

test('ChangeBook finds what asking for three days at every turn would find, and asks for it only of what changes', async () => {
  const samples: { atMs: number; agent: string; endpoint: string; state: string }[] = [];
  const truth = ({ fromMs, toMs, endpoints }: { fromMs: number; toMs: number; endpoints?: readonly string[] }) => {
    const last = new Map<string, string>();
    // Each series comes in its order.
    return samples.flatMap(({ atMs, agent, endpoint, state }): StateChange[] => {
      const before = last.get(`${agent} ${endpoint}`);
      last.set(`${agent} ${endpoint}`, state);
      const isWanted = atMs >= fromMs && atMs < toMs && (endpoints?.includes(endpoint) ?? true);
      if (before === undefined || before === state || !isWanted) return [];
      return [{ atMs, agent, endpoint, kind: 'trace', before, after: state }];
    });
  };
  let wide = 0;
  const store = {
    changes: (query: { fromMs: number; toMs: number; endpoints?: readonly string[] }) => {
      if (!query.endpoints) wide++;
      return Promise.resolve(truth(query));
    },
  };
  const latest = () => {
    const newest = new Map<string, Sample>();
    for (const one of samples)
      newest.set(`${one.agent} ${one.endpoint}`, {
        ...one,
        id: '',
        kind: 'trace',
        outcome: 'answered',
        verdict: 'ok',
        metrics: {},
        detail: null,
      });
    return [...newest.values()];
  };
  let book = new ChangeBook(store);
  let turns = 0;
  for (let m = 0; m < 150; m++) {
    const nowMs = start + m * minute;
    for (const agent of ['one', 'two'])
      for (const endpoint of ['a', 'b']) {
        // Agent two is cut off for a while, and hands over what it kept.
        if (agent === 'two' && m >= 100 && m < 130) continue;
        const late = agent === 'two' && m === 130 ? 31 : 1;
        for (let back = late - 1; back >= 0; back--) {
          const at = m - back;
          const state = endpoint === 'a' && at >= 50 ? 'p2' : endpoint === 'b' && at >= 110 && at < 120 ? 'p3' : 'p1';
          samples.push({ atMs: nowMs - back * minute - 1, agent, endpoint, state });
        }
      }
    if (m === 80) book = new ChangeBook(store);
    const range = { fromMs: nowMs - 72 * hour, recentFromMs: nowMs - 70 * minute };
    const found = await book.changes(range, latest(), nowMs);
    turns++;
    // Of every endpoint with a recent change, all that is known of it.
    const recent = new Set(truth({ fromMs: range.recentFromMs, toMs: nowMs }).map(({ endpoint }) => endpoint));
    const expected = truth({ fromMs: range.fromMs, toMs: nowMs, endpoints: [...recent] });
    const texts = new Set(found.map((change) => JSON.stringify(change)));
    expect(expected.filter((change) => !texts.has(JSON.stringify(change)))).toEqual([]);
  }
  expect({ wide, turns }).toEqual({ wide: 2, turns: 150 });
});

test('LevelBook knows after any minutes, cuts and restarts what asking for the whole range would give', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ cut: fc.boolean(), skip: fc.integer({ min: 1, max: 4 }) }), { minLength: 5, maxLength: 40 }),
      async (steps) => {
        const held: SeriesPoint[] = [];
        const truth = ({ fromMs, toMs, endpoints = [], agents }: SeriesQuery) =>
          held.filter(
            (p) =>
              p.atMs >= fromMs &&
              p.atMs < toMs &&
              endpoints.includes(p.endpoint) &&
              (agents?.includes(p.agent ?? '') ?? true),
          );
        const book = new LevelBook({ series: (query) => Promise.resolve(truth(query)) });
        const kept: SeriesPoint[] = [];
        const newest = new Map<string, number>();
        let nowMs = start;
        for (const { cut, skip } of steps) {
          for (let i = 0; i < skip; i++) {
            for (const agent of ['one', 'two']) {
              const point = { endpoint: 'a', agent, atMs: nowMs, ok: 1, bad: 0, unknown: 0, n: 1 };
              const whole = { ...point, mean: 1, min: 1, max: 1, quantiles: [(nowMs - start) / minute] };
              if (agent === 'two' && cut) kept.push(whole);
              else {
                held.push(whole);
                newest.set(agent, nowMs);
              }
            }
            nowMs += minute;
          }
          if (!cut && kept.length > 0) held.push(...kept.splice(0));
          const need: SeriesNeed = {
            key: 'level',
            rangeMs: hour,
            query: {
              fromMs: nowMs - hour,
              toMs: nowMs,
              stepMs: minute,
              kind: 'tcp',
              metric: 'rttMs',
              endpoints: ['a'],
              quantiles: [0.5],
              by: 'endpoint-agent',
            },
          };
          const silence = ['one', 'two'].map((agent) => ({
            agent,
            lastArrivalMs: nowMs,
            newestSampleMs: newest.get(agent) ?? null,
          }));
          const lines = (await book.lines([need], silence)).get('level')!;
          for (const agent of ['one', 'two']) {
            const line = lines.find((l) => l.agent === agent);
            const expected = truth(need.query).filter((p) => p.agent === agent);
            if (expected.length > 0)
              expect(line && valuesOf(line, need.query.fromMs)).toEqual(valuesOfPoints(expected));
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

const valuesOf = ({ fromMs, stepMs, values }: LevelLine, sinceMs: number) =>
  [...values].flatMap((value, i) =>
    Number.isNaN(value) || fromMs + i * stepMs < sinceMs ? [] : [[fromMs + i * stepMs, value]],
  );
const valuesOfPoints = (points: readonly SeriesPoint[]) =>
  points.toSorted((a, b) => a.atMs - b.atMs).map(({ atMs, quantiles }) => [atMs, quantiles[0]]);

test('CountsBook counts what an agent hands over after it was cut off, at the turn after it has come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ turns: fc.integer({ min: 1, max: 40 }), isCut: fc.boolean() }), {
        minLength: 2,
        maxLength: 6,
      }),
      async (phases) => {
        const seen: number[] = [];
        const kept: number[] = [];
        const counted = ({ fromMs, toMs, stepMs }: CountsQuery): CountsPoint[] => {
          const slots = new Map<number, number>();
          for (const atMs of seen) {
            const slotMs = Math.floor(atMs / stepMs) * stepMs;
            if (slotMs >= fromMs && atMs < toMs) slots.set(slotMs, (slots.get(slotMs) ?? 0) + 1);
          }
          return [...slots].map(([atMs, good]) => ({ atMs, endpoint: 'a', agent: null, good, bad: 0, unknown: 0 }));
        };
        const book = new CountsBook({ counts: (query) => Promise.resolve(counted(query)) });
        let nowMs = start;
        for (const { turns, isCut } of phases)
          for (let i = 0; i < turns; i++) {
            nowMs += 5000;
            kept.push(nowMs - 1);
            if (!isCut) seen.push(...kept.splice(0));
            const fromMs = Math.floor((nowMs - 5 * minute) / 10_000) * 10_000;
            const query = {
              fromMs,
              toMs: nowMs,
              stepMs: 10_000,
              kind: 'tcp',
              endpoints: ['a'],
              by: 'endpoint',
            } as const;
            // Asked anew as a whole only after longer than all this takes.
            const need: CountsNeed = { key: 'one', query, maxAgeMs: hour, tailMs: 20_000 };
            const silence = [{ agent: 'one', lastArrivalMs: nowMs, newestSampleMs: seen.at(-1) ?? null }];
            const points = (await book.answers([need], nowMs - start, silence, () => false)).get('one')!;
            expect(points.toSorted((a, b) => a.atMs - b.atMs)).toEqual(counted(query).sort((a, b) => a.atMs - b.atMs));
          }
      },
    ),
    { numRuns: 30 },
  );
});

test('LevelBook moves many endpoints on in a few turns, none of which asks for all of them', async () => {
  const endpoints = Array.from({ length: 400 }, (_, i) => `endpoint-${i}`);
  const asked: number[] = [];
  const pointsOf = ({ fromMs, toMs, stepMs, endpoints: wanted = [] }: SeriesQuery): SeriesPoint[] =>
    wanted.flatMap((endpoint) =>
      Array.from({ length: (toMs - fromMs) / stepMs }, (_, i) => {
        const atMs = fromMs + i * stepMs;
        const value = (atMs - start) / minute;
        return {
          atMs,
          endpoint,
          agent: 'one',
          ok: 1,
          bad: 0,
          unknown: 0,
          n: 1,
          mean: 1,
          min: 1,
          max: 1,
          quantiles: [value],
        };
      }),
    );
  const book = new LevelBook({
    series: (query) => {
      asked.push(query.endpoints?.length ?? Infinity);
      return Promise.resolve(pointsOf(query));
    },
  });
  for (let turn = 0; turn < 60; turn++) {
    const toMs = Math.floor((start + turn * 5000) / minute) * minute;
    const range = { fromMs: toMs - 20 * minute, toMs, stepMs: minute };
    const query = {
      ...range,
      kind: 'tcp',
      metric: 'rttMs',
      endpoints,
      quantiles: [0.5],
      by: 'endpoint-agent',
    } as const;
    const silence = [{ agent: 'one', lastArrivalMs: toMs, newestSampleMs: toMs }];
    const lines = (
      await book.lines([{ key: 'level', rangeMs: 20 * minute, query: { ...query, quantiles: [0.5] } }], silence)
    ).get('level')!;
    // All are known after eight turns, and within each minute all have moved on before it is half over.
    if (turn % 12 < 4 || turn < 8) continue;
    expect(lines.map(({ endpoint }) => endpoint)).toEqual(endpoints);
    for (const line of lines)
      expect([line.fromMs + line.values.length * minute, line.values.at(-1)]).toEqual([
        toMs,
        (toMs - start) / minute - 1,
      ]);
  }
  expect(Math.max(...asked)).toBeLessThanOrEqual(80);
  expect(asked.length).toBe(8 + 4 * 5);
});
