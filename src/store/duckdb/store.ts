import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../../wire/io.ts';
import { faultOfColumns } from '../columns.ts';
import type { Batch, Store } from '../store.ts';
import { appendGroup, type AppendState } from './append.ts';
import { changes } from './changes.ts';
import { transaction, type Database } from './database.ts';
import { KeyFilter } from './key-filter.ts';
import { dropExpired, type Retention } from './retain.ts';
import { isDue, rollUp } from './roll.ts';
import { eachChunk, firstRow } from './rows.ts';
import { makeBuffers } from './sample-writer.ts';
import { latest, samples } from './samples.ts';
import { SCHEMA_VERSION, schema } from './schema.ts';
import { counts, series } from './series.ts';
import { Words } from './words.ts';

/** Rows that go into one transaction; more wait for the next. */
const GROUP_ROWS = 100_000;

/** Dropping more often frees nothing: space comes back by whole row groups. */
const DROP_EVERY_MS = 600_000;

interface Waiting {
  batches: readonly Batch[];
  resolve(results: ('stored' | 'duplicate')[]): void;
  reject(error: unknown): void;
}

export interface DuckStoreOptions {
  retention: Retention;
  clock: Pick<Clock, 'wallMs'>;
}

/**
 * The embedded store. One connection writes, in groups: whatever arrives while a group is being made durable goes into the
 * next. Another one rolls up and drops; readers have connections of their own, and a state of their own for as long as they read.
 */
export class DuckStore implements Store {
  readonly about: string;
  readonly #database: Database;
  readonly #options: DuckStoreOptions;
  readonly #state: AppendState;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #maintaining: Promise<void> = Promise.resolve();
  #nextNo = 1;
  #wordsAreStale = false;
  /** When each part of `maintain` was done last. */
  readonly #doneMs = { rollUp: -Infinity, drop: -Infinity };

  private constructor(database: Database, options: DuckStoreOptions) {
    this.#database = database;
    this.#options = options;
    this.#state = { words: new Words(), filter: new KeyFilter(0), buffers: makeBuffers() };
    this.about = `embedded store (DuckDB) in ${database.path}`;
  }

  static async open(database: Database, options: DuckStoreOptions): Promise<DuckStore> {
    const store = new DuckStore(database, options);
    await database.use(async (connection) => {
      await prepare(connection);
      const [last = 0] = await firstRow(connection, 'SELECT coalesce(max(no), 0) FROM batches');
      store.#nextNo = last + 1;
      await store.#state.words.load(connection);
      await store.#loadFilter(connection);
    });
    return store;
  }

  async append(batches: readonly Batch[]): Promise<('stored' | 'duplicate')[]> {
    for (const { key, columns } of batches) {
      const fault = faultOfColumns(columns);
      if (fault) throw new RangeError(`Cannot store batch "${key}": ${fault}`);
    }
    if (batches.length === 0) return [];
    return new Promise((resolve, reject) => {
      this.#queue.push({ batches, resolve, reject });
      this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    });
  }

  samples: Store['samples'] = (query) => this.#read((connection) => samples(connection, this.#state.words, query));
  series: Store['series'] = (query) => this.#read((connection) => series(connection, this.#state.words, query));
  counts: Store['counts'] = (query) => this.#read((connection) => counts(connection, this.#state.words, query));
  changes: Store['changes'] = (query) => this.#read((connection) => changes(connection, this.#state.words, query));
  latest: Store['latest'] = (sinceMs) => this.#read((connection) => latest(connection, this.#state.words, sinceMs));

  async maintain(nowMs: number): Promise<void> {
    const turn = this.#maintaining.then(() => this.#maintain(nowMs));
    this.#maintaining = turn.catch(() => {});
    await turn;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#maintaining;
  }

  async #read<T>(read: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    try {
      return await this.#database.read(read);
    } catch (error) {
      await this.#database.mend(error);
      throw error;
    }
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      try {
        const results = await this.#append(group.flatMap(({ batches }) => batches));
        for (const { batches, resolve } of group) resolve(results.splice(0, batches.length));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
  }

  #nextGroup(): Waiting[] {
    let rows = 0;
    const full = this.#queue.findIndex(({ batches }) => {
      rows += batches.reduce((sum, { columns }) => sum + columns.count, 0);
      return rows > GROUP_ROWS;
    });
    return this.#queue.splice(0, full === -1 ? this.#queue.length : Math.max(1, full));
  }

  async #append(batches: readonly Batch[]): Promise<('stored' | 'duplicate')[]> {
    // Numbers are never used twice, not even after a failure: it may have come after the point of no return.
    const firstNo = this.#nextNo;
    this.#nextNo += batches.length;
    const group = { batches, firstNo, receivedMs: this.#options.clock.wallMs() };
    try {
      return await this.#database.use(async (connection) => {
        if (this.#wordsAreStale) await this.#state.words.load(connection);
        this.#wordsAreStale = false;
        // COMMIT returns when the log is on the disk.
        const results = await transaction(connection, () => appendGroup(connection, group, this.#state));
        this.#state.words.committed();
        if (this.#state.filter.full) await this.#loadFilter(connection);
        return results;
      });
    } catch (error) {
      await this.#database.mend(error);
      // Words of a transaction that failed mean nothing; whether it did is known to the database alone.
      this.#wordsAreStale = true;
      throw error;
    }
  }

  async #maintain(nowMs: number): Promise<void> {
    const { words } = this.#state;
    try {
      await this.#database.use(async (connection) => {
        if (await isDue(connection, nowMs - this.#doneMs.rollUp)) {
          await transaction(connection, () => rollUp(connection, words, nowMs));
          this.#doneMs.rollUp = nowMs;
        }
        if (nowMs - this.#doneMs.drop < DROP_EVERY_MS) return;
        await transaction(connection, () => dropExpired(connection, this.#options.retention, nowMs));
        this.#doneMs.drop = nowMs;
      });
    } catch (error) {
      await this.#database.mend(error);
      throw error;
    }
  }

  async #loadFilter(connection: DuckDBConnection): Promise<void> {
    const [known = 0] = await firstRow(connection, 'SELECT count(*) FROM batches');
    const filter = new KeyFilter(2 * known);
    await eachChunk(connection, 'SELECT hash FROM batches', (columns) =>
      columns.numbers(0).forEach((hash) => filter.add(hash)),
    );
    this.#state.filter = filter;
  }
}

/** Makes the tables of an empty file, and refuses those of a newer version. */
async function prepare(connection: DuckDBConnection): Promise<void> {
  await transaction(connection, async () => {
    for (const statement of schema) await connection.run(statement);
    const [version] = await firstRow(connection, `SELECT value FROM facts WHERE name = 'schema'`);
    if (version === undefined) {
      await connection.run(`INSERT INTO facts VALUES ('schema', ${SCHEMA_VERSION})`);
      await connection.run('INSERT INTO progress VALUES (0)');
    } else if (version > SCHEMA_VERSION) {
      throw new Error(
        `The store has format ${version}, and this version of inferpath knows up to ${SCHEMA_VERSION}: use a newer one`,
      );
    }
  });
}
