import type { DuckDBConnection } from '@duckdb/node-api';
import { sampleMetrics, sampleVerdict, type Sample, type SampleKind } from '../../model/sample.ts';
import type { NewestQuery, SamplePage, SampleQuery } from '../store.ts';
import { eachChunk, firstRow, type Columns } from './rows.ts';
import type { Words } from './words.ts';

const metricColumns = sampleMetrics.map((metric) => `"${metric}"`).join(', ');

/** Columns of a sample, in the order in which `read` takes them. */
const sampleSql = (detail: string) =>
  `at_ms, batch::DOUBLE AS batch, row::DOUBLE AS row, endpoint::DOUBLE, agent::DOUBLE, kind::DOUBLE, outcome::DOUBLE, verdict::DOUBLE, state, ${detail}, ${metricColumns}`;

export async function samples(connection: DuckDBConnection, words: Words, query: SampleQuery): Promise<SamplePage> {
  const where = whereSql(words, query);
  if (where === null) return { samples: [], next: null };
  const order = query.order === 'newest' ? 'DESC' : 'ASC';
  const limit = Math.max(1, Math.floor(query.limit));
  // One more than asked for says whether there is a next page.
  const found = await readSamples(
    connection,
    words,
    `FROM samples WHERE ${where} ORDER BY at_ms ${order}, batch ${order}, row ${order} LIMIT ${limit + 1}`,
    query.columnsOnly ? 'NULL' : 'detail',
  );
  const page = found.slice(0, limit);
  return { samples: page.map(({ sample }) => sample), next: found.length > limit ? placeOf(page.at(-1)!) : null };
}

/**
 * The newest sample of each endpoint, agent and kind: what was found the last time, and what came since. An evaluation asks every
 * few seconds for a day, and must not look through all of it each time.
 */
export class Newest {
  #sinceMs = Infinity;
  #batch = 0;
  #samples = new Map<string, Sample>();
  /** None is older. */
  #oldestMs = Infinity;
  #turn: Promise<unknown> = Promise.resolve();

  /** To be called when samples have been dropped: newer ones stay the newest. */
  dropBefore(ms: number): void {
    for (const [key, { atMs }] of this.#samples) if (atMs < ms) this.#samples.delete(key);
  }

  /** One after the other, or two that ask for different times would take each other's away. */
  latest(connection: DuckDBConnection, words: Words, sinceMs: number): Promise<Sample[]> {
    const turn = this.#turn.then(() => this.#latest(connection, words, sinceMs));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #latest(connection: DuckDBConnection, words: Words, sinceMs: number): Promise<Sample[]> {
    if (sinceMs < this.#sinceMs) {
      this.#batch = 0;
      this.#samples = new Map();
    }
    const samples = this.#samples;
    const [last = 0, count = 0] = await firstRow(
      connection,
      `SELECT coalesce(max(no), 0), coalesce(sum("count") FILTER (no > ${this.#batch}), 0) FROM batches`,
    );
    const where = `batch > ${this.#batch} AND batch <= ${last} AND at_ms >= ${sinceMs}`;
    const newest = `rowid IN (SELECT arg_max(rowid, at_ms) FROM samples WHERE ${where} GROUP BY endpoint, agent, kind)`;
    // Of few that have just come, nearly all are the newest. Otherwise first which rows, then these.
    const isFew = count <= 2 * samples.size;
    const found = await readSamples(
      connection,
      words,
      `FROM samples WHERE ${where}${isFew ? '' : ` AND ${newest}`}`,
      'detail',
    );
    for (const { sample } of found) {
      const key = `${sample.kind} ${sample.endpoint} ${sample.agent}`;
      const known = samples.get(key);
      if (known && known.atMs > sample.atMs) continue;
      samples.set(key, sample);
      this.#oldestMs = Math.min(this.#oldestMs, sample.atMs);
    }
    if (this.#oldestMs < sinceMs) this.#forget(sinceMs);
    this.#sinceMs = sinceMs;
    this.#batch = last;
    return [...samples.values()];
  }

  #forget(sinceMs: number): void {
    this.#oldestMs = Infinity;
    for (const [key, { atMs }] of this.#samples)
      if (atMs < sinceMs) this.#samples.delete(key);
      else this.#oldestMs = Math.min(this.#oldestMs, atMs);
  }
}

/** The newest samples of each endpoint and kind, oldest first: first which rows, then these. */
export async function newest(
  connection: DuckDBConnection,
  words: Words,
  { fromMs, toMs, kinds, limit }: NewestQuery,
): Promise<Sample[]> {
  const ids = kinds.flatMap((kind) => words.find('kind', kind) ?? []);
  if (ids.length === 0) return [];
  const where = `at_ms >= ${fromMs} AND at_ms < ${toMs} AND kind IN (${ids.join(', ')})`;
  const rows = `SELECT unnest(arg_max(rowid, at_ms, ${Math.max(1, Math.floor(limit))})) FROM samples WHERE ${where} GROUP BY endpoint, kind`;
  const found = await readSamples(
    connection,
    words,
    `FROM samples WHERE ${where} AND rowid IN (${rows}) ORDER BY at_ms`,
    'detail',
  );
  return found.map(({ sample }) => sample);
}

/** A sample and where it stands. */
interface Row {
  sample: Sample;
  batch: number;
  row: number;
}

const placeOf = ({ sample, batch, row }: Row) => `${sample.atMs}:${batch}:${row}`;

async function readSamples(connection: DuckDBConnection, words: Words, from: string, detail: string): Promise<Row[]> {
  const rows: Row[] = [];
  await eachChunk(connection, `SELECT ${sampleSql(detail)} ${from}`, (columns) => read(columns, words, rows));
  const keys = await keysOf(connection, new Set(rows.map(({ batch }) => batch)));
  for (const { sample, batch, row } of rows) sample.id = `${keys.get(batch)}/${row}`;
  return rows;
}

function read(columns: Columns, words: Words, rows: Row[]): void {
  const [at, batch, row, endpoint, agent, kind, outcome, verdict] = columns.leading(8);
  const state = columns.texts(8);
  const detail = columns.texts(9);
  const values = sampleMetrics.map((metric, i) => ({ metric, column: columns.numbers(10 + i) }));
  for (let i = 0; i < columns.count; i++) {
    const metrics: Sample['metrics'] = {};
    for (const { metric, column } of values) if (!Number.isNaN(column[i])) metrics[metric] = column[i]!;
    const sample: Sample = {
      id: '',
      atMs: at[i]!,
      agent: words.word('agent', agent[i]!),
      endpoint: words.word('endpoint', endpoint[i]!),
      kind: words.word('kind', kind[i]!) as SampleKind,
      outcome: words.word('outcome', outcome[i]!) as Sample['outcome'],
      verdict: sampleVerdict.options[verdict[i]!]!,
      metrics,
      state: state[i] ?? null,
      detail: detail[i] ?? null,
    };
    rows.push({ sample, batch: batch[i]!, row: row[i]! });
  }
}

async function keysOf(connection: DuckDBConnection, batches: Set<number>): Promise<Map<number, string>> {
  const keys = new Map<number, string>();
  if (batches.size === 0) return keys;
  const sql = `SELECT no::DOUBLE, key FROM batches WHERE no IN (${[...batches].join(', ')})`;
  await eachChunk(connection, sql, (columns) => {
    const names = columns.texts(1);
    columns.numbers(0).forEach((no, i) => keys.set(no, names[i]!));
  });
  return keys;
}

/** Null when something is asked for that was never heard of. */
function whereSql(words: Words, query: SampleQuery): string | null {
  const parts = [`at_ms >= ${query.fromMs}`, `at_ms < ${query.toMs}`];
  for (const dictionary of ['endpoint', 'agent', 'kind'] as const) {
    const word = query[dictionary];
    if (word === undefined) continue;
    const id = words.find(dictionary, word);
    if (id === undefined) return null;
    parts.push(`${dictionary} = ${id}`);
  }
  if (query.after !== undefined) parts.push(afterSql(query.after, query.order === 'newest' ? '<' : '>'));
  return parts.join(' AND ');
}

function afterSql(after: string, sign: '<' | '>'): string {
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?:\d+:\d+$/.test(after))
    throw new RangeError(`"${after}" is no place in a list of samples`);
  const [at, batch, row] = after.split(':').map(Number);
  // Also as a plain bound of the time, by which the engine can skip.
  return `at_ms ${sign}= ${at} AND (at_ms, batch, row) ${sign} (${at}::DOUBLE, ${batch}::BIGINT, ${row}::INTEGER)`;
}
