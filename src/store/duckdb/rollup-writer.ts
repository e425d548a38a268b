import { setImmediate } from 'node:timers/promises';
import { DuckDBDataChunk, type DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { MAX_BUCKET } from '../signed-bucket.ts';
import { MINUTE_MS, TALLY } from './cells-sql.ts';
import { kindOf, metricOf, verdictOf, type PartTable } from './part-table.ts';

const ROWS = 2048;
const { Type } = duckdb;
const CELLS = 10;
/** Order and place of a part in one exact number. */
const PLACES = 2 ** 22;
/** Cells that are sorted without a break: some milliseconds. */
const STEP = 250_000;

/** Writes parts as rows of a roll-up, a chunk at a time: between two of them others have their turn. */
export async function writeParts(connection: DuckDBConnection, table: string, parts: PartTable): Promise<void> {
  const order = sorted(parts);
  const cells = await inOrder(parts);
  const appender = await connection.createAppender(table);
  for (let from = 0; from < order.length; from += ROWS) {
    appender.appendDataChunk(chunkOf(parts, order.subarray(from, from + ROWS), cells));
    // Under load a turn of the others takes longer than a chunk.
    if (from % (4 * ROWS) === 0) await setImmediate();
  }
  appender.closeSync();
}

/** By kind, metric and endpoint, which makes columns small and lets readers skip. */
function sorted(parts: PartTable): Int32Array {
  if (parts.size > PLACES) return Int32Array.from({ length: parts.size }, (_, part) => part);
  const keys = Float64Array.from({ length: parts.size }, (_, part) => {
    const code = parts.code[part]!;
    const group = (kindOf(code) % 16) * 64 + (metricOf(code) % 64);
    return (group * 2 ** 20 + (parts.endpoint[part]! % 2 ** 20)) * PLACES + part;
  }).sort();
  return Int32Array.from(keys, (key) => key % PLACES);
}

function chunkOf(parts: PartTable, rows: Int32Array, cells: OrderedCells): DuckDBDataChunk {
  const integer = duckdb.create_logical_type(Type.INTEGER);
  const cell = duckdb.create_struct_type([integer, integer], ['b', 'n']);
  const plain = [Type.DOUBLE, Type.INTEGER, Type.INTEGER, Type.UTINYINT, Type.UTINYINT, Type.UTINYINT, Type.BIGINT];
  const types = [...plain, Type.DOUBLE, Type.DOUBLE, Type.DOUBLE].map((type) => duckdb.create_logical_type(type));
  const chunk = new DuckDBDataChunk(duckdb.create_data_chunk([...types, duckdb.create_list_type(cell)]));
  const code = (of: (code: number) => number) => Uint8Array.from(rows, (part) => of(parts.code[part]!));
  const columns = [
    Float64Array.from(rows, (part) => parts.minute[part]! * MINUTE_MS),
    Int32Array.from(rows, (part) => parts.endpoint[part]!),
    Int32Array.from(rows, (part) => parts.agent[part]!),
    code(kindOf),
    code(verdictOf),
    code(metricOf),
    BigInt64Array.from(rows, (part) => BigInt(parts.n[part]!)),
    Float64Array.from(rows, (part) => parts.total[part]!),
    Float64Array.from(rows, (part) => parts.low[part]!),
    Float64Array.from(rows, (part) => parts.high[part]!),
  ];
  duckdb.data_chunk_set_size(chunk.chunk, rows.length);
  const vector = (column: number) => duckdb.data_chunk_get_vector(chunk.chunk, column);
  columns.forEach((array, i) => duckdb.copy_data_to_vector(vector(i), 0, array.buffer, 0, array.byteLength));
  const isValue = new Uint8Array(ROWS / 8);
  rows.forEach((part, row) => {
    if (metricOf(parts.code[part]!) !== TALLY) isValue[row >> 3]! |= 1 << (row & 7);
  });
  for (const column of [7, 8, 9]) {
    duckdb.vector_ensure_validity_writable(vector(column));
    duckdb.copy_data_to_vector_validity(vector(column), 0, isValue.buffer, 0, isValue.byteLength);
  }
  addCells(vector(CELLS), parts, rows, cells);
  return chunk;
}

/** The lists of one column: for each row offset and length, and behind them one array of all buckets and one of all counts. */
function addCells(
  list: ReturnType<typeof duckdb.data_chunk_get_vector>,
  parts: PartTable,
  rows: Int32Array,
  { starts, order }: OrderedCells,
): void {
  const entries = new BigUint64Array(2 * rows.length);
  const most = rows.reduce((sum, part) => sum + Math.max(1, starts[part + 1]! - starts[part]!), 0);
  const [buckets, counts] = [new Int32Array(most), new Int32Array(most)];
  let found = 0;
  rows.forEach((part, row) => {
    const first = found;
    // Samples that are counted have one cell, so that rows of a roll-up are all alike.
    if (metricOf(parts.code[part]!) === TALLY) counts[found++] = parts.n[part]!;
    for (let i = starts[part]!; i < starts[part + 1]!; i++) {
      const cell = order[i]!;
      const bucket = parts.cellBucket[cell]!;
      if (found === first || buckets[found - 1] !== bucket) buckets[found++] = bucket;
      counts[found - 1]! += parts.cellCount[cell]!;
    }
    entries[2 * row] = BigInt(first);
    entries[2 * row + 1] = BigInt(found - first);
  });
  duckdb.list_vector_reserve(list, found);
  duckdb.list_vector_set_size(list, found);
  duckdb.copy_data_to_vector(list, 0, entries.buffer, 0, entries.byteLength);
  const child = duckdb.list_vector_get_child(list);
  [buckets, counts].forEach((values, field) =>
    duckdb.copy_data_to_vector(duckdb.struct_vector_get_child(child, field), 0, values.buffer, 0, 4 * found),
  );
}

/** Those of part p are `order[i]` for i from `starts[p]` up to `starts[p + 1]`, in the order of their buckets. */
interface OrderedCells {
  starts: Int32Array;
  order: Int32Array;
}

/** Cells by part and bucket: sorted by counting, first by the lesser key; millions of them must hold up nobody. */
async function inOrder(parts: PartTable): Promise<OrderedCells> {
  const { cells, cellBucket, cellPart } = parts;
  const byBucket = new Int32Array(2 * MAX_BUCKET + 2);
  for (let cell = 0; cell < cells; cell++) byBucket[cellBucket[cell]! + MAX_BUCKET + 1]! += 1;
  const starts = new Int32Array(parts.size + 1);
  for (let cell = 0; cell < cells; cell++) starts[cellPart[cell]! + 1]! += 1;
  sumUp(byBucket);
  sumUp(starts);
  const sorted = new Int32Array(cells);
  await inSteps(cells, (cell) => {
    const bucket = cellBucket[cell]! + MAX_BUCKET;
    sorted[byBucket[bucket]!] = cell;
    byBucket[bucket]! += 1;
  });
  const next = starts.slice();
  const order = new Int32Array(cells);
  await inSteps(cells, (i) => {
    const cell = sorted[i]!;
    const part = cellPart[cell]!;
    order[next[part]!] = cell;
    next[part]! += 1;
  });
  return { starts, order };
}

function sumUp(counts: Int32Array): void {
  for (let i = 1; i < counts.length; i++) counts[i]! += counts[i - 1]!;
}

/** A loop that lets others have their turn. */
async function inSteps(count: number, step: (i: number) => void): Promise<void> {
  for (let from = 0; from < count; from += STEP) {
    const to = Math.min(count, from + STEP);
    for (let i = from; i < to; i++) step(i);
    await setImmediate();
  }
}
