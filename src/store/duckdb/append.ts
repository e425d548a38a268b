import type { DuckDBConnection } from '@duckdb/node-api';
import type { Batch } from '../store.ts';
import { hashOf, type KeyFilter } from './key-filter.ts';
import { SampleWriter, type Buffers } from './sample-writer.ts';
import type { Words } from './words.ts';

export interface Group {
  batches: readonly Batch[];
  /** Number of the first one that is stored. */
  firstNo: number;
  receivedMs: number;
}

export interface AppendState {
  words: Words;
  filter: KeyFilter;
  buffers: Buffers;
}

/** Stores a group of batches in the transaction of the caller. */
export async function appendGroup(
  connection: DuckDBConnection,
  group: Group,
  state: AppendState,
): Promise<('stored' | 'duplicate')[]> {
  const taken = await knownKeys(connection, group.batches, state.filter);
  const results = group.batches.map(({ key }) => {
    if (taken.has(key)) return 'duplicate' as const;
    taken.add(key);
    return 'stored' as const;
  });
  const fresh = group.batches.filter((_, i) => results[i] === 'stored');
  if (fresh.length > 0) await writeBatches(connection, fresh, group, state);
  return results;
}

async function writeBatches(
  connection: DuckDBConnection,
  batches: readonly Batch[],
  { firstNo, receivedMs }: Group,
  { words, filter, buffers }: AppendState,
): Promise<void> {
  const writer = await SampleWriter.open(connection, words, buffers);
  batches.forEach((batch, i) => writer.add(firstNo + i, batch));
  writer.close();
  const rows = await connection.createAppender('batches');
  batches.forEach(({ key, agent, columns }, i) => {
    const hash = hashOf(key);
    // Before it is certain that they are stored: the filter may know too many keys, never too few.
    filter.add(hash);
    rows.appendBigInt(BigInt(firstNo + i));
    rows.appendDouble(hash);
    rows.appendVarchar(key);
    rows.appendInteger(words.id('agent', agent));
    rows.appendInteger(columns.count);
    rows.appendDouble(receivedMs);
    rows.endRow();
  });
  rows.closeSync();
  await words.save(connection);
}

async function knownKeys(
  connection: DuckDBConnection,
  batches: readonly Batch[],
  filter: KeyFilter,
): Promise<Set<string>> {
  const hashes = batches.map(({ key }) => hashOf(key)).filter((hash) => filter.mayHave(hash));
  if (hashes.length === 0) return new Set();
  const result = await connection.run(`SELECT key FROM batches WHERE hash IN (${hashes.join(', ')})`);
  return new Set((await result.getRows()).map(([key]) => String(key)));
}
