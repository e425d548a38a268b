import type { DuckDBConnection } from '@duckdb/node-api';
import type { SampleKind } from '../../model/sample.ts';
import type { StateChange } from '../store.ts';
import { HOUR_MS } from './cells-sql.ts';
import { progressOf } from './roll.ts';
import { eachChunk } from './rows.ts';
import type { Words } from './words.ts';

/**
 * Changes in [from, to): states in that time in their order, after the last state that each series had before. That one comes
 * from the last states of whole hours, from what is not in these yet, and from the begun hour.
 */
export async function changes(
  connection: DuckDBConnection,
  words: Words,
  query: { fromMs: number; toMs: number; endpoints?: readonly string[] },
): Promise<StateChange[]> {
  const { fromMs, toMs } = query;
  const endpoints = query.endpoints?.flatMap((name) => words.find('endpoint', name) ?? []);
  if (endpoints?.length === 0) return [];
  const { batch } = await progressOf(connection);
  const hour = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  const where = `${endpoints ? `endpoint IN (${endpoints.join(', ')})` : 'true'} AND state IS NOT NULL`;
  const series = 'endpoint, agent, kind';
  const before = `SELECT ${series}, max(at_ms) AS at_ms, arg_max(state, at_ms) AS state FROM (
      SELECT ${series}, last_ms AS at_ms, state FROM last_states WHERE at_ms < ${hour} AND ${where}
      UNION ALL SELECT ${series}, at_ms, state FROM samples WHERE at_ms < ${hour} AND batch > ${batch} AND ${where}
      UNION ALL SELECT ${series}, at_ms, state FROM samples WHERE at_ms >= ${hour} AND at_ms < ${fromMs} AND ${where}
    ) GROUP BY ${series}`;
  const within = `SELECT ${series}, at_ms, state FROM samples WHERE at_ms >= ${fromMs} AND at_ms < ${toMs} AND ${where}`;
  const sql = `SELECT endpoint::DOUBLE, agent::DOUBLE, kind::DOUBLE, at_ms, before, state FROM (
      SELECT *, lag(state) OVER (PARTITION BY ${series} ORDER BY at_ms) AS before FROM (${before} UNION ALL ${within})
    ) WHERE at_ms >= ${fromMs} AND before <> state ORDER BY at_ms`;
  const found: StateChange[] = [];
  await eachChunk(connection, sql, (columns) => {
    const [endpoints, agents, kinds, at] = columns.leading(4);
    const [befores, afters] = [columns.texts(4), columns.texts(5)];
    for (let i = 0; i < columns.count; i++)
      found.push({
        atMs: at[i]!,
        agent: words.word('agent', agents[i]!),
        endpoint: words.word('endpoint', endpoints[i]!),
        kind: words.word('kind', kinds[i]!) as SampleKind,
        before: befores[i]!,
        after: afters[i]!,
      });
  });
  return found;
}
