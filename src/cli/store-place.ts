import * as z from 'zod';
import { type ClickAddress, isClickAddress, readClickAddress } from '../store/clickhouse/address.ts';
import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';

const VARIABLE = 'INFERPATH_STORE';

/** Where samples are, for every command that opens a store. */
export const storeFlag = {
  schema: z.string().min(1).optional(),
  about: `Samples in ClickHouse: clickhouse://user@host:8123/database?cluster=name; default the variable ${VARIABLE}, or else the data folder.`,
  value: 'URL',
};

/** @throws UsageError for what is no address */
export async function storePlace(flag: string | undefined, io: Io): Promise<{ clickhouse?: ClickAddress }> {
  const told = flag ?? io.env[VARIABLE];
  if (told === undefined || told === '') return {};
  const where = flag === undefined ? VARIABLE : '--store';
  const hint = 'clickhouse://user@host:8123/database, with ?cluster=name for a cluster';
  if (!isClickAddress(told)) throw new UsageError(`${where}: found "${told}"`, `allowed: ${hint}`);
  try {
    return { clickhouse: await readClickAddress(told, io) };
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${where}: ${error.message}`);
    throw error;
  }
}
