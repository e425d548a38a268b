import type { DuckDBConnection } from '@duckdb/node-api';
import { sampleMetrics } from '../../model/sample.ts';
import { CELLS, cellsOfCells, cellsOfSamples, hourMs, MINUTE_MS } from './cells-sql.ts';
import { firstRow } from './rows.ts';
import type { Words } from './words.ts';

/** Up to where roll-ups have come. */
export interface Progress {
  /** Last batch whose samples are in `minutes`. */
  batch: number;
  /** Last run that wrote `minutes`. */
  run: number;
  /** Last run of these that is in `hours`. */
  hoursRun: number;
}

export async function readProgress(connection: DuckDBConnection): Promise<Progress> {
  const [batch = 0, run = 0, hoursRun = 0] = await firstRow(connection, 'SELECT batch, run, hours_run FROM progress');
  return { batch, run, hoursRun };
}

/** Adds what has been stored since the last time to `minutes`. In the transaction of the caller. */
export async function rollMinutes(connection: DuckDBConnection, words: Words): Promise<void> {
  const { batch, run, hoursRun } = await readProgress(connection);
  const [last = 0] = await firstRow(connection, 'SELECT coalesce(max(no), 0) FROM batches');
  if (last <= batch) return;
  const since = `batch > ${batch} AND batch <= ${last}`;
  const metrics = await usedMetrics(connection, since);
  await connection.run(`INSERT INTO minutes SELECT ${run + 1}, ${CELLS}
    FROM ${cellsOfSamples(MINUTE_MS, since, metrics, words)} ORDER BY kind, metric, endpoint, agent, at_ms`);
  await connection.run(`INSERT INTO last_states
    SELECT floor(at_ms / ${hourMs}) * ${hourMs} AS hour, endpoint, agent, kind, max(at_ms), arg_max(state, at_ms)
    FROM samples WHERE ${since} AND state IS NOT NULL GROUP BY hour, endpoint, agent, kind`);
  await setProgress(connection, { batch: last, run: run + 1, hoursRun });
}

/** Adds what has come to `minutes` since the last time to `hours`. */
export async function rollHours(connection: DuckDBConnection): Promise<void> {
  const { batch, run, hoursRun } = await readProgress(connection);
  if (run === hoursRun) return;
  await connection.run(`INSERT INTO hours SELECT ${run}, ${CELLS}
    FROM ${cellsOfCells('minutes', hourMs, `run > ${hoursRun} AND run <= ${run}`)} ORDER BY kind, metric, endpoint, agent, at_ms`);
  await setProgress(connection, { batch, run, hoursRun: run });
}

/** Metrics that occur: each costs a pass over its column, and most kinds of probes have few. */
export async function usedMetrics(connection: DuckDBConnection, where: string): Promise<string[]> {
  const counts = sampleMetrics.map((metric) => `count("${metric}")`).join(', ');
  const row = await firstRow(connection, `SELECT ${counts} FROM samples WHERE ${where}`);
  return sampleMetrics.filter((_, i) => row[i]! > 0);
}

async function setProgress(connection: DuckDBConnection, { batch, run, hoursRun }: Progress): Promise<void> {
  await connection.run('DELETE FROM progress');
  await connection.run(`INSERT INTO progress VALUES (${batch}, ${run}, ${hoursRun})`);
}
