import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../../wire/io.ts';
import { GroupQueue } from '../group-queue.ts';
import type { Batch, Store } from '../store.ts';
import { knownKeys, writeBatches } from './append.ts';
import { changes } from './changes.ts';
import { ClosedHours } from './closed-hours.ts';
import { transaction, type Database } from './database.ts';
import { MINUTE_MS } from './cells-sql.ts';
import { Fresh, type Frozen } from './fresh.ts';
import { Journal, journalOf, type Promised } from './journal.ts';
import { hashOf, KeyFilter } from './key-filter.ts';
import { Pending } from './pending.ts';
import type { Retention } from '../retention.ts';
import type { Disk } from './room.ts';
import { dropExpired } from './retain.ts';
import { closeHours, hoursDue, NO_HOURS, progressOf, rollStates, writeMinutes } from './roll.ts';
import { eachChunk, firstRow, lastBatch } from './rows.ts';
import { Runs } from './runs.ts';
import { makeBuffers, type Buffers } from './sample-writer.ts';
import { Newest, newest, samples } from './samples.ts';
import { SCHEMA_VERSION, schema, upgrade } from './schema.ts';
import { counts, series, type Sight } from './series.ts';
import { Words } from './words.ts';

/** What has been promised goes into the tables when it is so much (two row groups of the engine): what small transactions would cost twice. */
const WRITE_ROWS = 245_760;
/** Beyond, batches wait until what has been promised is there. */
const MOST_PENDING = 750_000;
const MOST_OCTETS = 2 ** 28;
/** What the tables may need to take an octet of the journal: the engine's own log, and space to tidy up. */
const ROOM_FACTOR = 4;

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
 * The embedded store. What arrives is promised when the journal has it, in groups: whatever comes while one is being made durable goes
 * into the next. Sums know it from then on. Into the tables it comes much at once, or before somebody looks at samples themselves.
 * One step at a time writes samples or drops them; sums are written down beside these steps, into tables of their own. Readers have
 * connections of their own, and a state of their own for as long as they read.
 */
export class DuckStore implements Store {
  readonly about: string;
  readonly #database: Database;
  readonly #options: DuckStoreOptions;
  readonly #state: { words: Words; filter: KeyFilter; buffers: Buffers };
  readonly #journal: Journal;
  readonly #pending = new Pending();
  readonly #queue = new GroupQueue((batches) => this.#promise(batches));
  /** Steps that change tables, one after the other. They may wait for the queue; the queue never waits for them. */
  #steps: Promise<unknown> = Promise.resolve();
  /** One `maintain` after the other. */
  #maintenance: Promise<unknown> = Promise.resolve();
  /** What is being done to roll-ups beside the steps; never rejects. */
  #rolling: Promise<unknown> = Promise.resolve();
  #writing: Promise<void> | undefined;
  /** Rows that a step is moving into the tables. */
  #moving = 0;
  #nextNo = 1;
  readonly #fresh = new Fresh();
  readonly #closed = new ClosedHours();
  readonly #newest = new Newest();
  readonly #runs = new Runs();
  /** Something failed, and memory may know other things than the database. */
  #isStale = true;
  /** How often memory was made anew. */
  #loads = 0;
  /** When each part of `maintain` was done last. */
  readonly #doneMs = { rollUp: -Infinity, drop: -Infinity };

  private constructor(database: Database, journal: Journal, options: DuckStoreOptions) {
    this.#database = database;
    this.#journal = journal;
    this.#options = options;
    this.#state = { words: new Words(), filter: new KeyFilter(0), buffers: makeBuffers() };
    this.about = `embedded store (DuckDB) in ${database.path}`;
  }

  static async open(database: Database, options: DuckStoreOptions): Promise<DuckStore> {
    const { journal, found } = await Journal.open(journalOf(database.path));
    const store = new DuckStore(database, journal, options);
    await database.use(async (connection) => {
      await prepare(connection);
      await store.#recover(connection, found);
    });
    return store;
  }

  append: Store['append'] = async (batches) => {
    const free = (await this.#options.disk?.admit()) ?? Infinity;
    const { size } = this.#journal;
    if (size >= Math.min(free / ROOM_FACTOR, MOST_OCTETS)) await this.written();
    // With the first that have come into the tables there is room: who waits until all of them have leaves the next ones nothing to do.
    else if (this.#pending.rows >= MOST_PENDING)
      await Promise.race([this.written(), this.#pending.below(MOST_PENDING)]);
    return this.#queue.add(batches);
  };
  samples: Store['samples'] = (query) => this.#readTables((connection, words) => samples(connection, words, query));
  series: Store['series'] = (query) => this.#look(query, (sight) => series(sight, this.#closed, query));
  counts: Store['counts'] = (query) => this.#look(query, (sight) => counts(sight, query));
  changes: Store['changes'] = (query) => this.#readTables((connection, words) => changes(connection, words, query));
  latest: Store['latest'] = (sinceMs) =>
    this.#readTables((connection, words) => this.#newest.latest(connection, words, sinceMs));
  runs: Store['runs'] = (sinceMs) =>
    this.#readTables((connection, words) => this.#runs.runs(connection, words, sinceMs));
  newest: Store['newest'] = (query) => this.#readTables((connection, words) => newest(connection, words, query));

  maintain: Store['maintain'] = (nowMs, dropNowMs = nowMs) => {
    const turn = this.#maintenance.then(() => this.#maintain(nowMs, dropNowMs));
    this.#maintenance = turn.catch(() => {});
    return turn;
  };

  /** Resolves when all that has been promised is in the tables. */
  async written(): Promise<void> {
    if (this.#pending.rows === 0) return this.#settled();
    // Whoever comes after it has begun needs another one.
    this.#writing ??= this.#step(async () => {
      this.#writing = undefined;
      await this.#write(false);
    });
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    // What does not come into the tables now stays in the journal.
    await this.written().catch(() => {});
    await this.#maintenance;
    await this.#steps;
    await this.#journal.close();
  }

  /** After a failure: no answer before it is known what came of it. */
  async #settled(): Promise<void> {
    if (this.#isStale) await this.#queue.turn(() => this.#reload());
  }

  #step<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#steps.then(() => this.#settled()).then(work);
    this.#steps = turn.catch(() => {});
    return turn;
  }

  /** Reads roll-ups and what memory has beyond them. */
  async #look<T>({ stepMs }: { stepMs: number }, read: (sight: Sight) => Promise<T>): Promise<T> {
    if (stepMs % MINUTE_MS !== 0) await this.#shown();
    return this.#steady(async (connection) => {
      const progress = await progressOf(connection);
      const fresh = this.#fresh.since(progress.batch);
      // Null: between the two, memory has been written down.
      return fresh && { answer: await read({ connection, words: this.#state.words, progress, fresh }) };
    });
  }

  /** Reads samples themselves, of which memory has only sums. */
  async #readTables<T>(read: (connection: DuckDBConnection, words: Words) => Promise<T>): Promise<T> {
    await this.#shown();
    return this.#steady(async (connection) => ({ answer: await read(connection, this.#state.words) }));
  }

  /**
   * Reads until memory was the same all the while: made anew, it lacks for a moment what is in the journal alone, and words may get other
   * numbers. Null: to be read again.
   */
  async #steady<T>(read: (connection: DuckDBConnection) => Promise<{ answer: T } | null>): Promise<T> {
    for (;;) {
      await this.#settled();
      const loads = this.#loads;
      const found = await this.#read(read);
      if (found && loads === this.#loads) return found.answer;
    }
  }

  /** While the medium takes nothing, what it has is shown: alerts must go on. What is promised stays in the journal and in sums. */
  async #shown(): Promise<void> {
    await this.written().catch(() => this.#settled());
  }

  async #read<T>(read: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    try {
      return await this.#database.read(read);
    } catch (error) {
      await this.#database.mend(error);
      throw error;
    }
  }

  /** Between two groups, like all that changes what memory knows. */
  async #promise(batches: readonly Batch[]): Promise<('stored' | 'duplicate')[]> {
    if (this.#isStale) await this.#reload();
    const { words, filter } = this.#state;
    const taken = new Set(batches.map(({ key }) => key).filter((key) => this.#pending.has(key)));
    const known = await this.#database
      .use((connection) => knownKeys(connection, batches, filter))
      .catch(async (error: unknown) => {
        await this.#database.mend(error);
        throw error;
      });
    const receivedMs = this.#options.clock.wallMs();
    const promised: Promised[] = [];
    const results = batches.map((batch) => {
      if (taken.has(batch.key) || known.has(batch.key)) return 'duplicate' as const;
      taken.add(batch.key);
      // Numbers are never used twice, not even after a failure: it may have come after the point of no return.
      promised.push({ no: this.#nextNo++, receivedMs, batch });
      return 'stored' as const;
    });
    if (promised.length === 0) return results;
    await this.#journal.write(promised);
    this.#pending.add(promised);
    for (const { no, batch } of promised) {
      filter.add(hashOf(batch.key));
      this.#fresh.add(no, batch, words);
    }
    if (filter.full) await this.#database.use((connection) => this.#loadFilter(connection));
    if (this.#pending.rows - this.#moving >= WRITE_ROWS) void this.written().catch(() => {});
    return results;
  }

  /** What the journal has and the tables do not. */
  async #recover(connection: DuckDBConnection, found: readonly Promised[]): Promise<void> {
    const last = await lastBatch(connection);
    this.#nextNo = Math.max(last, found.at(-1)?.no ?? 0) + 1;
    await this.#loadFilter(connection);
    const rest = found.filter(({ no }) => no > last);
    const known = await knownKeys(
      connection,
      rest.map(({ batch }) => batch),
      this.#state.filter,
    );
    for (const promised of rest) {
      const { key } = promised.batch;
      // Refused because the disk did not take it for certain, and sent again.
      if (known.has(key) || this.#pending.has(key)) continue;
      this.#pending.add([promised]);
      this.#state.filter.add(hashOf(key));
    }
    await this.#load(connection);
  }

  /** Between two groups, while neither a step nor rolling up is at work: those that find memory stale wait for this. */
  async #reload(): Promise<void> {
    if (!this.#isStale) return;
    await this.#rolling;
    try {
      await this.#database.use((connection) => transaction(connection, () => this.#load(connection)));
    } catch (error) {
      await this.#database.mend(error);
      throw error;
    }
  }

  async #load(connection: DuckDBConnection): Promise<void> {
    this.#loads += 1;
    const { words } = this.#state;
    await words.load(connection);
    const { batch } = await progressOf(connection);
    const last = await lastBatch(connection);
    this.#pending.release(last);
    await this.#fresh.load(connection, words, batch, Math.max(batch, last));
    for (const { no, batch: promised } of this.#pending.batches) this.#fresh.add(no, promised, words);
    this.#isStale = false;
  }

  /** Moves into the tables what has been promised until now, and begins new sums if the ones until now are wanted. */
  async #write(freeze: boolean): Promise<Frozen | null> {
    const { batches, files, frozen } = await this.#queue.turn(async () => ({
      files: await this.#journal.turn(),
      batches: [...this.#pending.batches],
      frozen: freeze ? this.#fresh.freeze() : null,
    }));
    for (const some of slices(batches)) {
      this.#moving = some.reduce((sum, { batch }) => sum + batch.columns.count, 0);
      try {
        await this.#change((connection) => this.#move(connection, some));
      } finally {
        this.#moving = 0;
      }
    }
    await this.#journal.drop(files);
    return frozen;
  }

  async #move(connection: DuckDBConnection, batches: readonly Promised[]): Promise<void> {
    const { words } = this.#state;
    // COMMIT returns when the log is on the disk.
    await transaction(connection, () => writeBatches(connection, batches, this.#state));
    words.committed();
    this.#pending.release(batches.at(-1)!.no);
  }

  /** Words of a transaction that failed mean nothing; whether it did is known to the database alone. */
  async #change(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    try {
      await this.#database.use(work);
    } catch (error) {
      this.#isStale = true;
      await this.#database.mend(error);
      throw error;
    }
  }

  async #maintain(nowMs: number, dropNowMs: number): Promise<void> {
    const { rolling } = await this.#step(async () => {
      const frozen = await this.#write(this.#isDue(nowMs));
      return { rolling: this.#beside((connection) => this.#rollUp(connection, frozen, nowMs)) };
    });
    await rolling;
    // By how much, and not by how much later: the clock may have been set back.
    if (Math.abs(dropNowMs - this.#doneMs.drop) < DROP_EVERY_MS) return;
    const { retention } = this.#options;
    await this.#step(() =>
      this.#change((connection) => transaction(connection, () => dropExpired(connection, retention, dropNowMs))),
    );
    this.#newest.dropBefore(dropNowMs - retention.rawMs);
    this.#doneMs.drop = dropNowMs;
  }

  #isDue(nowMs: number): boolean {
    const { rows, parts } = this.#fresh.size;
    const sinceMs = nowMs - this.#doneMs.rollUp;
    return rows > 0 && (rows >= DUE_ROWS || parts >= DUE_PARTS || sinceMs >= DUE_MS || sinceMs < 0);
  }

  /**
   * Changes roll-ups, which no step writes: batches go on coming into the tables meanwhile. A failure leaves what readers add up as
   * right as it was; that the sums are begun anew is left to the next step.
   */
  async #beside(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    const done = this.#database.use(work);
    this.#rolling = done.catch(() => {});
    try {
      await done;
    } catch (error) {
      await this.#step(async () => {
        this.#isStale = true;
        await this.#database.mend(error);
      });
      throw error;
    }
  }

  /** Sums are written down, and let go when that is certain. */
  async #rollUp(connection: DuckDBConnection, frozen: Frozen | null, nowMs: number): Promise<void> {
    if (frozen) {
      const { generation, last } = frozen;
      await transaction(connection, async () => {
        await rollStates(connection, { after: generation.after, last }, nowMs);
        await writeMinutes(connection, generation, last);
      });
      this.#fresh.release();
      this.#doneMs.rollUp = nowMs;
    }
    const toMs = await hoursDue(connection, nowMs);
    if (toMs !== null) await transaction(connection, () => closeHours(connection, toMs));
  }

  async #loadFilter(connection: DuckDBConnection): Promise<void> {
    // Before the tables are read, which some of them may have reached by then.
    const pending = this.#pending.batches.map(({ batch }) => hashOf(batch.key));
    const [known = 0] = await firstRow(connection, 'SELECT count(*) FROM batches');
    const filter = new KeyFilter(2 * (known + pending.length));
    for (const hash of pending) filter.add(hash);
    await eachChunk(connection, 'SELECT hash FROM batches', (columns) =>
      columns.numbers(0).forEach((hash) => filter.add(hash)),
    );
    this.#state.filter = filter;
  }
}

/** As many as the engine gets at once: it keeps them in memory until it has written them. */
function slices(batches: readonly Promised[]): Promised[][] {
  const all: Promised[][] = [];
  let rows = Infinity;
  for (const promised of batches) {
    if (rows >= WRITE_ROWS) [rows] = [0, all.push([])];
    all.at(-1)!.push(promised);
    rows += promised.batch.columns.count;
  }
  return all;
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
