import type { Clock } from '../wire/io.ts';
import type { ClickAddress } from './clickhouse/address.ts';
import { ClickFiles } from './clickhouse/files.ts';
import { LostLedgerError } from './clickhouse/ledger.ts';
import { ClickHouseError, Server } from './clickhouse/server.ts';
import { ClickStore } from './clickhouse/store.ts';
import type { Documents } from './documents.ts';
import { Database, StoreBusyError } from './duckdb/database.ts';
import { DuckDocuments } from './duckdb/documents.ts';
import { DuckFiles } from './duckdb/files.ts';
import { prepareFolder, storeFile } from './duckdb/folder.ts';
import type { Retention } from './retention.ts';
import { Disk, type Room } from './duckdb/room.ts';
import { DuckStore } from './duckdb/store.ts';
import type { StoreFiles } from './files.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;
const defaultRetention: Retention = { rawMs: 14 * DAY_MS, minutesMs: 90 * DAY_MS, hoursMs: 730 * DAY_MS };

interface Counted {
  count(): Promise<number>;
}

export interface OpenStoreOptions {
  /** How long each level is kept; default 14, 90 and 730 days. */
  retention?: Partial<Retention>;
  /** What the engine may use for its buffers, MB; default 512. */
  memoryLimitMb?: number;
  /** Threads of the engine; default 2. */
  threads?: number;
  /** What samples leave free on the disk of the folder, octets; default a twentieth of it, at most 256 MiB. */
  reserveBytes?: number;
  /** Samples in ClickHouse; without it in the folder. */
  clickhouse?: ClickAddress;
  /** Where servers of one ClickHouse database agree, in place of the folder. */
  documents?: Documents & Counted;
  /** Look at a ClickHouse database whose roll-ups the documents do not know; default `LostLedgerError`. */
  allowLostLedger?: boolean;
}

export interface OpenedStore {
  store: Store;
  documents: Documents;
  /** Export, import, and a look from beside. */
  files: StoreFiles;
  /** Of the disk that the samples are on; null where that is the business of other machines. */
  room(): Promise<Room | null>;
  close(): Promise<void>;
}

/**
 * Opens the embedded store of a data directory, which is made if need be; one process at a time (`StoreBusyError` names the
 * one that has it). `close` waits for what has been begun and closes both. Where samples and documents are elsewhere the directory is
 * not looked at, and the documents stay open.
 */
export async function openStore(
  folder: string,
  io: { clock: Pick<Clock, 'wallMs'> },
  options: OpenStoreOptions = {},
): Promise<OpenedStore> {
  const { memoryLimitMb = 512, threads = 2, clickhouse, allowLostLedger = false } = options;
  const retention = { ...defaultRetention, ...options.retention };
  if (clickhouse && options.documents) {
    const { documents } = options;
    return { ...(await openClickHouse(clickhouse, io, { retention, documents, allowLostLedger })), documents };
  }
  const database = await Database.open(await prepareFolder(folder), { memoryLimitMb, threads });
  try {
    const documents = await DuckDocuments.open(database);
    if (clickhouse) {
      const samples = await openClickHouse(clickhouse, io, { retention, documents, allowLostLedger });
      const close = async () => {
        await samples.close();
        await documents.close();
        await database.close();
      };
      return { ...samples, documents, close };
    }
    const disk = new Disk(folder, options.reserveBytes ?? null);
    const store = await DuckStore.open(database, { retention, clock: io.clock, disk });
    const close = async () => {
      await store.close();
      await documents.close();
      await database.close();
    };
    const files = new DuckFiles(database, store, () => store.written());
    return { store, documents, files, room: () => disk.room(), close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openClickHouse(
  address: ClickAddress,
  { clock }: { clock: Pick<Clock, 'wallMs'> },
  options: { retention: Retention; documents: Documents & Counted; allowLostLedger: boolean },
): Promise<Omit<OpenedStore, 'documents'>> {
  const server = await Server.open(address);
  try {
    const store = await ClickStore.open(server, { ...options, clock });
    const close = async () => {
      await store.close();
      await server.close();
    };
    const files = new ClickFiles(server, store, options.documents);
    return { store, files, room: () => Promise.resolve(null), close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

export { storeFile };

/** Whether a store could not be opened because ClickHouse did not answer, or refused. */
export function isClickHouseError(error: unknown): error is ClickHouseError {
  return error instanceof ClickHouseError;
}

/** Whether a database was refused because the documents are not those under which it was filled. */
export function isLedgerLost(error: unknown): error is LostLedgerError {
  return error instanceof LostLedgerError;
}

/** Whether a store could not be opened because another process has it open. */
export function isStoreBusy(error: unknown): error is StoreBusyError {
  return error instanceof StoreBusyError;
}
