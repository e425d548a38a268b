import type { DuckDBConnection } from '@duckdb/node-api';
import { sampleMetrics } from '../../model/sample.ts';
import { gathered, HOUR_MS, MINUTE_MS, partsOfRollup, partsOfSamples, ROLLUP, widened } from './cells-sql.ts';
import { firstRow } from './rows.ts';
import type { Words } from './words.ts';

export interface Level {
  table: string;
  widthMs: number;
  /** Or all agents as one: a dashboard of many endpoints need not read what each of fifty agents saw. */
  perAgent: boolean;
}

export const levels: readonly Level[] = [
  { table: 'minutes', widthMs: MINUTE_MS, perAgent: true },
  { table: 'minutes_all', widthMs: MINUTE_MS, perAgent: false },
  { table: 'hours', widthMs: HOUR_MS, perAgent: true },
  { table: 'hours_all', widthMs: HOUR_MS, perAgent: false },
];

/** Samples that no roll-up has yet are read and grouped by every query: not more than this, and not older. */
const DUE_ROWS = 1_000_000;
const DUE_MS = 60_000;

/** The last batch whose samples are in the roll-ups. */
export async function rolledBatch(connection: DuckDBConnection): Promise<number> {
  const [batch = 0] = await firstRow(connection, 'SELECT batch FROM progress');
  return batch;
}

export async function isDue(connection: DuckDBConnection, sinceMs: number): Promise<boolean> {
  const since = await rolledBatch(connection);
  const [rows = 0] = await firstRow(connection, `SELECT coalesce(sum(count), 0) FROM batches WHERE no > ${since}`);
  return rows > 0 && (rows >= DUE_ROWS || sinceMs >= DUE_MS);
}

/** Adds what has been stored since the last time to all roll-ups. In the transaction of the caller. */
export async function rollUp(connection: DuckDBConnection, words: Words, nowMs: number): Promise<void> {
  const batch = await rolledBatch(connection);
  const [last = 0] = await firstRow(connection, 'SELECT coalesce(max(no), 0) FROM batches');
  if (last <= batch) return;
  const since = `batch > ${batch} AND batch <= ${last}`;
  const metrics = await usedMetrics(connection, since);
  await connection.run(`CREATE OR REPLACE TEMP TABLE fresh AS ${partsOfSamples(MINUTE_MS, since, metrics, words)}`);
  for (const level of levels) await rollLevel(connection, level, nowMs);
  await rollStates(connection, since, nowMs);
  await connection.run('DROP TABLE fresh');
  await connection.run(`UPDATE progress SET batch = ${last}`);
}

/**
 * Points that are still being filled are written anew, so that each is one row; what is late to an older one is a row beside it, for
 * an agent that returns after hours touches hundreds of minutes of everybody.
 */
async function rollLevel(
  connection: DuckDBConnection,
  { table, widthMs, perAgent }: Level,
  nowMs: number,
): Promise<void> {
  const isOpen = `at_ms >= ${Math.floor(nowMs / widthMs - 1) * widthMs}`;
  const parts = `${widened('fresh', widthMs, perAgent)} UNION ALL ${partsOfRollup(table, isOpen)}`;
  await connection.run(`CREATE OR REPLACE TEMP TABLE rolled AS ${gathered(parts)}`);
  await connection.run(`DELETE FROM ${table} WHERE ${isOpen}`);
  await connection.run(
    `INSERT INTO ${table} SELECT ${ROLLUP} FROM rolled ORDER BY kind, metric, endpoint, agent, at_ms`,
  );
  await connection.run('DROP TABLE rolled');
}

async function rollStates(connection: DuckDBConnection, since: string, nowMs: number): Promise<void> {
  const isOpen = `at_ms >= ${Math.floor(nowMs / HOUR_MS) * HOUR_MS}`;
  const hour = `floor(at_ms / ${HOUR_MS}) * ${HOUR_MS}`;
  await connection.run(`CREATE OR REPLACE TEMP TABLE rolled AS
    SELECT hour AS at_ms, endpoint, agent, kind, max(last_ms) AS last_ms, arg_max(state, last_ms) AS state FROM (
      SELECT ${hour} AS hour, endpoint, agent, kind, at_ms AS last_ms, state FROM samples WHERE ${since} AND state IS NOT NULL
      UNION ALL SELECT at_ms AS hour, endpoint, agent, kind, last_ms, state FROM last_states WHERE ${isOpen}
    ) GROUP BY hour, endpoint, agent, kind`);
  await connection.run(`DELETE FROM last_states WHERE ${isOpen}`);
  await connection.run('INSERT INTO last_states SELECT * FROM rolled');
  await connection.run('DROP TABLE rolled');
}

/** Metrics that occur: each costs a pass over its column, and most kinds of probes have few. */
async function usedMetrics(connection: DuckDBConnection, where: string): Promise<string[]> {
  const counts = sampleMetrics.map((metric) => `count("${metric}")`).join(', ');
  const row = await firstRow(connection, `SELECT ${counts} FROM samples WHERE ${where}`);
  return sampleMetrics.filter((_, i) => row[i]! > 0);
}
