import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Bare } from '../arbitrary.case.ts';
import { columnsOf } from '../columns.ts';
import { openStore } from '../open.ts';
import type { SeriesPoint, SeriesQuery } from '../store.ts';
import { Twin } from '../twin.case.ts';
import { ClosedHours } from './closed-hours.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-closed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR = 3_600_000;
const start = 1_700_000_000_000 - (1_700_000_000_000 % HOUR);
const query: SeriesQuery = {
  fromMs: start,
  toMs: start + 6 * HOUR,
  stepMs: HOUR,
  kind: 'tcp',
  metric: 'rttMs',
  by: 'endpoint',
  quantiles: [],
};
const point = (atMs: number): SeriesPoint => ({
  atMs,
  endpoint: 'chat',
  agent: null,
  ok: 1,
  bad: 0,
  unknown: 0,
  n: 0,
  mean: null,
  min: null,
  max: null,
  quantiles: [],
});

test('closed hours are asked for once per edition, and parts of what is known not at all', async () => {
  const closed = new ClosedHours();
  const asked: number[] = [];
  const ask = (edition: number) => (q: SeriesQuery) => {
    asked.push(edition);
    return Promise.resolve([0, 1, 2, 3].map((h) => point(start + h * HOUR)).filter(({ atMs }) => atMs < q.toMs));
  };
  const times = async (edition: number, q = query) =>
    (await closed.points(q, edition, ask(edition))).map(({ atMs }) => (atMs - start) / HOUR);
  expect(await times(1)).toEqual([0, 1, 2, 3]);
  expect(await times(1)).toEqual([0, 1, 2, 3]);
  expect(await times(1, { ...query, fromMs: start + HOUR, toMs: start + 3 * HOUR })).toEqual([1, 2]);
  expect(asked).toEqual([1]);
  expect(await times(2)).toEqual([0, 1, 2, 3]);
  expect(asked).toEqual([1, 2]);
  await times(2, { ...query, endpoints: ['other'] });
  await times(2, { ...query, fromMs: start - HOUR });
  expect(asked).toEqual([1, 2, 2, 2]);
});

test('a row that is late for a closed hour is in the next answer, in memory and written down', async () => {
  const io = { clock: { wallMs: () => start } };
  const { store, close } = await openStore(folder, io, { memoryLimitMb: 256 });
  const twin = new Twin();
  let keys = 0;
  const append = async (atMs: number, rttMs: number) => {
    const row: Bare = {
      atMs,
      endpoint: 'chat',
      kind: 'tcp',
      outcome: 'answered',
      verdict: 'ok',
      metrics: { rttMs },
      state: null,
      detail: null,
    };
    const batch = { key: `closed-key-${keys++}`, agent: 'berlin', columns: columnsOf([row]) };
    expect(await store.append([batch])).toEqual(twin.append([batch]));
  };
  // Twice: what the first answer leaves behind must not be in the way of the second.
  const expectSame = async () => {
    for (const by of ['endpoint', 'endpoint-agent', 'endpoint', 'endpoint-agent'] as const) {
      const q = { ...query, by };
      expect(await store.series(q)).toEqual(twin.series(q).sort((a, b) => a.atMs - b.atMs));
    }
  };
  for (const h of [0, 1, 2, 3]) await append(start + h * HOUR + 1000, 10 + h);
  await store.maintain(start + 3.5 * HOUR);
  await expectSame();
  for (const [round, lateMs] of [0, 1.5 * HOUR, 2.9 * HOUR].entries()) {
    await append(start + lateMs, 100 + round);
    await expectSame();
    await store.maintain(start + 3.5 * HOUR + (round + 1) * 120_000);
    await expectSame();
  }
  // The next hour is closed.
  await store.maintain(start + 5 * HOUR);
  await expectSame();
  await append(start + 3.2 * HOUR, 1000);
  await expectSame();
  await store.maintain(start + 5.5 * HOUR);
  await expectSame();
  await close();
}, 60_000);
