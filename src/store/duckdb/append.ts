import { setImmediate } from 'node:timers/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Batch } from '../store.ts';
import type { Promised } from './journal.ts';
import { hashOf, type KeyFilter } from './key-filter.ts';
import { SampleWriter, type Buffers } from './sample-writer.ts';
import type { Words } from './words.ts';

/** Rows that are handed to the engine without a break: some ten milliseconds. */
const STEP_ROWS = 8_000;

/** Moves batches into the tables, in the transaction of the caller. */
export async function writeBatches(
  connection: DuckDBConnection,
  batches: readonly Promised[],
  state: { words: Words; buffers: Buffers },
): Promise<void> {
  const { words } = state;
  const writer = await SampleWriter.open(
    connection,
    batches.map(({ batch }) => batch),
    state,
  );
  let rows = 0;
  for (const { no, batch } of batches) {
    writer.add(no, batch);
    rows += batch.columns.count;
    if (rows < STEP_ROWS) continue;
    rows = 0;
    writer.push();
    await setImmediate();
  }
  await writer.close(connection);
  const appender = await connection.createAppender('batches');
  for (const { no, receivedMs, batch } of batches) {
    appender.appendBigInt(BigInt(no));
    appender.appendDouble(hashOf(batch.key));
    appender.appendVarchar(batch.key);
    appender.appendInteger(words.id('agent', batch.agent));
    appender.appendInteger(batch.columns.count);
    appender.appendDouble(receivedMs);
    appender.endRow();
  }
  appender.closeSync();
  await words.save(connection);
}

/** Which of these keys are in the tables. */
export async function knownKeys(
  connection: DuckDBConnection,
  batches: readonly Batch[],
  filter: KeyFilter,
): Promise<Set<string>> {
  const hashes = batches.map(({ key }) => hashOf(key)).filter((hash) => filter.mayHave(hash));
  if (hashes.length === 0) return new Set();
  const result = await connection.run(`SELECT key FROM batches WHERE hash IN (${hashes.join(', ')})`);
  return new Set((await result.getRows()).map(([key]) => String(key)));
}
