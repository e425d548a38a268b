import type { SampleKind } from '../../model/sample.ts';
import type { StateChange } from '../store.ts';
import type { Ledger } from './ledger.ts';
import { timeSql } from './samples.ts';
import { HOUR_MS } from './schema.ts';
import type { Server } from './server.ts';
import { float, listOf } from './sql.ts';
import { openBatches, samplesOfBatches } from './tail.ts';

/**
 * Changes in [from, to): states in that time in their order, after the last state that each series had before. That one comes
 * from the last states of whole hours, from what is not in these yet, and from the begun hour.
 */
export async function changes(
  server: Server,
  ledger: Ledger,
  query: { fromMs: number; toMs: number; endpoints?: readonly string[] },
): Promise<StateChange[]> {
  const { fromMs, toMs } = query;
  const hour = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  const whose = query.endpoints ? `endpoint IN ${listOf(query.endpoints)}` : '1';
  const told = `${whose} AND isNotNull(state)`;
  const series = 'endpoint, agent, kind';
  const samples = server.name('samples');
  const states = (where: string) =>
    `SELECT ${series}, at_ms, assumeNotNull(state) AS told FROM ${samples} WHERE ${where} AND ${told}`;
  const tail = await samplesOfBatches(server, openBatches(server, ledger));
  const before = [
    `SELECT ${series}, last_ms AS at_ms, state AS told FROM ${server.name('states')} WHERE at_ms < ${float(hour)} AND ${whose}`,
    ...(tail === null ? [] : [states(`${tail} AND at_ms < ${float(hour)}`)]),
    states(timeSql(hour, fromMs)),
  ];
  const sql = `SELECT ${series}, max(at_ms) AS moment, argMax(told, at_ms) AS last FROM (${before.join(' UNION ALL ')}) GROUP BY ${series}
    UNION ALL SELECT ${series}, at_ms AS moment, told AS last FROM (${states(timeSql(fromMs, toMs))})`;
  const answer = await server.ask(
    `SELECT ${series}, moment, last FROM (${sql}) ORDER BY endpoint, agent, kind, moment, last`,
  );
  const [endpoint, agent, kind, state] = [0, 1, 2, 4].map((i) => answer.texts(i));
  const at = answer.numbers(3);
  const found: StateChange[] = [];
  for (let i = 1; i < answer.rows; i++) {
    const isSame = endpoint![i] === endpoint![i - 1] && agent![i] === agent![i - 1] && kind![i] === kind![i - 1];
    if (!isSame || state![i] === state![i - 1] || at[i]! < fromMs) continue;
    found.push({
      atMs: at[i]!,
      agent: agent![i]!,
      endpoint: endpoint![i]!,
      kind: kind![i] as SampleKind,
      before: state![i - 1]!,
      after: state![i]!,
    });
  }
  return found.sort((a, b) => a.atMs - b.atMs);
}
