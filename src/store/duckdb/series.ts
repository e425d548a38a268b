import type { DuckDBConnection } from '@duckdb/node-api';
import { bucketMiddle, signedBucketOf } from '../signed-bucket.ts';
import type { CountsPoint, CountsQuery, SeriesPoint, SeriesQuery } from '../store.ts';
import { cellsOfSamples, hourMs, MINUTE_MS, TALLY } from './cells-sql.ts';
import { readProgress } from './roll.ts';
import { eachChunk, type Cells } from './rows.ts';
import type { Words } from './words.ts';

const VERDICTS = ['ok', 'bad', 'unknown'] as const;

/** One point while its parts are being added up. */
interface Sum {
  atMs: number;
  endpoint: number;
  agent: number;
  verdicts: [number, number, number];
  n: number;
  total: number;
  low: number;
  high: number;
  buckets: Map<number, number>;
  /** Answered probes at or below the limit. */
  within: number;
}

interface Wanted {
  fromMs: number;
  toMs: number;
  stepMs: number;
  kind: string;
  metric: string | null;
  endpoints: readonly string[] | undefined;
  agents: readonly string[] | undefined;
  perAgent: boolean;
  withCells: boolean;
  limitBucket: number;
}

export async function series(connection: DuckDBConnection, words: Words, query: SeriesQuery): Promise<SeriesPoint[]> {
  const perAgent = query.by === 'endpoint-agent';
  const sums = await sumUp(connection, words, {
    ...query,
    endpoints: query.endpoints,
    agents: query.agents,
    perAgent,
    withCells: query.quantiles.length > 0,
    limitBucket: 0,
  });
  return sums.map((sum) => {
    const { atMs, n, total, low, high, verdicts } = sum;
    const counts = Object.fromEntries(VERDICTS.map((verdict, i) => [verdict, verdicts[i]!]));
    return {
      atMs,
      endpoint: words.word('endpoint', sum.endpoint),
      agent: perAgent ? words.word('agent', sum.agent) : null,
      ...(counts as Record<(typeof VERDICTS)[number], number>),
      n,
      mean: n === 0 ? null : total / n,
      min: n === 0 ? null : low,
      max: n === 0 ? null : high,
      quantiles: quantilesOf(sum, query.quantiles),
    };
  });
}

export async function counts(connection: DuckDBConnection, words: Words, query: CountsQuery): Promise<CountsPoint[]> {
  const { limit } = query;
  const sums = await sumUp(connection, words, {
    ...query,
    metric: limit?.metric ?? null,
    agents: undefined,
    perAgent: true,
    withCells: limit !== undefined,
    limitBucket: limit ? signedBucketOf(limit.max) : 0,
  });
  return sums.map(({ atMs, endpoint, agent, verdicts: [ok, bad, unknown], within }) => {
    const good = limit ? within : ok;
    return {
      atMs,
      endpoint: words.word('endpoint', endpoint),
      agent: words.word('agent', agent),
      good,
      bad: ok + bad - good,
      unknown,
    };
  });
}

async function sumUp(connection: DuckDBConnection, words: Words, wanted: Wanted): Promise<Sum[]> {
  const where = filterSql(words, wanted);
  if (where === null) return [];
  const sums = new Map<string, Sum>();
  const metric = wanted.metric === null ? -1 : (words.find('metric', wanted.metric) ?? -1);
  const metrics = `metric IN (${TALLY}, ${metric})`;
  const sql = (await sources(connection, words, wanted, where)).map(
    (
      source,
    ) => `SELECT at_ms, endpoint::DOUBLE, ${wanted.perAgent ? 'agent' : 0}::DOUBLE, verdict::DOUBLE, metric::DOUBLE,
      n::DOUBLE, total, low, high, ${wanted.withCells ? 'cells' : 'NULL'} FROM (${source}) WHERE ${metrics}`,
  );
  for (const part of sql)
    await eachChunk(connection, part, (columns) => {
      const [at, endpoint, agent, verdict, metric, n, total, low, high] = columns.leading(9);
      const cells = wanted.withCells ? columns.cells(9) : null;
      for (let row = 0; row < columns.count; row++) {
        const atMs = Math.floor(at[row]! / wanted.stepMs) * wanted.stepMs;
        const sum = sumAt(sums, atMs, endpoint[row]!, agent[row]!);
        if (metric[row] === TALLY) {
          sum.verdicts[verdict[row]!]! += n[row]!;
          continue;
        }
        sum.n += n[row]!;
        sum.total += total[row]!;
        sum.low = Math.min(sum.low, low[row]!);
        sum.high = Math.max(sum.high, high[row]!);
        if (cells) addCells(sum, cells, row, verdict[row] === 0 ? wanted.limitBucket : -Infinity);
      }
    });
  return [...sums.values()].sort((a, b) => a.atMs - b.atMs);
}

/** The finest-grained tables that together hold all that has been stored, each once. */
async function sources(connection: DuckDBConnection, words: Words, wanted: Wanted, where: string): Promise<string[]> {
  const { batch, hoursRun } = await readProgress(connection);
  const raw = (since: string) =>
    cellsOfSamples(wanted.stepMs, `${where} AND ${since}`, wanted.metric === null ? [] : [wanted.metric], words);
  if (wanted.stepMs % MINUTE_MS !== 0) return [raw('true')];
  const tail = raw(`batch > ${batch}`);
  if (wanted.stepMs % hourMs !== 0) return [`SELECT * FROM minutes WHERE ${where}`, tail];
  return [`SELECT * FROM hours WHERE ${where}`, `SELECT * FROM minutes WHERE ${where} AND run > ${hoursRun}`, tail];
}

/** Null when something is asked for that was never heard of. */
function filterSql(words: Words, { fromMs, toMs, stepMs, kind, endpoints, agents }: Wanted): string | null {
  const kindId = words.find('kind', kind);
  const from = Math.floor(fromMs / stepMs) * stepMs;
  const to = Math.ceil(toMs / stepMs) * stepMs;
  const ids = (dictionary: 'endpoint' | 'agent', names: readonly string[]) =>
    names.flatMap((name) => words.find(dictionary, name) ?? []);
  const among = (dictionary: 'endpoint' | 'agent', names: readonly string[] | undefined) =>
    names ? ` AND ${dictionary} IN (${[-1, ...ids(dictionary, names)].join(', ')})` : '';
  if (kindId === undefined) return null;
  return `at_ms >= ${from} AND at_ms < ${to} AND kind = ${kindId}${among('endpoint', endpoints)}${among('agent', agents)}`;
}

function sumAt(sums: Map<string, Sum>, atMs: number, endpoint: number, agent: number): Sum {
  const key = `${atMs}/${endpoint}/${agent}`;
  let sum = sums.get(key);
  if (!sum) {
    sum = {
      atMs,
      endpoint,
      agent,
      verdicts: [0, 0, 0],
      n: 0,
      total: 0,
      low: Infinity,
      high: -Infinity,
      buckets: new Map(),
      within: 0,
    };
    sums.set(key, sum);
  }
  return sum;
}

function addCells(sum: Sum, { entries, buckets, counts }: Cells, row: number, limitBucket: number): void {
  const from = entries[4 * row]!;
  const to = from + entries[4 * row + 2]!;
  for (let i = from; i < to; i++) {
    const bucket = buckets[i]!;
    const n = counts[i]!;
    sum.buckets.set(bucket, (sum.buckets.get(bucket) ?? 0) + n);
    if (bucket <= limitBucket) sum.within += n;
  }
}

/** Nearest rank; the ends are known exactly. */
function quantilesOf({ n, low, high, buckets }: Sum, quantiles: readonly number[]): (number | null)[] {
  const rising = [...buckets].sort((a, b) => a[0] - b[0]);
  return quantiles.map((p) => {
    if (n === 0) return null;
    const rank = Math.min(n, Math.max(1, Math.ceil(p * n)));
    if (rank === 1) return low;
    if (rank === n) return high;
    let seen = 0;
    const at = rising.find(([, count]) => (seen += count) >= rank);
    return Math.min(high, Math.max(low, bucketMiddle(at?.[0] ?? 0)));
  });
}
