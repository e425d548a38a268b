import { join, resolve } from 'node:path';
import { isClickHouseError, isStoreBusy, type OpenedStore, openStore, storeFile } from '../store/open.ts';
import type { ZookeeperAddress } from '../store/zookeeper/address.ts';
import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';
import { connectDocuments } from './documents-place.ts';
import { storePlace } from './store-place.ts';

/** Where there is nothing to work on without what the folder of a server holds. */
export type NeedsFolder = 'in any store' | 'in the folder' | 'nowhere';

export interface StoreFlags {
  data: string;
  store?: string | undefined;
  documents?: ZookeeperAddress | undefined;
}

/**
 * Opens the store that --data, --store and --documents name.
 * @throws UsageError that says which of them is wrong, and for a folder that a server works on
 */
export async function openFlaggedStore(
  flags: StoreFlags,
  needs: NeedsFolder,
  io: Io,
): Promise<Pick<OpenedStore, 'store' | 'files' | 'close'>> {
  const place = await storePlace(flags.store, io);
  if (flags.documents && !place.clickhouse)
    throw new UsageError('--documents: found without --store; samples in the data folder have their documents there');
  const folder = join(resolve(io.cwd, flags.data), 'store');
  const needsFolder = needs === 'in any store' || (needs === 'in the folder' && !place.clickhouse);
  if (needsFolder && !flags.documents && !(await io.fs.exists(storeFile(folder))))
    throw new UsageError(
      `--data: there is no store in "${flags.data}"`,
      place.clickhouse
        ? 'which roll-ups count is in the data folder of the server (--data), or where --documents tells'
        : 'it is made by inferpath up, serve or store import',
    );
  const documents = flags.documents && (await connectDocuments(flags.documents, io));
  try {
    const options = { ...place, allowLostLedger: true, ...(documents && { documents }) };
    const { store, files, close } = await openStore(folder, io, options).catch(refuse);
    const closeBoth = async () => {
      await close();
      await documents?.close();
    };
    return { store, files, close: closeBoth };
  } catch (error) {
    await documents?.close();
    throw error;
  }
}

function refuse(error: unknown): never {
  if (isClickHouseError(error)) throw new UsageError(`--store: ${error.message}`);
  if (!isStoreBusy(error)) throw error;
  throw new UsageError(error.message, 'stop the server first, or ask it over its HTTP API');
}
