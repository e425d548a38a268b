import { sampleMetrics, sampleVerdict, type Sample, type SampleKind } from '../../model/sample.ts';
import type { NewestQuery, SamplePage, SampleQuery } from '../store.ts';
import { sliceOf } from './append.ts';
import type { Server } from './server.ts';
import { float, listOf, quoted } from './sql.ts';

const metricColumns = sampleMetrics.map((metric) => `\`${metric}\``).join(', ');

export async function samples(server: Server, query: SampleQuery): Promise<SamplePage> {
  const order = query.order === 'newest' ? 'DESC' : 'ASC';
  const sorted = `ORDER BY at_ms ${order}, batch ${order}, row ${order} LIMIT 1 BY at_ms, batch, row`;
  const limit = Math.max(1, Math.floor(query.limit));
  const where = whereSql(query);
  // Which rows first, by narrow columns; one more than asked for says whether there is a next page.
  const which = `SELECT at_ms, batch, row FROM ${server.name('samples')} WHERE ${where} ${sorted} LIMIT ${limit + 1}`;
  const found = await readSamples(
    server,
    `WHERE ${where} AND (at_ms, batch, row) GLOBAL IN (${which}) ${sorted} LIMIT ${limit + 1}`,
    query.columnsOnly ? `CAST(NULL AS Nullable(String))` : 'detail',
  );
  const page = found.slice(0, limit);
  return { samples: page.map(({ sample }) => sample), next: found.length > limit ? page.at(-1)!.place : null };
}

/** The newest sample of each endpoint, agent and kind: first when, then these. */
export async function latest(server: Server, sinceMs: number): Promise<Sample[]> {
  const where = `slice >= ${sliceOf(sinceMs)} AND at_ms >= ${float(sinceMs)}`;
  const newest = `SELECT endpoint, agent, kind, max(at_ms) FROM ${server.name('samples')} WHERE ${where} GROUP BY endpoint, agent, kind`;
  const found = await readSamples(
    server,
    `WHERE ${where} AND (endpoint, agent, kind, at_ms) GLOBAL IN (${newest}) LIMIT 1 BY endpoint, agent, kind`,
    'detail',
  );
  return found.map(({ sample }) => sample);
}

/** The newest samples of each endpoint and kind: first which, then these. */
export async function newest(server: Server, { fromMs, toMs, kinds, limit }: NewestQuery): Promise<Sample[]> {
  const where = `${timeSql(fromMs, toMs)} AND kind IN ${listOf(kinds)}`;
  // A batch that was sent twice may lie there twice until it is merged.
  const once = `SELECT at_ms, batch, row, endpoint, kind FROM ${server.name('samples')} WHERE ${where}
    ORDER BY at_ms DESC, batch DESC, row DESC LIMIT 1 BY at_ms, batch, row`;
  const which = `SELECT at_ms, batch, row FROM (${once}) ORDER BY at_ms DESC LIMIT ${Math.max(1, Math.floor(limit))} BY endpoint, kind`;
  const found = await readSamples(
    server,
    `WHERE ${where} AND (at_ms, batch, row) GLOBAL IN (${which}) ORDER BY at_ms LIMIT 1 BY at_ms, batch, row`,
    'detail',
  );
  return found.map(({ sample }) => sample);
}

/** Condition for times in [from, to), with the slices by which the engine skips. */
export function timeSql(fromMs: number, toMs: number): string {
  return `slice >= ${sliceOf(fromMs)} AND slice <= ${sliceOf(toMs)} AND at_ms >= ${float(fromMs)} AND at_ms < ${float(toMs)}`;
}

/** A sample and where it stands. */
interface Row {
  sample: Sample;
  place: string;
}

async function readSamples(server: Server, rest: string, detail: string): Promise<Row[]> {
  const answer = await server.ask(
    `SELECT at_ms, batch, toFloat64(row), endpoint, agent, kind, outcome, toFloat64(verdict), state, ${detail}, ${metricColumns}
      FROM ${server.name('samples')} ${rest}`,
  );
  const [at, row, verdict] = [answer.numbers(0), answer.numbers(2), answer.numbers(7)];
  const batch = answer.numbers64(1);
  const keys = await keysOf(server, new Set(batch));
  const [endpoint, agent, kind, outcome, state, texts] = [3, 4, 5, 6, 8, 9].map((i) => answer.texts(i));
  const values = sampleMetrics.map((metric, i) => ({ metric, column: answer.numbers(10 + i) }));
  return Array.from({ length: answer.rows }, (_, i) => i).flatMap((i) => {
    const key = keys.get(batch[i]!);
    // An attempt that was never acknowledged: the agent will send it again.
    if (key === undefined) return [];
    const metrics: Sample['metrics'] = {};
    for (const { metric, column } of values) if (!Number.isNaN(column[i])) metrics[metric] = column[i]!;
    const sample: Sample = {
      id: `${key}/${row[i]!}`,
      atMs: at[i]!,
      agent: agent![i]!,
      endpoint: endpoint![i]!,
      kind: kind![i] as SampleKind,
      outcome: outcome![i] as Sample['outcome'],
      verdict: sampleVerdict.options[verdict[i]!]!,
      metrics,
      state: state![i] ?? null,
      detail: texts![i] ?? null,
    };
    return [{ sample, place: `${at[i]!}:${batch[i]!}:${row[i]!}` }];
  });
}

/** Names of batches by their hashes. */
async function keysOf(server: Server, batches: ReadonlySet<bigint>): Promise<Map<bigint, string>> {
  const keys = new Map<bigint, string>();
  const hashes = [...batches];
  for (let from = 0; from < hashes.length; from += 5000) {
    const list = hashes.slice(from, from + 5000).join(', ');
    const answer = await server.ask(`SELECT batch, key FROM ${server.name('batches')} WHERE batch IN (${list})`);
    const names = answer.texts(1);
    answer.numbers64(0).forEach((batch, i) => keys.set(batch, names[i]!));
  }
  return keys;
}

function whereSql(query: SampleQuery): string {
  const parts = [timeSql(query.fromMs, query.toMs)];
  for (const column of ['endpoint', 'agent', 'kind'] as const) {
    const word = query[column];
    if (word !== undefined) parts.push(`${column} = ${quoted(word)}`);
  }
  if (query.after !== undefined) parts.push(afterSql(query.after, query.order === 'newest' ? '<' : '>'));
  return parts.join(' AND ');
}

function afterSql(after: string, sign: '<' | '>'): string {
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?:\d{1,20}:\d{1,10}$/.test(after))
    throw new RangeError(`"${after}" is no place in a list of samples`);
  const [at, batch, row] = after.split(':');
  const atMs = float(Number(at));
  return `(at_ms ${sign} ${atMs} OR (at_ms = ${atMs} AND (batch ${sign} toUInt64(${batch}) OR (batch = toUInt64(${batch}) AND row ${sign} ${row}))))`;
}
