import { setImmediate } from 'node:timers/promises';
import { DuckDBDataChunk, type DuckDBConnection, type DuckDBResult } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';

/** Chunks that are read without a break: some ten milliseconds. */
const STEP = 16;

/**
 * Columns of one chunk of a result, read where the engine left them. Every number of a query is to be cast to DOUBLE, so that
 * there is one way of reading; NULL becomes NaN.
 */
export class Columns {
  readonly count: number;
  readonly #chunk: DuckDBDataChunk;

  constructor(chunk: DuckDBDataChunk) {
    this.#chunk = chunk;
    this.count = chunk.rowCount;
  }

  numbers(column: number): Float64Array {
    const vector = duckdb.data_chunk_get_vector(this.#chunk.chunk, column);
    const bytes = duckdb.vector_get_data(vector, this.count * 8);
    const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, this.count);
    // Null where all are valid, whatever the types of the package say.
    const valid = duckdb.vector_get_validity(vector, Math.ceil(this.count / 64) * 8) as Uint8Array | null;
    return valid ? numbers.map((number, i) => (valid[i >> 3]! & (1 << (i & 7)) ? number : NaN)) : numbers;
  }

  /** The first columns, all numbers. */
  leading<const N extends number>(count: N): Tuple<Float64Array, N> {
    return Array.from({ length: count }, (_, i) => this.numbers(i)) as Tuple<Float64Array, N>;
  }

  texts(column: number): (string | null)[] {
    return this.#chunk.getColumnValues(column) as (string | null)[];
  }

  /** Lists of (bucket, count). */
  cells(column: number): Cells {
    const vector = duckdb.data_chunk_get_vector(this.#chunk.chunk, column);
    const entries = duckdb.vector_get_data(vector, this.count * 16);
    const child = duckdb.list_vector_get_child(vector);
    const size = duckdb.list_vector_get_size(vector);
    const field = (index: number) => {
      const bytes = duckdb.vector_get_data(duckdb.struct_vector_get_child(child, index), size * 4);
      return new Int32Array(bytes.buffer, bytes.byteOffset, size);
    };
    // Offset and length are 64 bits each; a chunk never has more than 2^32 cells.
    return {
      entries: new Uint32Array(entries.buffer, entries.byteOffset, this.count * 4),
      buckets: field(0),
      counts: field(1),
    };
  }
}

type Tuple<T, N extends number, R extends T[] = []> = R['length'] extends N ? R : Tuple<T, N, [...R, T]>;

/** The cells of row r are `buckets[i]`, `counts[i]` for i from entries[4r], entries[4r + 2] of them. */
export interface Cells {
  entries: Uint32Array;
  buckets: Int32Array;
  counts: Int32Array;
}

/**
 * Runs a query and hands over its chunks, one after the other, without keeping them. The result is whole in memory, so each is taken from
 * there at once: to be called back for every one, as the package does it, means to wait for everybody else sixty times for a dashboard.
 */
export async function eachChunk(
  connection: DuckDBConnection,
  sql: string,
  read: (columns: Columns) => void,
): Promise<void> {
  const { result } = handleOf(await connection.run(sql));
  const count = duckdb.result_chunk_count(result);
  for (let i = 0; i < count; i++) {
    if (i % STEP === STEP - 1) await setImmediate();
    read(new Columns(new DuckDBDataChunk(duckdb.result_get_chunk(result, i))));
  }
}

/** The package keeps the handle of the engine to itself. */
const handleOf = (result: DuckDBResult) => ({ result: result['result'] });

/** The numbers of the first row. */
export async function firstRow(connection: DuckDBConnection, sql: string): Promise<number[]> {
  const row = (await (await connection.run(sql)).getRows())[0] ?? [];
  return row.map(Number);
}

/** Number of the newest batch in the tables, 0 of none. */
export async function lastBatch(connection: DuckDBConnection): Promise<number> {
  const [last = 0] = await firstRow(connection, 'SELECT coalesce(max(no), 0) FROM batches');
  return last;
}
