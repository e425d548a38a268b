import type { DuckDBConnection } from '@duckdb/node-api';
import { gathered, HOUR_MS, MINUTE_MS, partsOfRollup, ROLLUP, widened } from './cells-sql.ts';
import type { Generation } from './fresh.ts';
import { PartTable } from './part-table.ts';
import { writeParts } from './rollup-writer.ts';
import { firstRow } from './rows.ts';

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

/** How long after its end an hour is closed: what agents send with the usual delay is in it then. */
const CLOSE_AFTER_MS = 120_000;
/** Rows of minutes that are gathered to hours at once: what fits into the memory of the engine. */
const SLICE_ROWS = 400_000;

/** While no hour has been closed. */
export const NO_HOURS = -Number.MAX_VALUE;

/** How far roll-ups are, as the transaction of the caller sees it. */
export interface Progress {
  /** The last batch whose samples are in the minutes. */
  batch: number;
  /** Hours hold what is before this, and minutes speak of everything. */
  hoursToMs: number;
  /** Changes with everything that changes hours that are closed. */
  edition: number;
}

export async function progressOf(connection: DuckDBConnection): Promise<Progress> {
  const [batch = 0, hoursToMs = NO_HOURS, edition = 0] = await firstRow(
    connection,
    'SELECT batch, hours_to_ms, edition FROM progress',
  );
  return { batch, hoursToMs, edition };
}

/** Writes down parts of memory; those of hours that are closed go to these, too, as rows beside. In the transaction of the caller. */
export async function writeMinutes(connection: DuckDBConnection, generation: Generation, last: number): Promise<void> {
  const { hoursToMs } = await progressOf(connection);
  for (const { table, widthMs, perAgent } of levels) {
    const isHours = widthMs === HOUR_MS;
    const parts = perAgent ? generation.agents : generation.all;
    let level = parts;
    if (isHours) {
      level = new PartTable();
      level.addFrom(parts, (part) => parts.minute[part]! * MINUTE_MS < hoursToMs, widthMs / MINUTE_MS);
    }
    if (level.size === 0) continue;
    await writeParts(connection, table, level);
    if (isHours) await connection.run('UPDATE progress SET edition = edition + 1');
  }
  await connection.run(`UPDATE progress SET batch = ${last}`);
}

/** The hour up to which hours can be closed; null when that has been done. */
export async function hoursDue(connection: DuckDBConnection, nowMs: number): Promise<number | null> {
  const { hoursToMs } = await progressOf(connection);
  const toMs = Math.floor((nowMs - CLOSE_AFTER_MS) / HOUR_MS) * HOUR_MS;
  return toMs > hoursToMs ? toMs : null;
}

/** Gathers minutes of hours that are over, some endpoints at a time. In the transaction of the caller. */
export async function closeHours(connection: DuckDBConnection, toMs: number): Promise<void> {
  const { hoursToMs } = await progressOf(connection);
  for (const { table, widthMs, perAgent } of levels) {
    if (widthMs !== HOUR_MS) continue;
    const minutes = perAgent ? 'minutes' : 'minutes_all';
    const span = `at_ms < ${toMs} AND at_ms >= ${hoursToMs}`;
    const [rows = 0] = await firstRow(connection, `SELECT count(*) FROM ${minutes} WHERE ${span}`);
    const slices = Math.ceil(rows / SLICE_ROWS);
    for (let slice = 0; slice < slices; slice++) {
      const parts = partsOfRollup(minutes, `${span} AND endpoint % ${slices} = ${slice}`);
      await connection.run(
        `INSERT INTO ${table} SELECT ${ROLLUP} FROM (${gathered(widened(`(${parts})`, widthMs, perAgent))}) ORDER BY kind, metric, endpoint, agent, at_ms`,
      );
    }
  }
  await connection.run(`UPDATE progress SET hours_to_ms = ${toMs}, edition = edition + 1`);
}

/** Keeps the last state of each series in each hour, for what came after one batch up to another. In the transaction of the caller. */
export async function rollStates(
  connection: DuckDBConnection,
  { after, last }: { after: number; last: number },
  nowMs: number,
): Promise<void> {
  const since = `batch > ${after} AND batch <= ${last}`;
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
