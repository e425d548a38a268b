import { setImmediate } from 'node:timers/promises';
import { DuckDBDataChunk, type DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { MINUTE_MS, TALLY } from './cells-sql.ts';
import { kindOf, metricOf, verdictOf, type PartTable } from './part-table.ts';

const ROWS = 2048;
const { Type } = duckdb;
const CELLS = 10;
/** Order and place of a part in one exact number. */
const PLACES = 2 ** 22;

/** Writes parts as rows of a roll-up, a chunk at a time: between two of them others have their turn. */
export async function writeParts(connection: DuckDBConnection, table: string, parts: PartTable): Promise<void> {
  const order = sorted(parts);
  const cells = parts.cellsByPart();
  const appender = await connection.createAppender(table);
  for (let from = 0; from < order.length; from += ROWS) {
    appender.appendDataChunk(chunkOf(parts, order.subarray(from, from + ROWS), cells));
    await setImmediate();
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

function chunkOf(
  parts: PartTable,
  rows: Int32Array,
  { starts, order }: { starts: Int32Array; order: Int32Array },
): DuckDBDataChunk {
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
  addCells(vector(CELLS), parts, rows, { starts, order });
  return chunk;
}

/** The lists of one column: for each row offset and length, and behind them one array of all buckets and one of all counts. */
function addCells(
  list: ReturnType<typeof duckdb.data_chunk_get_vector>,
  parts: PartTable,
  rows: Int32Array,
  { starts, order }: { starts: Int32Array; order: Int32Array },
): void {
  const entries = new BigUint64Array(2 * rows.length);
  const found: number[] = [];
  rows.forEach((part, row) => {
    const cells = order.subarray(starts[part], starts[part + 1]);
    entries[2 * row] = BigInt(found.length);
    entries[2 * row + 1] = BigInt(cells.length);
    for (const cell of cells.sort((a, b) => parts.cellBucket[a]! - parts.cellBucket[b]!)) found.push(cell);
  });
  duckdb.list_vector_reserve(list, found.length);
  duckdb.list_vector_set_size(list, found.length);
  duckdb.copy_data_to_vector(list, 0, entries.buffer, 0, entries.byteLength);
  const child = duckdb.list_vector_get_child(list);
  [parts.cellBucket, parts.cellCount].forEach((column, field) => {
    const values = Int32Array.from(found, (cell) => column[cell]!);
    duckdb.copy_data_to_vector(duckdb.struct_vector_get_child(child, field), 0, values.buffer, 0, values.byteLength);
  });
}
