import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sampleMetrics, type Sample } from '../model/sample.ts';
import { arbitrarySample, hostileText, type Bare } from './arbitrary.case.ts';
import { columnsOf } from './columns.ts';
import type { Batch, CountsPoint, Run, SampleQuery, SeriesPoint, SeriesQuery, StateChange, Store } from './store.ts';
import { Twin } from './twin.case.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const start = 1_700_000_000_000 - (1_700_000_000_000 % HOUR);
const all = { fromMs: start - 1000 * HOUR, toMs: start + 1000 * HOUR };

/** How the suite gets an empty store; `retention` in ms. */
export interface Engine {
  open(retention?: {
    rawMs: number;
    minutesMs: number;
    hoursMs: number;
  }): Promise<{ store: Store; close(): Promise<void> }>;
  /** Properties run this often: an engine behind a network affords fewer. */
  runs: number;
}

/** What every engine of the store must do, held against plain arrays. */
export function storeCases(name: string, engine: Engine): void {
  describe(`store: ${name}`, () => {
    let store: Store;
    let close = async () => {};
    let twin: Twin;
    let keys = 0;
    beforeEach(() => void (keys += 1000));
    const key = () => `suite-key-${(keys++).toString().padStart(6, '0')}`;
    const batch = (samples: readonly Bare[], agent = 'berlin'): Batch => ({
      key: key(),
      agent,
      columns: columnsOf(samples),
    });
    const append = async (...batches: Batch[]) => {
      const results = await store.append(batches);
      expect(results).toEqual(twin.append(batches));
    };
    const fresh = async (retention?: Parameters<Engine['open']>[0]) => {
      await close();
      ({ store, close } = await engine.open(retention));
      twin = new Twin();
    };

    beforeAll(() => fresh(), 60_000);
    afterAll(() => close());

    describe('append()', () => {
      beforeAll(() => fresh());

      test('stores a batch once, however often it comes', async () => {
        const first = batch([sample({ atMs: start })]);
        expect(await store.append([first])).toEqual(['stored']);
        expect(await store.append([first, batch([sample({ atMs: start + 1 })]), first])).toEqual([
          'duplicate',
          'stored',
          'duplicate',
        ]);
        const twice = batch([sample({ atMs: start + 2 })]);
        expect(await store.append([twice, twice])).toEqual(['stored', 'duplicate']);
        const { samples } = await store.samples({ ...all, limit: 10 });
        expect(samples.map(({ atMs }) => atMs - start)).toEqual([0, 1, 2]);
      });

      test('lets exactly one of many concurrent copies in', async () => {
        const copies = Array.from({ length: 5 }, () =>
          batch([sample({ endpoint: 'copies' }), sample({ endpoint: 'copies' })]),
        );
        const results = await Promise.all(Array.from({ length: 20 }, () => store.append(copies)));
        for (const i of copies.keys()) expect(results.filter((result) => result[i] === 'stored')).toHaveLength(1);
        const { samples } = await store.samples({ ...all, endpoint: 'copies', limit: 100 });
        expect(new Set(samples.map(({ id }) => id)).size).toBe(10);
        expect(samples).toHaveLength(10);
      });

      test('stores nothing of a call with columns that are none, and goes on', async () => {
        const good = batch([sample({ endpoint: 'atomic' })]);
        const bad = batch([sample({ endpoint: 'atomic' }), sample({ endpoint: 'atomic' })]);
        (bad.columns.endpoint as number[])[1] = 7;
        await expect(store.append([good, bad])).rejects.toThrow(/endpoint\[1\]/);
        expect((await store.samples({ ...all, endpoint: 'atomic', limit: 9 })).samples).toEqual([]);
        expect(await store.append([good])).toEqual(['stored']);
      });

      test('takes no batch, and a batch of nothing', async () => {
        expect(await store.append([])).toEqual([]);
        expect(await store.append([batch([])])).toEqual(['stored']);
      });

      test('takes more rows in one batch than engines take at once', async () => {
        const many = Array.from({ length: 5000 }, (_, i) =>
          sample({ atMs: start + i, endpoint: 'many', metrics: { rttMs: i } }),
        );
        await store.append([batch(many)]);
        const { samples, next } = await store.samples({ ...all, endpoint: 'many', limit: 5000 });
        expect(samples.map(({ metrics }) => metrics.rttMs)).toEqual(many.map(({ metrics }) => metrics.rttMs));
        expect(next).toBeNull();
      });
    });

    describe('samples()', () => {
      test('gives back what was stored, hostile text included, by time, endpoint, agent and kind', async () => {
        await fresh();
        await fc.assert(
          fc.asyncProperty(
            fc.array(arbitrarySample(), { minLength: 1, maxLength: 30 }),
            hostileText,
            fc.boolean(),
            async (samples, agent, newest) => {
              await append(batch(samples, agent), batch(samples));
              const pick = samples[0]!;
              const order = newest ? ('newest' as const) : ('oldest' as const);
              const range = { fromMs: pick.atMs, toMs: pick.atMs + 30 * MINUTE, order };
              for (const query of [
                { ...all, order },
                range,
                { ...range, endpoint: pick.endpoint.replace(/\p{Surrogate}/gu, '\ufffd') },
                { ...all, agent, kind: pick.kind },
                { ...all, endpoint: 'nobody' },
              ])
                expect(sorted(await everyPage(store, { ...query, limit: 40 }))).toEqual(sorted(twin.matching(query)));
              const { samples: page } = await store.samples({ ...all, order, limit: 7 });
              expect(page.map(({ atMs }) => atMs)).toEqual(
                twin
                  .matching({ ...all, order })
                  .slice(0, 7)
                  .map(({ atMs }) => atMs),
              );
            },
          ),
          { numRuns: engine.runs },
        );
      });

      test('columnsOnly leaves out the detail and nothing else', async () => {
        await fresh();
        await append(batch([sample({ detail: '{"long":1}', state: 'x', metrics: { rttMs: 3, tlsMs: 4 } })]));
        const { samples } = await store.samples({ ...all, limit: 1, columnsOnly: true });
        expect(samples).toEqual([{ ...twin.samples[0], detail: null }]);
      });

      test.each(['oldest', 'newest'] as const)(
        'pages, %s first, are complete and without doubles while appends go on',
        async (order) => {
          await fresh();
          // Many at the same millisecond, so that pages end within one.
          const some = () => Array.from({ length: 50 }, (_, i) => sample({ atMs: start + (i % 5) * 1000 }));
          for (let i = 0; i < 8; i++) await append(batch(some()));
          const before = twin.samples.map(({ id }) => id);
          const seen: Sample[] = [];
          let after: string | undefined;
          do {
            const page = await store.samples({ ...all, limit: 67, order, ...(after && { after }) });
            seen.push(...page.samples);
            after = page.next ?? undefined;
            if (seen.length < 500) await append(batch(some()));
          } while (after);
          const ids = seen.map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
          expect(before.filter((id) => !ids.includes(id))).toEqual([]);
          const times = seen.map(({ atMs }) => atMs);
          expect(times).toEqual([...times].sort((a, b) => (order === 'oldest' ? a - b : b - a)));
        },
      );

      test('refuses a word for the next page that it did not give', async () => {
        for (const after of ['', 'x', '1:2', "1';--", 'NaN:NaN:NaN'])
          await expect(store.samples({ ...all, limit: 1, after })).rejects.toThrow(RangeError);
      });
    });

    describe('over time', () => {
      const summable = fc.oneof(
        fc.double({ min: 0, max: 5000, noNaN: true }),
        fc.double({ min: -1e6, max: 2e12, noNaN: true }),
        fc.integer({ min: 0, max: 50 }),
      );
      const arbitraryBatches = fc.array(
        fc.tuple(
          fc.array(arbitrarySample({ fromMs: start, endpoints: ['a', 'b', "c'"], values: summable }), {
            minLength: 1,
            maxLength: 60,
          }),
          fc.constantFrom('berlin', 'oslo'),
        ),
        { minLength: 1, maxLength: 4 },
      );
      const arbitraryRange = fc
        .tuple(fc.integer({ min: start - HOUR, max: start + 4 * HOUR }), fc.integer({ min: 0, max: 4 * HOUR }))
        .map(([fromMs, widthMs]) => ({ fromMs, toMs: fromMs + widthMs }));
      const arbitraryStep = fc.constantFrom(10_000, MINUTE, 5 * MINUTE, 90_000, HOUR, 2 * HOUR);

      test('series() and counts() say the same from raw samples, from roll-ups and from both, late batches included', async () => {
        await fresh();
        let now = start;
        await fc.assert(
          fc.asyncProperty(
            arbitraryBatches,
            arbitraryRange,
            arbitraryStep,
            fc.constantFrom(...sampleMetrics),
            fc.constantFrom('endpoint' as const, 'endpoint-agent' as const),
            fc.boolean(),
            async (batches, range, stepMs, metric, by, maintain) => {
              await append(...batches.map(([samples, agent]) => batch(samples, agent)));
              // Well apart, so that whatever an engine does now and then is due.
              if (maintain) await store.maintain((now += 2 * HOUR));
              const quantiles = [0.01, 0.5, 0.95, 0.999];
              const { kind } = batches[0]![0][0]!;
              for (const where of [{}, { endpoints: ['a', "c'", 'nobody'], agents: ['oslo'] }]) {
                const query: SeriesQuery = { ...range, stepMs, kind, metric, by, quantiles, ...where };
                expectSeries(await store.series(query), twin.series(query));
                expectSeries(await store.series({ ...query, ...all }), twin.series({ ...query, ...all }));
              }
              for (const limit of [undefined, { metric, max: 700 }]) {
                const query = { ...range, stepMs, kind, by, endpoints: ['a', "c'", 'nobody'], ...(limit && { limit }) };
                const counts = await store.counts(query);
                const least = twin.counts(query);
                const most = twin.counts({ ...query, ...(limit && { limit: { metric, max: 700 * (1 + 1 / 32) } }) });
                expect(sortedKeys(counts)).toEqual(sortedKeys(least));
                for (const point of counts) {
                  const at = (p: CountsPoint) =>
                    p.atMs === point.atMs && p.endpoint === point.endpoint && p.agent === point.agent;
                  const [low, high] = [least.find(at)!, most.find(at)!];
                  expect(point.unknown).toBe(low.unknown);
                  expect(point.good).toBeGreaterThanOrEqual(low.good);
                  expect(point.good).toBeLessThanOrEqual(high.good);
                  expect(point.good + point.bad).toBe(low.good + low.bad);
                }
              }
            },
          ),
          { numRuns: engine.runs },
        );
      });

      test('counts() with a limit: at the limit is good, an answer without the metric is not, unknown stays unknown', async () => {
        await fresh();
        await append(
          batch([
            ...[1, 199.9, 200, 210, 5000].map((ttftMs) => sample({ kind: 'inference', metrics: { ttftMs } })),
            sample({ kind: 'inference' }),
            sample({ kind: 'inference', verdict: 'bad', outcome: 'refused', metrics: { ttftMs: 1 } }),
            sample({ kind: 'inference', verdict: 'unknown', outcome: 'failed', metrics: { ttftMs: 1 } }),
          ]),
        );
        const query = {
          ...all,
          kind: 'inference' as const,
          endpoints: ['chat'],
          limit: { metric: 'ttftMs' as const, max: 200 },
        };
        const expected = [{ atMs: start, endpoint: 'chat', agent: 'berlin', good: 3, bad: 4, unknown: 1 }];
        expect(await store.counts({ ...query, stepMs: 1000 })).toEqual(expected);
        expect(await store.counts({ ...query, stepMs: MINUTE })).toEqual(expected);
        await store.maintain(start + HOUR);
        expect(await store.counts({ ...query, stepMs: MINUTE })).toEqual(expected);
        expect(await store.counts({ ...query, stepMs: HOUR })).toEqual(expected);
      });

      test('changes() finds every change of state, also of data that come late and out of order', async () => {
        await fresh();
        let now = start;
        await fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(
              fc.tuple(
                fc.integer({ min: 0, max: 3 * HOUR }),
                fc.constantFrom('x', 'y', null),
                fc.constantFrom('a', 'b'),
              ),
              {
                selector: ([offset]) => offset,
                minLength: 1,
                maxLength: 30,
              },
            ),
            arbitraryRange,
            fc.boolean(),
            async (rows, range, maintain) => {
              // Each run has times and agents of its own: samples of one series at one moment have no order.
              const agent = key();
              const samples = rows.map(([offset, state, endpoint]) =>
                sample({ atMs: start + offset, state, endpoint, kind: 'dns' }),
              );
              const half = Math.ceil(samples.length / 2);
              await append(batch(samples.slice(0, half), agent));
              if (maintain) await store.maintain((now += 2 * HOUR));
              if (half < samples.length) await append(batch(samples.slice(half), agent));
              for (const query of [range, { ...all, endpoints: ['a', 'nobody'] }, { ...range, endpoints: ['nobody'] }])
                expect(sortedChanges(await store.changes(query))).toEqual(sortedChanges(twin.changes(query)));
            },
          ),
          { numRuns: engine.runs },
        );
      });

      test('latest() is the newest of each endpoint, agent and kind', async () => {
        await fresh();
        let at = start;
        await fc.assert(
          fc.asyncProperty(
            arbitraryBatches,
            fc.integer({ min: start, max: start + HOUR }),
            async (batches, sinceMs) => {
              for (const [samples, agent] of batches)
                // Times of their own, for the same reason.
                await append(
                  batch(
                    samples.map((s) => ({ ...s, atMs: (at += 1 + (s.atMs % 5000)) })),
                    agent,
                  ),
                );
              expect(sorted(await store.latest(sinceMs))).toEqual(sorted(twin.latest(sinceMs)));
            },
          ),
          { numRuns: engine.runs },
        );
      });
    });

    describe('the newest', () => {
      const drawn = fc.uniqueArray(
        fc.record({
          offset: fc.integer({ min: 0, max: HOUR }),
          verdict: fc.constantFrom('ok' as const, 'bad' as const, 'bad' as const, 'unknown' as const),
          endpoint: fc.constantFrom('a', 'b'),
          kind: fc.constantFrom('tcp' as const, 'dns' as const),
        }),
        { selector: ({ offset }) => offset, minLength: 1, maxLength: 80 },
      );

      test('runs() are the failures since the last success, also of data that come late, and whatever was asked before', async () => {
        await fresh();
        let now = start;
        await fc.assert(
          fc.asyncProperty(drawn, drawn, fc.array(fc.integer({ min: 0, max: HOUR })), async (first, second, asked) => {
            const agent = key();
            for (const rows of [first, second.map((row) => ({ ...row, offset: row.offset + 0.5 }))]) {
              const samples = rows.map(({ offset, ...row }) => sample({ ...row, atMs: start + offset }));
              await append(batch(samples, agent));
              for (const offset of [0, ...asked]) {
                const order = (runs: readonly Run[]) => runs.map((run) => JSON.stringify(run)).sort();
                expect(order(await store.runs(start + offset))).toEqual(order(twin.runs(start + offset)));
              }
              await store.maintain((now += HOUR));
            }
          }),
          { numRuns: Math.ceil(engine.runs / 2) },
        );
      });

      test('runs() tell no more failures than anybody needs', async () => {
        await fresh();
        await append(batch(Array.from({ length: 200 }, (_, i) => sample({ atMs: start + i, verdict: 'bad' }))));
        const [run] = await store.runs(start);
        expect(run?.badMs).toEqual(Array.from({ length: 64 }, (_, i) => start + 136 + i));
      });

      test('newest() are the last ones of each endpoint and kind, oldest first', async () => {
        await fresh();
        let base = start;
        await fc.assert(
          fc.asyncProperty(drawn, fc.integer({ min: 1, max: 5 }), async (rows, limit) => {
            // Later than all before, so that no two are at the same time.
            base += 2 * HOUR;
            await append(batch(rows.map(({ offset, ...row }) => sample({ ...row, atMs: base + offset }))));
            for (const query of [
              { ...all, kinds: ['tcp' as const, 'dns' as const], limit },
              { fromMs: base, toMs: base + HOUR / 2, kinds: ['dns' as const], limit },
              { ...all, kinds: ['mtu' as const], limit },
            ])
              expect((await store.newest(query)).map(({ id }) => id)).toEqual(twin.newest(query).map(({ id }) => id));
          }),
          { numRuns: Math.ceil(engine.runs / 2) },
        );
      });
    });

    test('maintain() drops what is past its time: raw samples first, then minutes, then hours', async () => {
      const day = 24 * HOUR;
      await fresh({ rawMs: day, minutesMs: 3 * day, hoursMs: 10 * day });
      const first = batch([0, 1, 2, 3].map((i) => sample({ atMs: start + i * MINUTE, metrics: { rttMs: 10 } })));
      await append(first);
      const query = {
        ...all,
        kind: 'tcp' as const,
        metric: 'rttMs' as const,
        by: 'endpoint' as const,
        quantiles: [0.5],
      };
      const kept = async () => ({
        raw: (await store.samples({ ...all, limit: 100 })).samples.length,
        minutes: (await store.series({ ...query, stepMs: MINUTE })).length,
        hours: (await store.series({ ...query, stepMs: HOUR })).map(({ ok }) => ok),
      });
      await store.maintain(start + HOUR);
      expect(await kept()).toEqual({ raw: 4, minutes: 4, hours: [4] });
      // A clock that may be wrong drops nothing.
      await store.maintain(start + 2 * day, start + HOUR);
      expect(await kept()).toEqual({ raw: 4, minutes: 4, hours: [4] });
      await store.maintain(start + 2 * day);
      expect(await kept()).toEqual({ raw: 0, minutes: 4, hours: [4] });
      expect(await store.append([first])).toEqual(['duplicate']);
      // Late, for a time whose raw samples are gone: still counted.
      await append(batch([sample({ atMs: start, metrics: { rttMs: 30 } })]));
      await store.maintain(start + 2 * day + HOUR);
      expect(await kept()).toEqual({ raw: 0, minutes: 4, hours: [5] });
      await store.maintain(start + 5 * day);
      expect(await kept()).toEqual({ raw: 0, minutes: 0, hours: [5] });
      await store.maintain(start + 20 * day);
      expect(await kept()).toEqual({ raw: 0, minutes: 0, hours: [] });
    });
  });
}

function sample(change: Partial<Bare> = {}): Bare {
  return {
    atMs: start,
    endpoint: 'chat',
    kind: 'tcp',
    outcome: 'answered',
    verdict: 'ok',
    metrics: {},
    state: null,
    detail: null,
    ...change,
  };
}

async function everyPage(store: Store, query: SampleQuery): Promise<Sample[]> {
  const samples: Sample[] = [];
  let after: string | null = null;
  do {
    const page = await store.samples({ ...query, ...(after !== null && { after }) });
    samples.push(...page.samples);
    after = page.next;
  } while (after !== null);
  return samples;
}

const sorted = (samples: readonly Sample[]) => [...samples].sort((a, b) => (a.id < b.id ? -1 : 1));
const sortedKeys = (points: readonly CountsPoint[]) =>
  points.map(({ atMs, endpoint, agent }) => `${atMs} ${endpoint} ${agent}`).sort();
const sortedChanges = (changes: readonly StateChange[]) => changes.map((change) => JSON.stringify(change)).sort();

function expectSeries(actual: SeriesPoint[], expected: SeriesPoint[]): void {
  const order = (p: SeriesPoint) => JSON.stringify([p.atMs, p.endpoint, p.agent]);
  const byKey = (points: SeriesPoint[]) => [...points].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const exact = ({ atMs, endpoint, agent, ok, bad, unknown, n, min, max }: SeriesPoint) => ({
    atMs,
    endpoint,
    agent,
    ok,
    bad,
    unknown,
    n,
    min,
    max,
  });
  expect(actual.map(({ atMs }) => atMs)).toEqual(actual.map(({ atMs }) => atMs).sort((a, b) => a - b));
  expect(byKey(actual).map(exact)).toEqual(byKey(expected).map(exact));
  const wanted = byKey(expected);
  byKey(actual).forEach((point, i) => {
    const { mean, min, max, quantiles } = wanted[i]!;
    if (mean === null) return expect(point.mean).toBeNull();
    // Sums in another order differ by rounding, relative to what was summed up.
    expect(Math.abs(point.mean! - mean)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(min!), Math.abs(max!), 1));
    quantiles.forEach((quantile, q) => expectNear(point.quantiles[q]!, quantile!));
  });
}

/** Within half a bucket, inside the range of the histogram; beyond it only the order is kept. */
function expectNear(actual: number, expected: number): void {
  const size = Math.abs(expected);
  if (size < 2 ** -20) expect(Math.abs(actual)).toBeLessThanOrEqual(2 ** -20);
  else if (size < 2 ** 40) expect(Math.abs(actual - expected)).toBeLessThanOrEqual(size / 64 + 1e-12);
}
