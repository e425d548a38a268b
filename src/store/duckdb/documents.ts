import type { DuckDBConnection } from '@duckdb/node-api';
import { type Change as Asked, changesOf } from '../changes.ts';
import type { Document, Documents, Write } from '../documents.ts';
import { transaction, type Database } from './database.ts';
import { eachChunk, firstRow } from './rows.ts';

/** What the log says last of a document; the body as text, so that nobody can change it in passing. */
interface Entry {
  version: number;
  text: string;
}

type Change = { collection: string; id: string } & ({ entry: Entry } | { entry: null });

interface Waiting {
  changes: Asked[];
  resolve(done: boolean): void;
  reject(error: unknown): void;
}

/** Rows of the log that speak of what has been changed since, above which it is rewritten. */
const STALE_ROWS = 10_000;

/**
 * Documents as a log in the database, and in memory as the log has them last. Commits that wait for the same moment share one
 * transaction; each of them is decided after the one before it.
 */
export class DuckDocuments implements Documents {
  readonly about: string;
  readonly #database: Database;
  readonly #collections = new Map<string, Map<string, Entry>>();
  #isStale = true;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #seq = 0;
  #staleRows = 0;

  private constructor(database: Database) {
    this.#database = database;
    this.about = `embedded documents (DuckDB) in ${database.path}`;
  }

  static async open(database: Database): Promise<DuckDocuments> {
    const documents = new DuckDocuments(database);
    await database.use(async (connection) => {
      await connection.run(
        'CREATE TABLE IF NOT EXISTS documents(seq BIGINT, collection VARCHAR, id VARCHAR, version INTEGER, body VARCHAR)',
      );
      await documents.#load(connection);
      if (documents.#staleRows > 0) await documents.#compact(connection);
    });
    return documents;
  }

  async get(collection: string, id: string): Promise<Document | undefined> {
    await this.#fresh();
    const entry = this.#collections.get(collection)?.get(id);
    return entry && documentOf(collection, id, entry);
  }

  async list(collection: string): Promise<Document[]> {
    await this.#fresh();
    return [...(this.#collections.get(collection) ?? [])].map(([id, entry]) => documentOf(collection, id, entry));
  }

  async commit(writes: readonly Write[]): Promise<boolean> {
    return this.#enqueue(changesOf(writes));
  }

  async count(): Promise<number> {
    await this.#fresh();
    return [...this.#collections.values()].reduce((sum, { size }) => sum + size, 0);
  }

  async close(): Promise<void> {
    await this.#writing;
  }

  /** After a failure: no answer before it is known what came of it. */
  async #fresh(): Promise<void> {
    if (this.#isStale && !this.#writing) await this.#enqueue([]);
    else if (this.#isStale) await this.#writing;
  }

  #enqueue(changes: Waiting['changes']): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ changes, resolve, reject });
      this.#writing ??= this.#work().finally(() => (this.#writing = undefined));
    });
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0);
      try {
        const done = await this.#commit(group);
        group.forEach(({ resolve }, i) => resolve(done[i]!));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
  }

  async #commit(group: readonly Waiting[]): Promise<boolean[]> {
    try {
      return await this.#database.use(async (connection) => {
        if (this.#isStale) await this.#load(connection);
        const { done, changes } = this.#decide(group);
        if (changes.length === 0) return done;
        await transaction(connection, () => this.#write(connection, changes));
        for (const change of changes) this.#apply(change);
        // What has been committed stays committed, whether or not there is room to tidy up.
        if (this.#staleRows > STALE_ROWS) await this.#compact(connection).catch(() => {});
        return done;
      });
    } catch (error) {
      // Whether the last commit got through is known to the database alone.
      this.#isStale = true;
      await this.#database.mend(error);
      throw error;
    }
  }

  /** Which commits of a group succeed, each after those before it, and all that they change. */
  #decide(group: readonly Waiting[]): { done: boolean[]; changes: Change[] } {
    const begun = new Map<string, number>();
    const name = ({ collection, id }: Asked) => JSON.stringify([collection, id]);
    const versionOf = (asked: Asked) =>
      begun.get(name(asked)) ?? this.#collections.get(asked.collection)?.get(asked.id)?.version ?? 0;
    const accepted: Change[] = [];
    const done = group.map(({ changes: all }) => {
      if (all.some((asked) => versionOf(asked) !== asked.expected)) return false;
      for (const asked of all.filter(({ kind }) => kind !== 'check')) {
        const { collection, id, text, expected } = asked;
        const entry = text === null ? null : { version: expected + 1, text };
        begun.set(name(asked), entry?.version ?? 0);
        accepted.push({ collection, id, entry });
      }
      return true;
    });
    return { done, changes: accepted };
  }

  async #write(connection: DuckDBConnection, changes: readonly Change[]): Promise<void> {
    const rows = await connection.createAppender('documents');
    for (const { collection, id, entry } of changes) {
      rows.appendBigInt(BigInt(++this.#seq));
      rows.appendVarchar(collection);
      rows.appendVarchar(id);
      rows.appendInteger(entry?.version ?? 0);
      if (entry) rows.appendVarchar(entry.text);
      else rows.appendNull();
      rows.endRow();
    }
    rows.closeSync();
  }

  async #load(connection: DuckDBConnection): Promise<void> {
    this.#isStale = false;
    this.#collections.clear();
    this.#staleRows = 0;
    [this.#seq = 0] = await firstRow(connection, 'SELECT coalesce(max(seq), 0) FROM documents');
    const sql = 'SELECT version::DOUBLE, collection, id, body FROM documents ORDER BY seq';
    await eachChunk(connection, sql, (columns) => {
      const versions = columns.numbers(0);
      const [collections, ids, bodies] = [columns.texts(1), columns.texts(2), columns.texts(3)];
      versions.forEach((version, i) => {
        const text = bodies[i] ?? null;
        const entry = text === null ? null : { version, text };
        this.#apply({ collection: collections[i]!, id: ids[i]!, entry });
      });
    });
  }

  #apply({ collection, id, entry }: Change): void {
    let entries = this.#collections.get(collection);
    if (!entries) this.#collections.set(collection, (entries = new Map()));
    if (entries.has(id)) this.#staleRows++;
    if (entry) {
      entries.set(id, entry);
    } else {
      entries.delete(id);
      this.#staleRows++;
    }
  }

  async #compact(connection: DuckDBConnection): Promise<void> {
    await connection.run(`DELETE FROM documents
      WHERE body IS NULL OR seq NOT IN (SELECT max(seq) FROM documents GROUP BY collection, id)`);
    this.#staleRows = 0;
  }
}

const documentOf = (collection: string, id: string, { version, text }: Entry): Document => ({
  collection,
  id,
  version,
  body: JSON.parse(text) as unknown,
});
