import type { DuckDBConnection } from '@duckdb/node-api';
import { HOUR_MS } from './cells-sql.ts';
import { levels } from './roll.ts';
import type { Retention } from '../retention.ts';

/** How much longer than its samples the key of a batch is known: how late an agent may still repeat one. */
const KEY_GRACE_MS = 7 * 24 * 3_600_000;

/**
 * Drops what is past its time, raw samples only after they have been rolled up. Keys stay for longer than any sample of theirs. Space
 * is used again when whole row groups are free, which they become in order of time.
 */
export async function dropExpired(connection: DuckDBConnection, retention: Retention, nowMs: number): Promise<void> {
  const { rawMs, minutesMs, hoursMs } = retention;
  await connection.run(`DELETE FROM samples WHERE at_ms < ${nowMs - rawMs} AND batch <= (SELECT batch FROM progress)`);
  for (const { table, widthMs } of levels)
    await connection.run(`DELETE FROM ${table} WHERE at_ms < ${nowMs - (widthMs === HOUR_MS ? hoursMs : minutesMs)}`);
  await connection.run(`DELETE FROM last_states WHERE at_ms < ${nowMs - minutesMs}`);
  await connection.run(`DELETE FROM batches WHERE received_ms < ${nowMs - rawMs - KEY_GRACE_MS}
    AND no NOT IN (SELECT DISTINCT batch FROM samples) AND no <= (SELECT batch FROM progress)`);
}
