import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleMetrics, sampleVerdict, type SampleKind } from '../../model/sample.ts';
import type { FileFormat, StoreInfo } from '../../model/store-report.ts';
import { columnsOf } from '../columns.ts';
import type { Documents } from '../documents.ts';
import { Database } from '../duckdb/database.ts';
import { DuckFiles } from '../duckdb/files.ts';
import { DuckStore } from '../duckdb/store.ts';
import type { ExportQuery, Imported, StoreFiles } from '../files.ts';
import type { Batch, Store } from '../store.ts';
import { pointSql, TALLY } from './cells-sql.ts';
import { countsSql, LedgerKeeper, LostLedgerError, takeOver, unknownRoll } from './ledger.ts';
import { sliceOf } from './append.ts';
import { formatOf, HOUR_MS, SLICE_MS } from './schema.ts';
import type { Server } from './server.ts';
import { float, quoted } from './sql.ts';
import { openBatches } from './tail.ts';

/** Samples that pass through memory at once, about. */
const ROWS_AT_ONCE = 50_000;
const FOREVER_MS = 1e14;

/** ClickHouse as files: the formats are the embedded engine's, so that a file of one store is a file of the other. */
export class ClickFiles implements StoreFiles {
  readonly #server: Server;
  readonly #store: Store;
  readonly #keeper: LedgerKeeper;

  readonly #documents: { count(): Promise<number> };

  constructor(server: Server, store: Store, documents: Documents & { count(): Promise<number> }) {
    this.#documents = documents;
    this.#server = server;
    this.#store = store;
    this.#keeper = new LedgerKeeper(documents, server.address.database);
  }

  exportTo(path: string, format: FileFormat, query: ExportQuery = {}): Promise<number> {
    return withScratch(async (database) => {
      const retention = { rawMs: FOREVER_MS, minutesMs: FOREVER_MS, hoursMs: FOREVER_MS };
      const scratch = await DuckStore.open(database, { retention, clock: { wallMs: () => 0 } });
      for await (const batches of this.#batches(query)) await scratch.append(batches);
      const samples = await new DuckFiles(database, scratch, () => scratch.written()).exportTo(path, format);
      await scratch.close();
      return samples;
    });
  }

  importFrom(path: string, format: FileFormat): Promise<Imported> {
    return withScratch((database) =>
      new DuckFiles(database, this.#store, () => Promise.resolve()).importFrom(path, format),
    );
  }

  async info(): Promise<StoreInfo> {
    const { urls, database } = this.#server.address;
    const { ledger } = await this.#keeper.read();
    const count = async (rest: string, what = 'count()') => (await this.#number(`toFloat64(${what})`, rest))[0] ?? 0;
    const samples = this.#server.name('samples');
    const [rows = 0, first = 0, last = 0] = await this.#number(
      'toFloat64(count()), min(at_ms), max(at_ms)',
      `${samples} FINAL`,
    );
    const iso = (ms: number) => (rows === 0 ? null : new Date(ms).toISOString());
    const rolled = async (table: string, upTo: number) =>
      count(`${this.#server.name(table)} WHERE ${countsSql(ledger, upTo)}`);
    return {
      path: `${urls.join(', ')}, database ${database}`,
      format: await formatOf(this.#server),
      bytes: await count(this.#parts(), 'sum(bytes_on_disk)'),
      samples: rows,
      batches: await count(this.#server.name('batches'), 'uniqExact(batch)'),
      notRolledUp: await count(openBatches(this.#server, ledger, true), 'sum(n)'),
      firstAt: iso(first),
      lastAt: iso(last),
      agents: await count(samples, 'uniqExact(agent)'),
      endpoints: await count(samples, 'uniqExact(endpoint)'),
      minutes: (await rolled('minutes', ledger.minutes.last)) + (await rolled('minutes_all', ledger.minutes.last)),
      hours: (await rolled('hours', ledger.hours.last)) + (await rolled('hours_all', ledger.hours.last)),
      documents: await this.#documents.count(),
    };
  }

  async check(): Promise<string[]> {
    const { ledger } = await this.#keeper.read();
    const faults: string[] = [];
    const unknown = await unknownRoll(this.#server, this.#keeper);
    if (unknown !== null) faults.push(new LostLedgerError(this.#server.address.database, unknown).message);
    const samples = this.#server.name('samples');
    const [oldest = 0] = await this.#number('toFloat64(min(slice))', samples);
    // Of batches whose first samples have expired, some are missing by right.
    const kept = `SELECT batch, toUInt64(any(n)) AS a, toUInt64(0) AS b FROM ${this.#server.name('batches')} WHERE floor(from_ms / ${SLICE_MS}) >= ${oldest} GROUP BY batch`;
    const there = `SELECT batch, toUInt64(0) AS a, toUInt64(count()) AS b FROM ${samples} FINAL GROUP BY batch`;
    const wrong = await this.#differing('batch', kept, there);
    if (wrong > 0) faults.push(`${wrong} batches with other samples than they came with`);
    // Of the first hour samples may have expired.
    const whole = `at_ms >= ${Math.floor((oldest * SLICE_MS) / HOUR_MS) * HOUR_MS + HOUR_MS}`;
    const picked = `SELECT batch FROM ${this.#server.name('picks')} WHERE ${countsSql(ledger, ledger.minutes.last)}`;
    const raw = `SELECT ${pointSql('at_ms', HOUR_MS)} AS hour, toUInt64(count()) AS a, toUInt64(0) AS b FROM ${samples} FINAL
      WHERE ${whole} AND batch GLOBAL IN (${picked}) GROUP BY hour`;
    for (const table of ['minutes', 'minutes_all']) {
      const rolled = `SELECT ${pointSql('at_ms', HOUR_MS)} AS hour, toUInt64(0) AS a, toUInt64(sum(n)) AS b FROM ${this.#server.name(table)}
        WHERE ${whole} AND metric = ${quoted(TALLY)} AND ${countsSql(ledger, ledger.minutes.last)} GROUP BY hour`;
      const others = await this.#differing('hour', raw, rolled);
      if (others > 0) faults.push(`${others} hours of which "${table}" counts other than the samples`);
    }
    return faults;
  }

  async repair(): Promise<string | null> {
    const highest = await takeOver(this.#server, this.#keeper);
    if (highest === null) return null;
    return `Roll-ups up to number ${highest} count no more; samples that are still kept are rolled up anew by the server`;
  }

  /** Whole batches in the order in which they were received, some at a time. */
  async *#batches(query: ExportQuery): AsyncGenerator<Batch[]> {
    const answer = await this.#server.ask(
      `SELECT batch, toFloat64(any(n)), min(from_ms), max(to_ms) FROM ${this.#server.name('batches')} WHERE n > 0
        GROUP BY batch ORDER BY min(received_ms), batch`,
    );
    const [n, from, to] = [1, 2, 3].map((i) => answer.numbers(i));
    const hashes = answer.numbers64(0);
    for (let i = 0; i < answer.rows;) {
      const these: bigint[] = [];
      let [rows, first, last] = [0, Infinity, -Infinity];
      for (; i < answer.rows && (these.length === 0 || rows + n![i]! <= ROWS_AT_ONCE) && these.length < 5000; i++) {
        these.push(hashes[i]!);
        rows += n![i]!;
        first = Math.min(first, from![i]!);
        last = Math.max(last, to![i]!);
      }
      yield await this.#samplesOf(these, first, last, query);
    }
  }

  async #samplesOf(hashes: readonly bigint[], firstMs: number, lastMs: number, query: ExportQuery): Promise<Batch[]> {
    const { fromMs = -Infinity, toMs = Infinity } = query;
    const named = (['endpoint', 'agent', 'kind'] as const).flatMap((column) =>
      query[column] === undefined ? [] : [`${column} = ${quoted(query[column])}`],
    );
    const where = [
      `slice >= ${sliceOf(firstMs)} AND slice <= ${sliceOf(lastMs)} AND batch IN (${hashes.join(', ')})`,
      `at_ms >= ${float(fromMs)} AND at_ms < ${float(toMs)}`,
      ...named,
    ];
    const metrics = sampleMetrics.map((metric) => `\`${metric}\``).join(', ');
    const answer = await this.#server.ask(
      `SELECT batch, toFloat64(row), at_ms, toFloat64(verdict), agent, endpoint, kind, outcome, state, detail, ${metrics}
        FROM ${this.#server.name('samples')} WHERE ${where.join(' AND ')} ORDER BY batch, row LIMIT 1 BY batch, row`,
    );
    const keys = await this.#server.ask(
      `SELECT batch, any(key) FROM ${this.#server.name('batches')} WHERE batch IN (${hashes.join(', ')}) GROUP BY batch`,
    );
    const keyOf = new Map(Array.from(keys.numbers64(0), (batch, i) => [batch, keys.texts(1)[i]!]));
    const batchOf = answer.numbers64(0);
    const [row, at, verdict] = [1, 2, 3].map((i) => answer.numbers(i));
    const [agent, endpoint, kind, outcome, state, detail] = [4, 5, 6, 7, 8, 9].map((i) => answer.texts(i));
    const values = sampleMetrics.map((metric, i) => ({ metric, column: answer.numbers(10 + i) }));
    const found = new Map<bigint, number[]>();
    batchOf.forEach((batch, i) => (found.get(batch) ?? found.set(batch, []).get(batch)!).push(i));
    return hashes.flatMap((batch) => {
      const places = found.get(batch);
      if (!places) return [];
      const samples = places.map((i) => ({
        atMs: at![i]!,
        endpoint: endpoint![i]!,
        kind: kind![i] as SampleKind,
        outcome: outcome![i] as 'answered',
        verdict: sampleVerdict.options[verdict![i]!]!,
        metrics: Object.fromEntries(
          values.flatMap(({ metric, column }) => (Number.isNaN(column[i]) ? [] : [[metric, column[i]!]])),
        ),
        state: state![i] ?? null,
        detail: detail![i] ?? null,
      }));
      return [
        {
          key: keyOf.get(batch)!,
          agent: agent![places[0]!]!,
          columns: columnsOf(samples),
          rows: places.map((i) => row![i]!),
        },
      ];
    });
  }

  /** Keys of which the first query counts some, and the second other ones. No join: old and new servers have no form of one in common. */
  async #differing(key: string, first: string, second: string): Promise<number> {
    const both = `SELECT ${key}, sum(a) AS wanted, sum(b) AS found FROM (${first} UNION ALL ${second}) GROUP BY ${key} HAVING wanted > 0 AND wanted != found`;
    const [count = 0] = await this.#number('toFloat64(count())', `(${both})`);
    return count;
  }

  async #number(what: string, from: string): Promise<number[]> {
    const answer = await this.#server.ask(`SELECT ${what} FROM ${from}`);
    return what.split(', ').map((_, i) => answer.numbers(i)[0] ?? 0);
  }

  /** One replica of each shard: what a copy of the data takes. */
  #parts(): string {
    const { cluster, database } = this.#server.address;
    const parts = cluster === null ? 'system.parts' : `cluster(${cluster}, system.parts)`;
    return `${parts} WHERE active AND database = ${quoted(database)}`;
  }
}

/** An embedded database that is gone afterwards, beside which nothing is kept. */
async function withScratch<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'inferpath-files-'));
  try {
    const database = await Database.open(join(folder, 'scratch.duckdb'), { memoryLimitMb: 512, threads: 2 });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
