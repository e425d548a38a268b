import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { columnsOf } from '../columns.ts';
import { Database } from './database.ts';
import { DuckFiles } from './files.ts';
import { DuckStore } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-rolling-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTE = 60_000;
const DAY = 86_400_000;
const start = 1_700_000_000_000 - (1_700_000_000_000 % (60 * MINUTE));
const forever = { rawMs: 1e4 * DAY, minutesMs: 1e4 * DAY, hoursMs: 1e4 * DAY };
const seed = 11;
/** A second try has a database of its own. */
let tries = 0;

/** Statements of writers, and those of readers, go through these. */
function hooked(
  database: Database,
  hooks: Record<'use' | 'read', (connection: DuckDBConnection, sql: string) => Promise<unknown>>,
): Database {
  const watched = (connection: DuckDBConnection, by: 'use' | 'read') =>
    new Proxy(connection, {
      get: (target, name) => {
        if (name === 'run') return (sql: string) => hooks[by](target, sql);
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const through =
    (by: 'use' | 'read') =>
    <T>(work: (connection: DuckDBConnection) => Promise<T>) =>
      database[by]((connection) => work(watched(connection, by)));
  return {
    path: database.path,
    use: through('use'),
    read: through('read'),
    mend: database.mend.bind(database),
  } as Database;
}

/** Writers see a share of their statements fail, half of these although it was done; readers see nothing of that. */
function unreliable(database: Database, random: () => number, trouble: { share: number }): Database {
  const use = async (connection: DuckDBConnection, sql: string) => {
    const isBad = !/^(BEGIN|SELECT)/.test(sql) && random() < trouble.share;
    if (isBad && random() < 0.5) throw new Error(`refused: ${sql.slice(0, 40)}`);
    const result = await connection.run(sql);
    if (isBad) throw new Error(`done and not told: ${sql.slice(0, 40)}`);
    return result;
  };
  return hooked(database, { use, read: (connection, sql) => connection.run(sql) });
}

/** Where somebody stops until he is let go. */
function stop() {
  let [arrived, letGo] = [() => {}, () => {}];
  const isThere = new Promise<void>((resolve) => (arrived = resolve));
  const isFree = new Promise<void>((resolve) => (letGo = resolve));
  const pass = () => {
    arrived();
    return isFree;
  };
  return { pass, isThere, letGo };
}

test('who reads while memory is made anew after a failure gets all that was promised', async () => {
  const database = await Database.open(join(folder, `anew-${tries++}.duckdb`), { memoryLimitMb: 256, threads: 2 });
  const [reader, load] = [stop(), stop()];
  const next = { commitFails: false, readerStops: false, loadStops: false };
  const isNext = (what: keyof typeof next) => {
    const is = next[what];
    next[what] = false;
    return is;
  };
  const faulty = hooked(database, {
    use: async (connection, sql) => {
      if (sql === 'COMMIT' && isNext('commitFails')) throw new Error('refused');
      if (sql.includes('FROM progress') && isNext('loadStops')) await load.pass();
      return connection.run(sql);
    },
    read: async (connection, sql) => {
      if (isNext('readerStops')) await reader.pass();
      return connection.run(sql);
    },
  });
  const store = await DuckStore.open(faulty, { retention: forever, clock: { wallMs: () => start } });
  const row = {
    atMs: start,
    endpoint: 'chat',
    kind: 'tcp' as const,
    outcome: 'answered' as const,
    verdict: 'ok' as const,
    metrics: { rttMs: 7 },
    state: null,
    detail: null,
  };
  await store.append([{ key: 'first', agent: 'berlin', columns: columnsOf([row, row, row]) }]);

  next.readerStops = true;
  const query = { fromMs: start, toMs: start + MINUTE, stepMs: MINUTE, kind: 'tcp', metric: 'rttMs' } as const;
  const points = store.series({ ...query, quantiles: [], by: 'endpoint' });
  await reader.isThere;
  next.commitFails = true;
  await expect(store.written()).rejects.toThrow('refused');
  next.loadStops = true;
  const written = store.written();
  await load.isThere;
  reader.letGo();
  // Time enough to end with the words that are there now: none.
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  load.letGo();
  expect((await points).map(({ endpoint, ok }) => [endpoint, ok])).toEqual([['chat', 3]]);
  await written;
  await store.close();
  await database.close();
});

test('while sums are written down batches come and readers count each once, whichever of these fails, and whether or not it was done', async () => {
  const generator = seededRandom(seed);
  const database = await Database.open(join(folder, `rolling-${tries++}.duckdb`), { memoryLimitMb: 256, threads: 2 });
  const trouble = { share: 0 };
  let nowMs = start;
  const store = await DuckStore.open(unreliable(database, generator, trouble), {
    retention: forever,
    clock: { wallMs: () => nowMs },
  });
  trouble.share = 0.03;
  const failures = { append: 0, maintain: 0, written: 0 };
  const done = { maintain: 0, counted: 0 };
  let [promised, offered] = [0, 0];
  const over = new AbortController();

  const sending = async (agent: string) => {
    const isEnough = () => Math.min(done.maintain, failures.maintain, failures.written, done.counted) >= 4;
    for (let batch = 0; !isEnough(); batch++) {
      const key = `rolling-${agent}-${batch}`;
      const rows = 1 + Math.floor(generator() * 40);
      const columns = columnsOf(
        Array.from({ length: rows }, (_, row) => ({
          atMs: start + Math.floor(generator() * 90) * MINUTE,
          endpoint: `endpoint-${(batch * 7 + row) % 50}`,
          kind: 'tcp' as const,
          outcome: 'answered' as const,
          verdict: 'ok' as const,
          metrics: { rttMs: row },
          state: row % 3 === 0 ? `state-${batch % 4}` : null,
          detail: null,
        })),
      );
      offered += rows;
      for (;;) {
        const answer = await store.append([{ key, agent, columns }]).catch(() => null);
        if (answer) break;
        failures.append++;
      }
      promised += rows;
    }
  };
  const keeping = async () => {
    while (!over.signal.aborted) {
      nowMs += 2 * MINUTE;
      const isDone = await store.maintain(nowMs).then(
        () => true,
        () => false,
      );
      if (isDone) done.maintain++;
      else failures.maintain++;
    }
  };
  const writing = async () => {
    while (!over.signal.aborted) {
      await store.written().catch(() => failures.written++);
      await setImmediate();
    }
  };
  const total = async (stepMs: number) => {
    const query = { fromMs: start, toMs: start + 2 * 60 * MINUTE, stepMs, kind: 'tcp', metric: 'rttMs' } as const;
    const points = await store.series({ ...query, quantiles: [0.5], by: 'endpoint' });
    return points.reduce((sum, { ok }) => sum + ok, 0);
  };
  const counting = async () => {
    while (!over.signal.aborted) {
      const least = promised;
      const found = await total(generator() < 0.5 ? MINUTE : 60 * MINUTE).catch(() => null);
      if (found === null) continue;
      expect(found).toBeGreaterThanOrEqual(least);
      expect(found).toBeLessThanOrEqual(offered);
      done.counted++;
    }
  };
  const sent = Promise.all(['berlin', 'oslo', 'rome'].map(sending)).finally(() => over.abort());
  await Promise.all([sent, keeping(), writing(), counting()]);

  trouble.share = 0;
  await store.maintain((nowMs += 2 * 60 * MINUTE));
  expect([await total(MINUTE), await total(60 * MINUTE)]).toEqual([promised, promised]);
  expect(await new DuckFiles(database, store, () => store.written()).check()).toEqual([]);
  await store.close();
  await database.close();
}, 60_000);
