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

/** Connections that readers share; more than these wait. */
const READERS = 4;

/**
 * One database file and the connections to it. After some errors of the medium (a full disk) the engine refuses all further
 * work until the file has been opened again: `mend` does that, and reads and writes go on.
 */
export class Database {
  readonly path: string;
  readonly #options: DatabaseOptions;
  #instance: DuckDBInstance | undefined;
  #idle: DuckDBConnection[] = [];
  #readers = 0;
  #waiting: (() => void)[] = [];
  #reading = new Set<Promise<unknown>>();
  #mending: Promise<void> | undefined;

  private constructor(path: string, options: DatabaseOptions) {
    this.path = path;
    this.#options = options;
  }

  static async open(path: string, options: DatabaseOptions): Promise<Database> {
    const database = new Database(path, options);
    await database.#open();
    return database;
  }

  /** A connection of its own, for a writer. */
  connect(): Promise<DuckDBConnection> {
    if (!this.#instance) throw new Error(`"${this.path}" is closed`);
    return this.#instance.connect();
  }

  /** Lends a connection in a transaction: all that `read` asks sees the same state. */
  async read<T>(read: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    await this.#mending;
    while (this.#readers >= READERS) await new Promise<void>((free) => this.#waiting.push(free));
    this.#readers++;
    const done = this.#lend(read);
    this.#reading.add(done);
    try {
      return await done;
    } finally {
      this.#reading.delete(done);
      this.#readers--;
      this.#waiting.shift()?.();
    }
  }

  async #lend<T>(read: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const instance = this.#instance;
    const connection = this.#idle.pop() ?? (await this.connect());
    try {
      await connection.run('BEGIN');
      const result = await read(connection);
      await connection.run('COMMIT');
      if (instance === this.#instance) this.#idle.push(connection);
      else connection.closeSync();
      return result;
    } catch (error) {
      // Whatever state it is in: the next reader gets a new one.
      connection.closeSync();
      throw error;
    }
  }

  /** Opens the file again if `failure` says that the engine has given up on it; true when it did. */
  async mend(failure: unknown): Promise<boolean> {
    if (!/invalidated|FATAL/i.test(String(failure))) return false;
    this.#mending ??= this.#reopen().finally(() => (this.#mending = undefined));
    await this.#mending;
    return true;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#reading);
    this.#closeInstance();
  }

  async #reopen(): Promise<void> {
    await Promise.allSettled(this.#reading);
    this.#closeInstance();
    await this.#open();
  }

  #closeInstance(): void {
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

/** The engine says who holds the lock: `Conflicting lock is held in /usr/bin/node (PID 17) by user …`. */
function busy(path: string, error: unknown): StoreBusyError | null {
  const message = String(error);
  if (!/Could not set lock|Conflicting lock|being used by another process/i.test(message)) return null;
  const [, program, pid] = /lock is held in (.+?) \(PID (\d+)\)/.exec(message) ?? [];
  return new StoreBusyError(path, pid ? `process ${pid} (${program})` : 'another process', pid ? Number(pid) : null);
}
