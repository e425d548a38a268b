import type { Clock } from '../wire/io.ts';
import type { Documents } from './documents.ts';
import { Database, StoreBusyError } from './duckdb/database.ts';
import { DuckDocuments } from './duckdb/documents.ts';
import { DuckFiles } from './duckdb/files.ts';
import { prepareFolder, storeFile } from './duckdb/folder.ts';
import type { Retention } from './retention.ts';
import { DuckStore } from './duckdb/store.ts';
import type { StoreFiles } from './files.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;
const defaultRetention: Retention = { rawMs: 14 * DAY_MS, minutesMs: 90 * DAY_MS, hoursMs: 730 * DAY_MS };

export interface OpenStoreOptions {
  /** How long each level is kept; default 14, 90 and 730 days. */
  retention?: Partial<Retention>;
  /** What the engine may use for its buffers, MB; default 512. */
  memoryLimitMb?: number;
  /** Threads of the engine; default 2. */
  threads?: number;
}

export interface OpenedStore {
  store: Store;
  documents: Documents;
  /** Export, import, and a look from beside. */
  files: StoreFiles;
  close(): Promise<void>;
}

/**
 * Opens the embedded store of a data directory, which is made if need be; one process at a time (`StoreBusyError` names the
 * one that has it). `close` waits for what has been begun and closes both.
 */
export async function openStore(
  folder: string,
  io: { clock: Pick<Clock, 'wallMs'> },
  options: OpenStoreOptions = {},
): Promise<OpenedStore> {
  const { memoryLimitMb = 512, threads = 2 } = options;
  const database = await Database.open(await prepareFolder(folder), { memoryLimitMb, threads });
  try {
    const retention = { ...defaultRetention, ...options.retention };
    const store = await DuckStore.open(database, { retention, clock: io.clock });
    const documents = await DuckDocuments.open(database);
    const close = async () => {
      await store.close();
      await documents.close();
      await database.close();
    };
    return { store, documents, files: new DuckFiles(database, store), close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

export { storeFile };

/** Whether a store could not be opened because another process has it open. */
export function isStoreBusy(error: unknown): error is StoreBusyError {
  return error instanceof StoreBusyError;
}
