import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** The store is open in another process: nothing is broken, somebody else is at work. */
export class StoreBusyError extends Error {
  readonly holderPid: number | null;
  constructor(path: string, holder: string, holderPid: number | null) {
    super(`Cannot open "${path}": ${holder} has it open, and only one process at a time may`);
    this.name = 'StoreBusyError';
    this.holderPid = holderPid;
  }
}

export interface DatabaseOptions {
  memoryLimitMb: number;
  threads: number;
}

/** Files that this process has open: the lock of the engine keeps out other processes only, and two of it would write over each other. */
const openFiles = new Set<string>();

/** Readers at once; more of them wait. Writers do not. */
const READERS = 4;

/**
 * One database file, and connections to it, lent to one user at a time. After some errors of the medium the engine refuses all
 * further work until the file has been opened again: `mend` does that, and reads and writes go on.
 */
export class Database {
  readonly path: string;
  readonly #options: DatabaseOptions;
  #instance: DuckDBInstance | undefined;
  #idle: DuckDBConnection[] = [];
  readonly #inUse = new Set<Promise<unknown>>();
  #readers = 0;
  #waiting: (() => void)[] = [];
  #opening: Promise<void> | undefined;
  #isClosed = false;

  private constructor(path: string, options: DatabaseOptions) {
    this.path = path;
    this.#options = options;
  }

  static async open(path: string, options: DatabaseOptions): Promise<Database> {
    if (openFiles.has(path)) throw new StoreBusyError(path, 'this process', null);
    openFiles.add(path);
    const database = new Database(path, options);
    try {
      await database.#open();
    } catch (error) {
      openFiles.delete(path);
      throw error;
    }
    return database;
  }

  /** Lends a connection. One whose user failed is closed, which rolls back what it had begun. */
  async use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    await this.#ready();
    const done = this.#lend(work);
    this.#inUse.add(done);
    try {
      return await done;
    } finally {
      this.#inUse.delete(done);
    }
  }

  /** Lends a connection in a transaction: all that `work` asks sees the same state. */
  async read<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    while (this.#readers >= READERS) await new Promise<void>((free) => this.#waiting.push(free));
    this.#readers++;
    try {
      return await this.use((connection) => transaction(connection, () => work(connection)));
    } finally {
      this.#readers--;
      this.#waiting.shift()?.();
    }
  }

  /** To be called by whoever was refused: opens the file again if `failure` says that the engine has given up on it. */
  async mend(failure: unknown): Promise<void> {
    if (!/invalidated|FATAL/i.test(String(failure)) || this.#isClosed) return;
    this.#opening ??= this.#reopen().finally(() => (this.#opening = undefined));
    // Whether it could be opened is for the next user to see: there may be no space even for that.
    await this.#opening.catch(() => {});
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.#opening, ...this.#inUse]);
    this.#closeInstance();
    openFiles.delete(this.path);
  }

  async #ready(): Promise<void> {
    await this.#opening?.catch(() => {});
    if (this.#instance) return;
    if (this.#isClosed) throw new Error(`"${this.path}" is closed`);
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  async #lend<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.#instance!.connect());
    try {
      const result = await work(connection);
      this.#idle.push(connection);
      return result;
    } catch (error) {
      connection.closeSync();
      throw error;
    }
  }

  async #reopen(): Promise<void> {
    await Promise.allSettled(this.#inUse);
    this.#closeInstance();
    await this.#open();
  }

  #closeInstance(): void {
    // The file stays locked for as long as any connection to it is there.
    for (const connection of this.#idle) connection.closeSync();
    this.#idle = [];
    this.#instance?.closeSync();
    this.#instance = undefined;
  }

  async #open(): Promise<void> {
    const { memoryLimitMb, threads } = this.#options;
    try {
      this.#instance = await DuckDBInstance.create(this.path, {
        memory_limit: `${memoryLimitMb}MB`,
        threads: String(threads),
        // Pages of a query that does not fit go beside the database, and are gone with it.
        temp_directory: `${this.path}.tmp`,
        // What a crash leaves to be replayed: seconds.
        wal_autocheckpoint: '64MB',
        enable_external_access: 'true',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      });
    } catch (error) {
      throw busy(this.path, error) ?? error;
    }
  }
}

/** Runs `work` in a transaction; one that fails is rolled back with its connection. */
export async function transaction<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run('BEGIN');
  const result = await work();
  await connection.run('COMMIT');
  return result;
}

/** The engine says who holds the lock: `Conflicting lock is held in /usr/bin/node (PID 17) by user …`. */
function busy(path: string, error: unknown): StoreBusyError | null {
  const message = String(error);
  if (!/Could not set lock|Conflicting lock|being used by another process/i.test(message)) return null;
  const [, program, pid] = /lock is held in (.+?) \(PID (\d+)\)/.exec(message) ?? [];
  return new StoreBusyError(path, pid ? `process ${pid} (${program})` : 'another process', pid ? Number(pid) : null);
}
