import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { sampleMetrics } from '../../model/sample.ts';
import type { Bare } from '../arbitrary.case.ts';
import { columnsOf } from '../columns.ts';
import { openStore } from '../open.ts';
import { signedBucketOf } from '../signed-bucket.ts';
import { Twin } from '../twin.case.ts';
import { prepareFolder } from './folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-upgrade-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTE = 60_000;
const HOUR = 3_600_000;
const start = 1_700_000_000_000 - (1_700_000_000_000 % HOUR);
const all = { fromMs: start - HOUR, toMs: start + 10 * HOUR };

const metricColumns = sampleMetrics.map((metric) => `"${metric}" DOUBLE`).join(', ');
const series = 'at_ms DOUBLE, endpoint INTEGER, agent INTEGER, kind UTINYINT';
const rollup = `${series}, verdict UTINYINT, metric UTINYINT, n BIGINT, total DOUBLE, low DOUBLE, high DOUBLE, cells STRUCT(b INTEGER, n INTEGER)[]`;

/** The tables as version 1 made them, and its words. */
const versionOne = [
  'CREATE TABLE facts(name VARCHAR, value DOUBLE)',
  'CREATE TABLE words(dictionary VARCHAR, id INTEGER, word VARCHAR)',
  'CREATE TABLE batches(no BIGINT, hash DOUBLE, key VARCHAR, agent INTEGER, count INTEGER, received_ms DOUBLE)',
  `CREATE TABLE samples(batch BIGINT, row INTEGER, ${series}, outcome UTINYINT, verdict UTINYINT, state VARCHAR, detail VARCHAR, ${metricColumns})`,
  ...['minutes', 'minutes_all', 'hours', 'hours_all'].map((table) => `CREATE TABLE ${table}(${rollup})`),
  `CREATE TABLE last_states(${series}, last_ms DOUBLE, state VARCHAR)`,
  'CREATE TABLE progress(batch BIGINT)',
  `INSERT INTO facts VALUES ('schema', 1)`,
  'INSERT INTO progress VALUES (1)',
  `INSERT INTO words VALUES ('agent', 1, 'berlin'), ('endpoint', 1, 'chat'), ('kind', 1, 'tcp'), ('outcome', 1, 'answered'), ('metric', 1, 'rttMs')`,
];

const sample = (atMs: number, rttMs: number): Bare => ({
  atMs,
  endpoint: 'chat',
  kind: 'tcp',
  outcome: 'answered',
  verdict: 'ok',
  metrics: { rttMs },
  state: null,
  detail: null,
});
/** Two hours that are over and one that is open, which version 1 had in the roll-ups; then what it had in none. */
const rolled = [0, 1, 30, 59, 60, 61, 100, 121, 125].map((minute, i) => sample(start + minute * MINUTE + i, 1 + i));
const pending = [31, 126, 127].map((minute, i) => sample(start + minute * MINUTE, 50 + i));

async function writeVersionOne(connection: DuckDBConnection): Promise<void> {
  for (const statement of versionOne) await connection.run(statement);
  for (const [no, samples] of [rolled, pending].entries()) {
    await connection.run(
      `INSERT INTO batches VALUES (${no + 1}, ${no + 0.5}, 'old-key-00000${no}', 1, ${samples.length}, ${start})`,
    );
    for (const [row, { atMs, metrics }] of samples.entries())
      await connection.run(
        `INSERT INTO samples(batch, row, at_ms, endpoint, agent, kind, outcome, verdict, "rttMs") VALUES (${no + 1}, ${row}, ${atMs}, 1, 1, 1, 1, 0, ${metrics.rttMs})`,
      );
  }
  for (const [table, agent] of [
    ['minutes', 1],
    ['minutes_all', 0],
    ['hours', 1],
    ['hours_all', 0],
  ] as const)
    await writeRollup(connection, table, agent);
}

async function writeRollup(connection: DuckDBConnection, table: string, agent: number): Promise<void> {
  const widthMs = table.startsWith('hours') ? HOUR : MINUTE;
  const pointOf = ({ atMs }: Bare) => Math.floor(atMs / widthMs) * widthMs;
  for (const atMs of new Set(rolled.map(pointOf))) {
    const samples = rolled.filter((s) => pointOf(s) === atMs);
    const values = samples.map(({ metrics }) => metrics.rttMs!);
    const cells = values.map((value) => `{b: ${signedBucketOf(value)}, n: 1}`).join(', ');
    const total = values.reduce((sum, value) => sum + value, 0);
    await connection.run(`INSERT INTO ${table} VALUES
      (${atMs}, 1, ${agent}, 1, 0, 0, ${values.length}, NULL, NULL, NULL, [{b: 0, n: ${values.length}}]),
      (${atMs}, 1, ${agent}, 1, 0, 1, ${values.length}, ${total}, ${Math.min(...values)}, ${Math.max(...values)}, [${cells}])`);
  }
}

test('a store of version 1 is taken over: closed hours, the open one, and what was in no roll-up', async () => {
  const path = await prepareFolder(folder);
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await writeVersionOne(connection);
  connection.closeSync();
  instance.closeSync();

  const twin = new Twin();
  twin.append(
    [rolled, pending].map((samples, i) => ({ key: `old-${i}`, agent: 'berlin', columns: columnsOf(samples) })),
  );
  const io = { clock: { wallMs: () => start + 2 * HOUR } };
  let opened = await openStore(folder, io, { memoryLimitMb: 256 });
  const expectAll = async () => {
    for (const stepMs of [MINUTE, HOUR])
      for (const by of ['endpoint', 'endpoint-agent'] as const) {
        const query = { ...all, stepMs, by, kind: 'tcp' as const, metric: 'rttMs' as const, quantiles: [] };
        expect(await opened.store.series(query)).toEqual(twin.series(query).sort((a, b) => a.atMs - b.atMs));
      }
  };
  await expectAll();
  // Late for an hour that version 1 had closed, and new for the open one.
  const more = {
    key: 'new-key-000000',
    agent: 'berlin',
    columns: columnsOf([10, 130].map((m) => sample(start + m * MINUTE, 9))),
  };
  expect(await opened.store.append([more])).toEqual(twin.append([more]));
  for (const nowMs of [start + 2.5 * HOUR, start + 4 * HOUR]) {
    await opened.store.maintain(nowMs);
    await expectAll();
  }
  // Opened again it is of the new version, and nothing is done twice.
  await opened.close();
  opened = await openStore(folder, io, { memoryLimitMb: 256 });
  await expectAll();
  await opened.close();
}, 60_000);
