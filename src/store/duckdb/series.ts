import type { DuckDBConnection } from '@duckdb/node-api';
import { sampleVerdict } from '../../model/sample.ts';
import { quantilesOf } from '../quantiles.ts';
import { signedBucketOf } from '../signed-bucket.ts';
import type { CountsPoint, CountsQuery, SeriesPoint, SeriesQuery } from '../store.ts';
import { bucketSql } from './bucket-sql.ts';
import { gathered, HOUR_MS, MINUTE_MS, partsOfSamples, ROLLUP, TALLY, widened } from './cells-sql.ts';
import type { ClosedHours } from './closed-hours.ts';
import type { Generation } from './fresh.ts';
import { kindOf, metricOf, verdictOf, type PartTable } from './part-table.ts';
import { levels, type Progress } from './roll.ts';
import { eachChunk, type Cells, type Columns } from './rows.ts';
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
  /** Bucket and count, in turns; a bucket may come several times. */
  cells: number[];
  /** Answered probes at or below the limit. */
  within: number;
}

/** What a reader looks at: one state of the database, and what memory has beyond it. */
export interface Sight {
  connection: DuckDBConnection;
  words: Words;
  progress: Progress;
  fresh: readonly Generation[];
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
  /** For percentiles; a limit only counts them. */
  keepsCells: boolean;
  limitBucket: number;
}

export async function series(sight: Sight, closed: ClosedHours, query: SeriesQuery): Promise<SeriesPoint[]> {
  const { stepMs } = query;
  const { hoursToMs, edition } = sight.progress;
  const range = aligned(query);
  // Late samples in memory speak of hours that are closed: then nothing of these can be taken from before.
  const isKept = stepMs === HOUR_MS && sight.fresh.every(({ all }) => all.firstMinute * MINUTE_MS >= hoursToMs);
  if (!isKept || hoursToMs <= range.fromMs) return seriesOf(sight, { ...query, ...range });
  const toMs = Math.min(hoursToMs, range.toMs);
  const before = await closed.points({ ...query, fromMs: range.fromMs, toMs }, edition, (all) => seriesOf(sight, all));
  return toMs === range.toMs ? before : [...before, ...(await seriesOf(sight, { ...query, ...range, fromMs: toMs }))];
}

async function seriesOf(sight: Sight, query: SeriesQuery): Promise<SeriesPoint[]> {
  const { words } = sight;
  const perAgent = query.by === 'endpoint-agent';
  const sums = await sumUp(sight, {
    ...query,
    endpoints: query.endpoints,
    agents: query.agents,
    perAgent,
    withCells: query.quantiles.length > 0,
    keepsCells: true,
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

export async function counts(sight: Sight, query: CountsQuery): Promise<CountsPoint[]> {
  const { limit } = query;
  const { words } = sight;
  const perAgent = query.by !== 'endpoint';
  if (query.stepMs % MINUTE_MS !== 0) return rawCounts(sight, query, perAgent);
  const sums = await sumUp(sight, {
    ...query,
    ...aligned(query),
    metric: limit?.metric ?? null,
    agents: undefined,
    perAgent,
    withCells: limit !== undefined,
    keepsCells: false,
    limitBucket: limit ? signedBucketOf(limit.max) : 0,
  });
  return sums.map(({ atMs, endpoint, agent, verdicts: [ok, bad, unknown], within }) => {
    const good = limit ? within : ok;
    return {
      atMs,
      endpoint: words.word('endpoint', endpoint),
      agent: perAgent ? words.word('agent', agent) : null,
      good,
      bad: ok + bad - good,
      unknown,
    };
  });
}

/** Of points that are no whole minutes: samples are many, and no more is wanted of each than whether it is good. */
async function rawCounts({ connection, words }: Sight, query: CountsQuery, perAgent: boolean): Promise<CountsPoint[]> {
  const { stepMs, limit } = query;
  const where = filterSql(words, { ...query, ...aligned(query), agents: undefined });
  if (where === null) return [];
  const [OK, BAD, UNKNOWN] = VERDICTS.map((verdict) => sampleVerdict.options.indexOf(verdict)) as [
    number,
    number,
    number,
  ];
  const isWithin = limit
    ? `("${limit.metric}" IS NOT NULL AND ${bucketSql(`"${limit.metric}"`)} <= ${signedBucketOf(limit.max)})`
    : 'true';
  const of = (condition: string) => `(count(*) FILTER (${condition}))::DOUBLE`;
  const sql = `SELECT floor(at_ms / ${stepMs}) AS point, endpoint::DOUBLE, ${perAgent ? 'agent' : '0'}::DOUBLE AS agent,
      ${of(`verdict = ${OK} AND ${isWithin}`)}, ${of(`verdict = ${BAD} OR (verdict = ${OK} AND NOT ${isWithin})`)}, ${of(`verdict = ${UNKNOWN}`)}
    FROM samples WHERE ${where} GROUP BY 1, 2, 3 ORDER BY 1`;
  const points: CountsPoint[] = [];
  await eachChunk(connection, sql, (columns) => {
    const [point, endpoint, agent, good, bad, unknown] = columns.leading(6);
    for (let i = 0; i < columns.count; i++)
      points.push({
        atMs: point[i]! * stepMs,
        endpoint: words.word('endpoint', endpoint[i]!),
        agent: perAgent ? words.word('agent', agent[i]!) : null,
        good: good[i]!,
        bad: bad[i]!,
        unknown: unknown[i]!,
      });
  });
  return points;
}

async function sumUp(sight: Sight, wanted: Wanted): Promise<Sum[]> {
  const { connection, words, fresh } = sight;
  const where = filterSql(words, wanted);
  if (where === null) return [];
  const metric = wanted.metric === null ? -1 : (words.find('metric', wanted.metric) ?? -1);
  const sums = new Sums(wanted);
  const { sql, isRolled } = source(sight, wanted, where);
  for (const from of sql)
    await eachChunk(
      connection,
      `SELECT at_ms, endpoint::DOUBLE, agent::DOUBLE, verdict::DOUBLE, metric::DOUBLE, n::DOUBLE, total, low, high,
        ${wanted.withCells ? 'cells' : 'NULL'} FROM (${from}) WHERE metric IN (${TALLY}, ${metric})`,
      (columns) => sums.add(columns),
    );
  if (!isRolled) return sums.inOrder();
  for (const { agents, all } of fresh) {
    const parts = ofEachAgent(wanted) ? agents : all;
    sums.addParts(parts, wantedParts(words, wanted, metric, parts));
  }
  return sums.inOrder();
}

/** Whole points. */
function aligned({ fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number }) {
  return { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs: Math.ceil(toMs / stepMs) * stepMs };
}

const ofEachAgent = ({ perAgent, agents }: Wanted) => perAgent || agents !== undefined;

/**
 * The roll-up that knows enough and says least: hours as far as they are closed, minutes from there on; what is in neither is in
 * memory. Raw samples where a point is no whole minute.
 */
function source({ words, progress }: Sight, wanted: Wanted, where: string): { sql: string[]; isRolled: boolean } {
  const { stepMs, metric } = wanted;
  const perAgent = ofEachAgent(wanted);
  const level = levels.findLast((level) => stepMs % level.widthMs === 0 && level.perAgent === perAgent);
  if (!level) {
    const parts = partsOfSamples(stepMs, where, metric === null ? [] : [metric], words);
    return { sql: [gathered(widened(`(${parts})`, stepMs, wanted.perAgent))], isRolled: false };
  }
  const from = (table: string, more: string) => `SELECT ${ROLLUP} FROM ${table} WHERE ${where}${more}`;
  if (level.widthMs < HOUR_MS) return { sql: [from(level.table, '')], isRolled: true };
  const minutes = perAgent ? 'minutes' : 'minutes_all';
  const { hoursToMs } = progress;
  const sql = [
    ...(wanted.fromMs < hoursToMs ? [from(level.table, ` AND at_ms < ${hoursToMs}`)] : []),
    ...(wanted.toMs > hoursToMs ? [from(minutes, ` AND at_ms >= ${hoursToMs}`)] : []),
  ];
  return { sql, isRolled: true };
}

/** What of a table in memory is asked for. */
function wantedParts(words: Words, wanted: Wanted, metric: number, parts: PartTable): (part: number) => boolean {
  const { fromMs, toMs, endpoints, agents } = wanted;
  const kind = words.find('kind', wanted.kind);
  const ids = (dictionary: 'endpoint' | 'agent', names: readonly string[] | undefined) =>
    names && new Set(names.flatMap((name) => words.find(dictionary, name) ?? []));
  const [places, from] = [ids('endpoint', endpoints), ids('agent', agents)];
  const [fromMinute, toMinute] = [fromMs / MINUTE_MS, toMs / MINUTE_MS];
  const { code: codes, minute: minutes } = parts;
  return (part) => {
    const code = codes[part]!;
    const what = metricOf(code);
    if (kindOf(code) !== kind || (what !== TALLY && what !== metric)) return false;
    const minute = minutes[part]!;
    if (minute < fromMinute || minute >= toMinute) return false;
    return (places?.has(parts.endpoint[part]!) ?? true) && (from?.has(parts.agent[part]!) ?? true);
  };
}

/** Null when something is asked for that was never heard of. */
function filterSql(
  words: Words,
  { fromMs, toMs, kind, endpoints, agents }: Pick<Wanted, 'fromMs' | 'toMs' | 'kind' | 'endpoints' | 'agents'>,
): string | null {
  const kindId = words.find('kind', kind);
  const ids = (dictionary: 'endpoint' | 'agent', names: readonly string[]) =>
    names.flatMap((name) => words.find(dictionary, name) ?? []);
  const among = (dictionary: 'endpoint' | 'agent', names: readonly string[] | undefined) => {
    const wanted = names && new Set(ids(dictionary, names));
    if (!wanted) return '';
    // All that there are until now: nothing to look for in a list of a thousand.
    if (wanted.size > 0 && wanted.size === words.size(dictionary))
      return ` AND ${dictionary} <= ${Math.max(...wanted)}`;
    return ` AND ${amongSql(dictionary, [...wanted])}`;
  };
  if (kindId === undefined) return null;
  return `at_ms >= ${fromMs} AND at_ms < ${toMs} AND kind = ${kindId}${among('endpoint', endpoints)}${among('agent', agents)}`;
}

/** By bounds, too: these the engine looks at while it reads, a list only afterwards, when it has read every column. */
function amongSql(column: string, ids: readonly number[]): string {
  if (ids.length === 0) return 'false';
  const [least, most] = [Math.min(...ids), Math.max(...ids)];
  if (least === most) return `${column} = ${least}`;
  return `${column} >= ${least} AND ${column} <= ${most} AND ${column} IN (${ids.join(', ')})`;
}

/** Parts added up to points. */
class Sums {
  readonly #wanted: Wanted;
  readonly #points = new Map<number, Map<number, Sum>>();

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  add(columns: Columns): void {
    const { stepMs, withCells } = this.#wanted;
    const [at, endpoint, agent, verdict, metric, n, total, low, high] = columns.leading(9);
    const cells = withCells ? columns.cells(9) : null;
    for (let row = 0; row < columns.count; row++) {
      const sum = this.#at(Math.floor(at[row]! / stepMs), endpoint[row]!, agent[row]!);
      if (metric[row] === TALLY) {
        sum.verdicts[verdict[row]!]! += n[row]!;
        continue;
      }
      sum.n += n[row]!;
      sum.total += total[row]!;
      sum.low = Math.min(sum.low, low[row]!);
      sum.high = Math.max(sum.high, high[row]!);
      if (cells) this.#addCells(sum, cells, row, verdict[row] === 0);
    }
  }

  #addCells(sum: Sum, { entries, buckets, counts }: Cells, row: number, isGood: boolean): void {
    const { keepsCells, limitBucket } = this.#wanted;
    const from = entries[4 * row]!;
    const to = from + entries[4 * row + 2]!;
    for (let i = from; i < to; i++) {
      if (keepsCells) sum.cells.push(buckets[i]!, counts[i]!);
      if (isGood && buckets[i]! <= limitBucket) sum.within += counts[i]!;
    }
  }

  addParts(parts: PartTable, isWanted: (part: number) => boolean): void {
    const { stepMs, withCells } = this.#wanted;
    const sums: Sum[] = [];
    /** Place of the sum of each part that has values, from 1; no list with holes, which would be slow. */
    const places = new Int32Array(parts.size);
    for (let part = 0; part < parts.size; part++) {
      if (!isWanted(part)) continue;
      const point = Math.floor((parts.minute[part]! * MINUTE_MS) / stepMs);
      const sum = this.#at(point, parts.endpoint[part]!, parts.agent[part]!);
      if (metricOf(parts.code[part]!) === TALLY) {
        sum.verdicts[verdictOf(parts.code[part]!) as 0 | 1 | 2] += parts.n[part]!;
        continue;
      }
      sum.n += parts.n[part]!;
      sum.total += parts.total[part]!;
      sum.low = Math.min(sum.low, parts.low[part]!);
      sum.high = Math.max(sum.high, parts.high[part]!);
      places[part] = sums.push(sum);
    }
    if (withCells && sums.length > 0) this.#addCellsOf(parts, places, sums);
  }

  #addCellsOf(parts: PartTable, places: Int32Array, sums: readonly Sum[]): void {
    const { keepsCells, limitBucket } = this.#wanted;
    for (let cell = 0; cell < parts.cells; cell++) {
      const part = parts.cellPart[cell]!;
      const place = places[part]!;
      if (place === 0) continue;
      const sum = sums[place - 1]!;
      const bucket = parts.cellBucket[cell]!;
      const count = parts.cellCount[cell]!;
      if (keepsCells) sum.cells.push(bucket, count);
      if (bucket <= limitBucket && verdictOf(parts.code[part]!) === 0) sum.within += count;
    }
  }

  inOrder(): Sum[] {
    return [...this.#points].sort(([a], [b]) => a - b).flatMap(([, sums]) => [...sums.values()]);
  }

  #at(point: number, endpoint: number, agentOrAll: number): Sum {
    const { stepMs, perAgent } = this.#wanted;
    const agent = perAgent ? agentOrAll : 0;
    let sums = this.#points.get(point);
    if (!sums) this.#points.set(point, (sums = new Map()));
    // Numbers as keys, because there are hundreds of thousands of parts; ids of endpoints have 26 bits here, of agents 27.
    const key = agent * 2 ** 26 + endpoint;
    let sum = sums.get(key);
    if (!sum) {
      const atMs = point * stepMs;
      sum = {
        atMs,
        endpoint,
        agent,
        verdicts: [0, 0, 0],
        n: 0,
        total: 0,
        low: Infinity,
        high: -Infinity,
        cells: [],
        within: 0,
      };
      sums.set(key, sum);
    }
    return sum;
  }
}
