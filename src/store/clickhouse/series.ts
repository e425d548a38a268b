import { quantilesOf } from '../quantiles.ts';
import { signedBucketOf } from '../signed-bucket.ts';
import type { CountsPoint, CountsQuery, SeriesPoint, SeriesQuery } from '../store.ts';
import { ROLLUP, pointSql, rolledSamples, TALLY } from './cells-sql.ts';
import { countsSql, type Ledger } from './ledger.ts';
import { timeSql } from './samples.ts';
import { HOUR_MS, MINUTE_MS } from './schema.ts';
import type { Server } from './server.ts';
import { float, listOf, quoted } from './sql.ts';
import { openBatches, samplesOfBatches } from './tail.ts';

interface Wanted {
  fromMs: number;
  toMs: number;
  stepMs: number;
  kind: string;
  metric: string | null;
  endpoints: readonly string[] | undefined;
  agents: readonly string[] | undefined;
  perAgent: boolean;
}

export async function series(server: Server, ledger: Ledger, query: SeriesQuery): Promise<SeriesPoint[]> {
  const perAgent = query.by === 'endpoint-agent';
  const wanted: Wanted = { ...query, endpoints: query.endpoints, agents: query.agents, perAgent };
  const isValue = `metric != ${quoted(TALLY)}`;
  const withCells = query.quantiles.length > 0;
  const numbers = [
    ...[0, 1, 2].map((verdict) => `sumIf(n, metric = ${quoted(TALLY)} AND verdict = ${verdict})`),
    `sumIf(n, ${isValue})`,
    `sumIf(total, ${isValue})`,
    `minIf(low, ${isValue})`,
    `maxIf(high, ${isValue})`,
  ];
  const cells = `sumMap(if(${isValue}, buckets, emptyArrayInt16()), if(${isValue}, counts, emptyArrayUInt32())) AS cells`;
  const sql = `SELECT point, endpoint, agent, ${numbers.map((sum, i) => `toFloat64(${sum}) AS s${i}`).join(', ')}
      ${withCells ? `, ${cells}` : ''} FROM (${await parts(server, ledger, wanted)}) GROUP BY point, endpoint, agent ORDER BY point`;
  const asFloats = (i: number) => `arrayMap(x -> toFloat64(x), cells.${i})`;
  const answer = await server.ask(
    withCells
      ? `SELECT point, endpoint, agent, s0, s1, s2, s3, s4, s5, s6, ${asFloats(1)}, ${asFloats(2)} FROM (${sql}) ORDER BY point`
      : sql,
  );
  const [endpoint, agent] = [answer.texts(1), answer.texts(2)];
  const at = answer.numbers(0);
  const [ok, bad, unknown, n, total, low, high] = [3, 4, 5, 6, 7, 8, 9].map((i) => answer.numbers(i));
  const [buckets, counts] = [answer.lists(10), answer.lists(11)];
  return Array.from({ length: answer.rows }, (_, i) => {
    const isEmpty = n![i] === 0;
    const spread = { n: n![i]!, low: low![i]!, high: high![i]!, cells: inTurns(buckets[i], counts[i]) };
    return {
      atMs: at[i]!,
      endpoint: endpoint[i]!,
      agent: perAgent ? agent[i]! : null,
      ok: ok![i]!,
      bad: bad![i]!,
      unknown: unknown![i]!,
      n: n![i]!,
      mean: isEmpty ? null : total![i]! / n![i]!,
      min: isEmpty ? null : low![i]!,
      max: isEmpty ? null : high![i]!,
      quantiles: quantilesOf(spread, query.quantiles),
    };
  });
}

export async function counts(server: Server, ledger: Ledger, query: CountsQuery): Promise<CountsPoint[]> {
  const { limit } = query;
  const wanted: Wanted = {
    ...query,
    metric: limit?.metric ?? null,
    agents: undefined,
    perAgent: query.by !== 'endpoint',
  };
  const tally = (verdict: number) => `sumIf(n, metric = ${quoted(TALLY)} AND verdict = ${verdict})`;
  const within = `arraySum(arrayMap((b, c) -> if(b <= ${signedBucketOf(limit?.max ?? 0)}, c, 0), buckets, counts))`;
  const good = limit ? `sumIf(${within}, metric != ${quoted(TALLY)} AND verdict = 0)` : tally(0);
  const answer = await server.ask(
    `SELECT point, endpoint, agent, ${[good, tally(0), tally(1), tally(2)].map((sum) => `toFloat64(${sum})`).join(', ')}
      FROM (${await parts(server, ledger, wanted)}) GROUP BY point, endpoint, agent ORDER BY point`,
  );
  const [endpoint, agent] = [answer.texts(1), answer.texts(2)];
  const at = answer.numbers(0);
  const [goods, oks, bads, unknowns] = [3, 4, 5, 6].map((i) => answer.numbers(i));
  return Array.from({ length: answer.rows }, (_, i) => ({
    atMs: at[i]!,
    endpoint: endpoint[i]!,
    agent: wanted.perAgent ? agent[i]! : null,
    good: goods![i]!,
    bad: oks![i]! + bads![i]! - goods![i]!,
    unknown: unknowns![i]!,
  }));
}

/**
 * Rows of roll-ups, each with its point: of the widest level that the step is made of, of the narrower one for what the wider does
 * not have yet, and of samples for what neither has. Where a point is no whole minute, of samples alone.
 */
async function parts(server: Server, ledger: Ledger, wanted: Wanted): Promise<string> {
  const { stepMs, metric, agents } = wanted;
  const fromMs = Math.floor(wanted.fromMs / stepMs) * stepMs;
  const toMs = Math.ceil(wanted.toMs / stepMs) * stepMs;
  const metrics = metric === null ? [] : [metric];
  const where = seriesSql(wanted);
  const all = wanted.perAgent || agents !== undefined ? '' : '_all';
  const of = (table: string, counting: string) =>
    `SELECT ${ROLLUP} FROM ${server.name(table)} WHERE ${where} AND ${counting}
      AND metric IN ${listOf([TALLY, ...metrics])} AND at_ms >= ${float(fromMs)} AND at_ms < ${float(toMs)}`;
  const sources: string[] = [];
  const { minutes, hours } = ledger;
  if (stepMs % HOUR_MS === 0)
    sources.push(
      of(`hours${all}`, countsSql(ledger, hours.last)),
      of(`minutes${all}`, countsSql(ledger, minutes.last, hours.upTo)),
    );
  else if (stepMs % MINUTE_MS === 0) sources.push(of(`minutes${all}`, countsSql(ledger, minutes.last)));
  const batches =
    sources.length > 0
      ? openBatches(server, ledger)
      : `${server.name('batches')} WHERE to_ms >= ${float(fromMs)} AND from_ms < ${float(toMs)}`;
  const tail = await samplesOfBatches(server, batches);
  if (tail !== null) {
    const those = `${tail} AND ${timeSql(fromMs, toMs)} AND ${where}`;
    sources.push(`SELECT ${ROLLUP} FROM (${rolledSamples(server.name('samples'), those, metrics, stepMs)})`);
  }
  const agent = wanted.perAgent ? 'agent' : "''";
  return `SELECT ${pointSql('at_ms', stepMs)} AS point, endpoint AS endpoint, ${agent} AS agent, verdict, metric, n, total, low, high, buckets, counts
    FROM (${sources.length === 0 ? emptySql(server) : sources.join(' UNION ALL ')})`;
}

const emptySql = (server: Server) => `SELECT ${ROLLUP} FROM ${server.name('hours')} WHERE 0`;

function seriesSql({ kind, endpoints, agents }: Wanted): string {
  const among = (column: string, names: readonly string[] | undefined) =>
    names ? ` AND ${column} IN ${listOf(names)}` : '';
  return `kind = ${quoted(kind)}${among('endpoint', endpoints)}${among('agent', agents)}`;
}

function inTurns(buckets: readonly number[] = [], counts: readonly number[] = []): number[] {
  const cells: number[] = [];
  for (let i = 0; i < buckets.length; i++) cells.push(buckets[i]!, counts[i]!);
  return cells;
}
