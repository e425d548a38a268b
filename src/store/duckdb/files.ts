import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { outcome } from '../../model/outcome.ts';
import { sampleKind, sampleMetrics, sampleVerdict, type Sample, type SampleKind } from '../../model/sample.ts';
import { columnsOf } from '../columns.ts';
import type { FileFormat, StoreInfo } from '../../model/store-report.ts';
import type { ExportQuery, Imported, StoreFiles } from '../files.ts';
import type { Batch, Store } from '../store.ts';

import { HOUR_MS, TALLY } from './cells-sql.ts';
import type { Database } from './database.ts';
import { Columns, firstRow } from './rows.ts';

const outcomes: readonly string[] = outcome.options.map((option) => option.shape.kind.value);
const kinds: readonly string[] = sampleKind.options;
const metricColumns = sampleMetrics.map((metric) => `"${metric}"`).join(', ');
/** Columns that come from outside: to a spreadsheet they could be formulas. */
const texts = ['id', 'agent', 'endpoint', 'state', 'detail'];
const columnTypes = {
  ...Object.fromEntries(['id', 'at', ...texts.slice(1), 'kind', 'outcome', 'verdict'].map((name) => [name, 'VARCHAR'])),
  ...Object.fromEntries(['at_ms', ...sampleMetrics].map((name) => [name, 'DOUBLE'])),
};

/** Longest line that is read: a detail of a megabyte, in UTF-8, with its quotes doubled. */
const MAX_LINE = 10_000_000;

const writers: Record<FileFormat, string> = {
  parquet: 'FORMAT parquet, COMPRESSION zstd',
  // Quotes tell a text of no characters from none.
  csv: `FORMAT csv, HEADER, FORCE_QUOTE (${texts.join(', ')})`,
  jsonl: 'FORMAT json',
};

/** Samples to files and back, by the engine itself: what is larger than memory passes through. */
export class DuckFiles implements StoreFiles {
  readonly #database: Database;
  readonly #store: Pick<Store, 'append'>;
  readonly #written: () => Promise<void>;

  /** @param written resolves when what the tables will be asked for is in them */
  constructor(database: Database, store: Pick<Store, 'append'>, written: () => Promise<void>) {
    this.#written = written;
    this.#database = database;
    this.#store = store;
  }

  async exportTo(path: string, format: FileFormat, query: ExportQuery = {}): Promise<number> {
    await this.#written();
    return this.#database.use(async (connection) => {
      const columns = format === 'csv' ? `* REPLACE (${texts.map(guarded).join(', ')})` : '*';
      const sql = `COPY (SELECT ${columns} FROM (${exportSql(query)})) TO ${quoted(path)} (${writers[format]})`;
      return (await firstRow(connection, sql))[0] ?? 0;
    });
  }

  importFrom(path: string, format: FileFormat): Promise<Imported> {
    return this.#database.use(async (connection) => {
      const imported: Imported = { samples: 0, batches: 0, duplicates: 0 };
      for await (const batch of batchesOf(rowsOf(connection, importSql(path, format)))) {
        const [answer] = await this.#store.append([batch]);
        imported.batches++;
        if (answer === 'stored') imported.samples += batch.columns.count;
        else imported.duplicates++;
      }
      return imported;
    });
  }

  async info(): Promise<StoreInfo> {
    await this.#written();
    return this.#database.read(async (connection) => {
      const count = async (sql: string) => (await firstRow(connection, `SELECT count(*) FROM ${sql}`))[0] ?? 0;
      const [first, last] = await firstRow(connection, 'SELECT min(at_ms), max(at_ms) FROM samples');
      const samples = await count('samples');
      const iso = (ms: number | undefined) => (samples === 0 || ms === undefined ? null : new Date(ms).toISOString());
      return {
        path: this.#database.path,
        format: (await firstRow(connection, `SELECT value FROM facts WHERE name = 'schema'`))[0] ?? 0,
        bytes: (await sizeOf(this.#database.path)) + (await sizeOf(`${this.#database.path}.wal`)),
        samples,
        batches: await count('batches'),
        notRolledUp: await count('samples WHERE batch > (SELECT batch FROM progress)'),
        firstAt: iso(first),
        lastAt: iso(last),
        agents: await count(`words WHERE dictionary = 'agent'`),
        endpoints: await count(`words WHERE dictionary = 'endpoint'`),
        minutes: (await count('minutes')) + (await count('minutes_all')),
        hours: (await count('hours')) + (await count('hours_all')),
        documents: await count('(SELECT DISTINCT collection, id FROM documents)'),
      };
    });
  }

  async check(): Promise<string[]> {
    await this.#written();
    return this.#database.read(async (connection) => {
      const faults: string[] = [];
      for (const [about, sql] of checks) {
        const [found = 0] = await firstRow(connection, `SELECT count(*) FROM (${sql})`);
        if (found > 0) faults.push(`${found} ${about}`);
      }
      return faults;
    });
  }

  /** What may go wrong with it, opening it puts right. */
  repair(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** What must find nothing. Hours are compared from the second one on: of the first, samples may have expired. */
const checks: readonly (readonly [about: string, sql: string])[] = [
  ['samples that are there twice', 'SELECT batch, row FROM samples GROUP BY ALL HAVING count(*) > 1'],
  ['samples of no batch', 'SELECT 1 FROM samples WHERE batch NOT IN (SELECT no FROM batches)'],
  ['keys of batches that are there twice', 'SELECT key FROM batches GROUP BY key HAVING count(*) > 1'],
  [
    'batches with more samples than they came with',
    `SELECT no FROM batches JOIN (SELECT batch, count(*) AS n FROM samples GROUP BY batch) ON batch = no WHERE n > count`,
  ],
  [
    'names that are no names',
    `SELECT 1 FROM samples WHERE endpoint NOT IN (SELECT id FROM words WHERE dictionary = 'endpoint')
      OR agent NOT IN (SELECT id FROM words WHERE dictionary = 'agent')`,
  ],
  ...['hours', 'hours_all', 'minutes', 'minutes_all'].map(
    (table) =>
      [
        `hours of which "${table}" counts other than the samples`,
        `WITH raw AS (SELECT floor(at_ms / ${HOUR_MS}) AS hour, count(*) AS n FROM samples
            WHERE batch <= (SELECT batch FROM progress)${table.startsWith('hours') ? ' AND at_ms < (SELECT hours_to_ms FROM progress)' : ''} GROUP BY hour),
          rolled AS (SELECT floor(at_ms / ${HOUR_MS}) AS hour, sum(n) AS n FROM ${table} WHERE metric = ${TALLY} GROUP BY hour)
        SELECT hour FROM raw LEFT JOIN rolled USING (hour)
        WHERE hour > (SELECT min(hour) FROM raw) AND rolled.n IS DISTINCT FROM raw.n`,
      ] as const,
  ),
];

function exportSql({ fromMs = -Infinity, toMs = Infinity, endpoint, agent, kind }: ExportQuery): string {
  const word = (name: string) => `(SELECT id, word FROM words WHERE dictionary = '${name}')`;
  const is = (column: string, value: string | undefined) =>
    value === undefined ? '' : ` AND ${column}.word = ${quoted(value)}`;
  const bound = (ms: number) => `'${ms}'::DOUBLE`;
  return `SELECT key || '/' || row AS id,
      strftime(make_timestamp((at_ms * 1000)::BIGINT), '%Y-%m-%dT%H:%M:%S.%gZ') AS at, at_ms,
      agent.word AS agent, endpoint.word AS endpoint, kind.word AS kind, outcome.word AS outcome,
      list_extract([${sampleVerdict.options.map(quoted).join(', ')}], verdict + 1) AS verdict, ${metricColumns}, state, detail
    FROM samples JOIN batches ON no = batch
      JOIN ${word('agent')} AS agent ON agent.id = samples.agent JOIN ${word('endpoint')} AS endpoint ON endpoint.id = samples.endpoint
      JOIN ${word('kind')} AS kind ON kind.id = samples.kind JOIN ${word('outcome')} AS outcome ON outcome.id = samples.outcome
    WHERE at_ms >= ${bound(fromMs)} AND at_ms < ${bound(toMs)}${is('agent', agent)}${is('endpoint', endpoint)}${is('kind', kind)}`;
}

/** Rows of a file, those of one batch together. */
function importSql(path: string, format: FileFormat): string {
  const types = `{${Object.entries(csvOrder())
    .map(([name, type]) => `'${name}': '${type}'`)
    .join(', ')}}`;
  const file = quoted(path);
  const readers: Record<FileFormat, string> = {
    parquet: `read_parquet(${file})`,
    csv: `read_csv(${file}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '',
      allow_quoted_nulls = false, columns = ${types}, parallel = false, max_line_size = ${MAX_LINE}, buffer_size = ${2 * MAX_LINE})`,
    jsonl: `read_json(${file}, format = 'newline_delimited', columns = ${types}, maximum_object_size = ${MAX_LINE})`,
  };
  const text = (name: string) =>
    format === 'csv' ? `CASE WHEN ${name} LIKE '''%' THEN ${name}[2:] ELSE ${name} END` : name;
  return `SELECT regexp_extract(id, '(?s)^(.+)/([0-9]+)$', 1) AS key,
      TRY_CAST(regexp_extract(id, '(?s)^(.+)/([0-9]+)$', 2) AS DOUBLE) AS row, at_ms::DOUBLE,
      agent, endpoint, kind, outcome, verdict, state, detail, ${sampleMetrics.map((metric) => `"${metric}"::DOUBLE`).join(', ')}
    FROM (SELECT * REPLACE (${texts.map((name) => `${text(name)} AS ${name}`).join(', ')}) FROM ${readers[format]})
    ORDER BY key, row`;
}

/** Types of the columns, in the order of a file. */
function csvOrder(): Record<string, string> {
  const names = [
    'id',
    'at',
    'at_ms',
    'agent',
    'endpoint',
    'kind',
    'outcome',
    'verdict',
    ...sampleMetrics,
    'state',
    'detail',
  ];
  return Object.fromEntries(names.map((name) => [name, columnTypes[name]!]));
}

interface Row {
  key: string;
  row: number;
  agent: string;
  sample: Omit<Sample, 'id' | 'agent'>;
}

async function* rowsOf(connection: DuckDBConnection, sql: string): AsyncGenerator<Row> {
  const result = await connection.stream(sql);
  for (let line = 1; ;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) return;
    const columns = new Columns(chunk);
    const [key, agent, endpoint, kind, outcome, verdict, state, detail] = [0, 3, 4, 5, 6, 7, 8, 9].map((i) =>
      columns.texts(i),
    );
    const [row, atMs] = [columns.numbers(1), columns.numbers(2)];
    const values = sampleMetrics.map((metric, i) => ({ metric, column: columns.numbers(10 + i) }));
    for (let i = 0; i < columns.count; i++, line++) {
      const metrics: Sample['metrics'] = {};
      for (const { metric, column } of values) if (Number.isFinite(column[i])) metrics[metric] = column[i]!;
      const named = {
        key: key![i],
        agent: agent![i],
        endpoint: endpoint![i],
        kind: kind![i],
        outcome: outcome![i],
        verdict: verdict![i],
      };
      check(named, row[i]!, atMs[i]!);
      yield {
        key: named.key!,
        row: row[i]!,
        agent: named.agent!,
        sample: {
          atMs: atMs[i]!,
          endpoint: named.endpoint!,
          kind: named.kind as SampleKind,
          outcome: named.outcome as Sample['outcome'],
          verdict: named.verdict as Sample['verdict'],
          metrics,
          state: state![i] ?? null,
          detail: detail![i] ?? null,
        },
      };
    }
  }
}

function check(named: Record<string, string | null | undefined>, row: number, atMs: number): void {
  const wrong = (what: string, value: unknown) =>
    new RangeError(`Cannot import sample "${named['key']}/${row}": ${what} is ${JSON.stringify(value) ?? 'missing'}`);
  if (!named['key'] || named['key'].length > 200 || !Number.isInteger(row)) throw wrong('id', named['key']);
  if (!Number.isFinite(atMs)) throw wrong('at_ms', atMs);
  for (const name of ['agent', 'endpoint'] as const) if (named[name] == null) throw wrong(name, named[name]);
  if (!kinds.includes(named['kind'] ?? '')) throw wrong('kind', named['kind']);
  if (!outcomes.includes(named['outcome'] ?? '')) throw wrong('outcome', named['outcome']);
  if (!(sampleVerdict.options as readonly string[]).includes(named['verdict'] ?? ''))
    throw wrong('verdict', named['verdict']);
}

async function* batchesOf(rows: AsyncIterable<Row>): AsyncGenerator<Batch> {
  let open: Row[] = [];
  for await (const row of rows) {
    if (open.length > 0 && open[0]!.key !== row.key) {
      yield batchOf(open);
      open = [];
    }
    open.push(row);
  }
  if (open.length > 0) yield batchOf(open);
}

function batchOf(rows: readonly Row[]): Batch {
  const { key, agent } = rows[0]!;
  return { key, agent, columns: columnsOf(rows.map(({ sample }) => sample)), rows: rows.map(({ row }) => row) };
}

/** CSV only: an apostrophe before whatever a spreadsheet would calculate, and before an apostrophe, so that it can be taken off again. */
const guarded = (name: string) =>
  `CASE WHEN regexp_matches(${name}, '^[=+@\\t\\r''-]') THEN '''' || ${name} ELSE ${name} END AS ${name}`;

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
