import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../../wire/io.ts';
import { GroupQueue } from '../group-queue.ts';
import type { Batch, Store } from '../store.ts';
import { appendGroup, type AppendState } from './append.ts';
import { changes } from './changes.ts';
import { ClosedHours } from './closed-hours.ts';
import { transaction, type Database } from './database.ts';
import { Fresh } from './fresh.ts';
import { KeyFilter } from './key-filter.ts';
import type { Retention } from '../retention.ts';
import type { Disk } from './room.ts';
import { dropExpired } from './retain.ts';
import { closeHours, hoursDue, NO_HOURS, progressOf, rollStates, writeMinutes } from './roll.ts';
import { eachChunk, firstRow } from './rows.ts';
import { Runs } from './runs.ts';
import { makeBuffers } from './sample-writer.ts';
import { Newest, newest, samples } from './samples.ts';
import { SCHEMA_VERSION, schema, upgrade } from './schema.ts';
import { counts, series, type Sight } from './series.ts';
import { Words } from './words.ts';

/** What has been stored goes into the roll-ups when it is so much, or so old: what a crash leaves to be added up again. */
const DUE_ROWS = 3_000_000;
const DUE_PARTS = 500_000;
const DUE_MS = 60_000;

/** Dropping more often frees nothing: space comes back by whole row groups. */
const DROP_EVERY_MS = 600_000;

export interface DuckStoreOptions {
  retention: Retention;
  clock: Pick<Clock, 'wallMs'>;
  /** Absent for scratch that nobody waits for. */
  disk?: Pick<Disk, 'admit'>;
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
  readonly #queue = new GroupQueue((batches) => this.#append(batches));
  #maintaining: Promise<void> = Promise.resolve();
  #nextNo = 1;
  readonly #fresh = new Fresh();
  readonly #closed = new ClosedHours();
  readonly #newest = new Newest();
  readonly #runs = new Runs();
  /** Something failed, and memory may know other things than the database. */
  #isStale = true;
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
      await store.#load(connection);
      await store.#loadFilter(connection);
    });
    return store;
  }

  append: Store['append'] = (batches) => this.#queue.add(batches);
  samples: Store['samples'] = (query) => this.#read((connection) => samples(connection, this.#state.words, query));
  series: Store['series'] = (query) => this.#look((sight) => series(sight, this.#closed, query));
  counts: Store['counts'] = (query) => this.#look((sight) => counts(sight, query));
  changes: Store['changes'] = (query) => this.#read((connection) => changes(connection, this.#state.words, query));
  latest: Store['latest'] = (sinceMs) =>
    this.#read((connection) => this.#newest.latest(connection, this.#state.words, sinceMs));
  runs: Store['runs'] = (sinceMs) =>
    this.#read((connection) => this.#runs.runs(connection, this.#state.words, sinceMs));
  newest: Store['newest'] = (query) => this.#read((connection) => newest(connection, this.#state.words, query));

  async maintain(nowMs: number, dropNowMs = nowMs): Promise<void> {
    await this.#settled();
    const turn = this.#maintaining.then(() => this.#maintain(nowMs, dropNowMs));
    this.#maintaining = turn.catch(() => {});
    await turn;
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    await this.#maintaining;
  }

  /** After a failure: no answer before it is known what came of it. */
  async #settled(): Promise<void> {
    if (this.#isStale) await this.#queue.turn();
  }

  /** Reads roll-ups and what memory has beyond them. */
  async #look<T>(read: (sight: Sight) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#settled();
      const found = await this.#read(async (connection) => {
        const progress = await progressOf(connection);
        const fresh = this.#fresh.since(progress.batch);
        // Null: between the two, memory has been written down.
        return fresh && { answer: await read({ connection, words: this.#state.words, progress, fresh }) };
      });
      if (found) return found.answer;
    }
  }

  async #read<T>(read: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    try {
      return await this.#database.read(read);
    } catch (error) {
      await this.#database.mend(error);
      throw error;
    }
  }

  async #append(batches: readonly Batch[]): Promise<('stored' | 'duplicate')[]> {
    if (batches.length > 0) await this.#options.disk?.admit();
    // Numbers are never used twice, not even after a failure: it may have come after the point of no return.
    const firstNo = this.#nextNo;
    this.#nextNo += batches.length;
    const group = { batches, firstNo, receivedMs: this.#options.clock.wallMs() };
    try {
      // Whoever rolls up changes what would be loaded.
      if (this.#isStale) await this.#maintaining;
      return await this.#database.use(async (connection) => {
        if (this.#isStale) await transaction(connection, () => this.#load(connection));
        if (batches.length === 0) return [];
        const { words, filter } = this.#state;
        // COMMIT returns when the log is on the disk.
        const results = await transaction(connection, () => appendGroup(connection, group, this.#state));
        words.committed();
        const stored = batches.filter((_, i) => results[i] === 'stored');
        stored.forEach((batch, i) => this.#fresh.add(firstNo + i, batch, words));
        if (filter.full) await this.#loadFilter(connection);
        return results;
      });
    } catch (error) {
      // Words of a transaction that failed mean nothing; whether it did is known to the database alone.
      this.#isStale = true;
      await this.#database.mend(error);
      throw error;
    }
  }

  async #load(connection: DuckDBConnection): Promise<void> {
    const { words } = this.#state;
    await words.load(connection);
    const { batch } = await progressOf(connection);
    const [last = 0] = await firstRow(connection, 'SELECT coalesce(max(no), 0) FROM batches');
    await this.#fresh.load(connection, words, batch, Math.max(batch, last));
    this.#isStale = false;
  }

  async #maintain(nowMs: number, dropNowMs: number): Promise<void> {
    if (this.#isStale) return;
    try {
      await this.#database.use(async (connection) => {
        const { rows, parts } = this.#fresh.size;
        const sinceMs = nowMs - this.#doneMs.rollUp;
        if (rows > 0 && (rows >= DUE_ROWS || parts >= DUE_PARTS || sinceMs >= DUE_MS || sinceMs < 0)) {
          await this.#rollUp(connection, nowMs);
          this.#doneMs.rollUp = nowMs;
        }
        const toMs = await hoursDue(connection, nowMs);
        if (toMs !== null) await transaction(connection, () => closeHours(connection, toMs));
        // By how much, and not by how much later: the clock may have been set back.
        if (Math.abs(dropNowMs - this.#doneMs.drop) < DROP_EVERY_MS) return;
        await transaction(connection, () => dropExpired(connection, this.#options.retention, dropNowMs));
        this.#newest.dropBefore(dropNowMs - this.#options.retention.rawMs);
        this.#doneMs.drop = dropNowMs;
      });
    } catch (error) {
      this.#isStale = true;
      await this.#database.mend(error);
      throw error;
    }
  }

  /** Memory is written down, and let go when that is certain. */
  async #rollUp(connection: DuckDBConnection, nowMs: number): Promise<void> {
    const { generation, last } = this.#fresh.freeze();
    await transaction(connection, async () => {
      await rollStates(connection, { after: generation.after, last }, nowMs);
      await writeMinutes(connection, generation, last);
    });
    this.#fresh.release();
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
      await connection.run(`INSERT INTO progress VALUES (0, ${NO_HOURS}, 0)`);
    } else if (version > SCHEMA_VERSION) {
      throw new Error(
        `The store has format ${version}, and this version of inferpath knows up to ${SCHEMA_VERSION}: use a newer one`,
      );
    } else if (version < SCHEMA_VERSION) {
      for (const statement of upgrade) await connection.run(statement);
    }
  });
}
