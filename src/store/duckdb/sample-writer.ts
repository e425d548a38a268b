import { DuckDBDataChunk, type DuckDBAppender, type DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { sampleMetrics, type SampleMetric } from '../../model/sample.ts';
import { isNone, type Column, type SampleColumns } from '../columns.ts';
import type { Batch } from '../store.ts';
import type { Words } from './words.ts';

/** Rows of one chunk; the engine knows no larger ones. */
const ROWS = 2048;
const { Type } = duckdb;
const encoder = new TextEncoder();

/** Columns before the metrics, in the order of the buffers. */
const columnsBefore = [
  ['batch', Type.BIGINT],
  ['row', Type.INTEGER],
  ['at_ms', Type.DOUBLE],
  ['endpoint', Type.INTEGER],
  ['agent', Type.INTEGER],
  ['kind', Type.UTINYINT],
  ['outcome', Type.UTINYINT],
  ['verdict', Type.UTINYINT],
  ['state', Type.VARCHAR],
  ['detail', Type.VARCHAR],
] as const;
const STATE = 8;
const DETAIL = 9;

/**
 * Moves columns into the table `samples`: the numbers of up to 2048 rows of any number of batches are gathered in arrays made
 * once, and each array is copied to the engine as it is. Of the metrics only those that any of the batches has: a probe fills few of
 * forty columns, and to the engine one of NULLs is as much work as any. Made anew for every transaction: an appender that lives
 * for long keeps memory.
 */
export class SampleWriter {
  readonly #appender: DuckDBAppender;
  readonly #words: Words;
  readonly #chunk: DuckDBDataChunk;
  readonly #buffers: Buffers;
  readonly #metrics: readonly SampleMetric[];
  #rows = 0;

  private constructor(
    appender: DuckDBAppender,
    metrics: readonly SampleMetric[],
    { words, buffers }: { words: Words; buffers: Buffers },
  ) {
    this.#appender = appender;
    this.#metrics = metrics;
    this.#words = words;
    this.#buffers = buffers;
    const types = [...columnsBefore.map(([, type]) => type), ...metrics.map(() => Type.DOUBLE)];
    this.#chunk = new DuckDBDataChunk(duckdb.create_data_chunk(types.map((type) => duckdb.create_logical_type(type))));
  }

  /** @param batches all that will be added */
  static async open(
    connection: DuckDBConnection,
    batches: readonly Batch[],
    state: { words: Words; buffers: Buffers },
  ): Promise<SampleWriter> {
    // A writer that failed half-way may have left some.
    clearValid(state.buffers);
    const metrics = sampleMetrics.filter((metric) => batches.some(({ columns }) => columns.metrics[metric]));
    await connection.run(`CREATE OR REPLACE TEMP TABLE arriving AS SELECT ${namesOf(metrics)} FROM samples LIMIT 0`);
    return new SampleWriter(await connection.createAppender('arriving', 'main', 'temp'), metrics, state);
  }

  add(batch: number, { agent, columns, rows }: Batch): void {
    const agentId = this.#words.id('agent', agent);
    const endpoints = columns.endpoints.map((word) => this.#words.id('endpoint', word));
    const kinds = columns.kinds.map((word) => this.#words.id('kind', word));
    const outcomes = columns.outcomes.map((word) => this.#words.id('outcome', word));
    const states = columns.states.map((word) => encoder.encode(word));
    const metrics = this.#metrics.flatMap((metric, i) => (columns.metrics[metric] ? [{ i, metric }] : []));
    // Roll-ups number them.
    for (const { metric } of metrics) this.#words.id('metric', metric);
    for (let from = 0; from < columns.count;) {
      const to = Math.min(columns.count, from + ROWS - this.#rows);
      const { numbers, batches } = this.#buffers;
      const at = this.#rows - from;
      for (let row = from; row < to; row++) {
        batches[(row + at) * 2] = batch >>> 0;
        batches[(row + at) * 2 + 1] = Math.floor(batch / 2 ** 32);
        numbers.row[row + at] = rows?.[row] ?? row;
        numbers.atMs[row + at] = columns.atMs[row]!;
        numbers.endpoint[row + at] = endpoints[columns.endpoint[row]!]!;
        numbers.kind[row + at] = kinds[columns.kind[row]!]!;
        numbers.outcome[row + at] = outcomes[columns.outcome[row]!]!;
        numbers.verdict[row + at] = columns.verdict[row]!;
      }
      numbers.agent.fill(agentId, this.#rows, this.#rows + to - from);
      for (const { i, metric } of metrics) this.#addMetric(i, columns.metrics[metric]!, from, to);
      this.#addTexts(columns, states, from, to);
      this.#rows += to - from;
      from = to;
      if (this.#rows === ROWS) this.#flush();
    }
  }

  /** What has been added so far leaves the appender: it would hold up everybody once it has much. */
  push(): void {
    this.#appender.flushSync();
  }

  /** By a statement, which does its work in threads of its own, and knows what is NULL throughout. */
  async close(connection: DuckDBConnection): Promise<void> {
    if (this.#rows > 0) this.#flush();
    this.#appender.closeSync();
    const names = namesOf(this.#metrics);
    await connection.run(`INSERT INTO samples (${names}) SELECT ${names} FROM arriving`);
    await connection.run('DROP TABLE arriving');
  }

  #addMetric(metric: number, column: Column, from: number, to: number): void {
    const values = this.#buffers.metrics[metric]!;
    const valid = this.#buffers.valid[metric]!;
    const at = this.#rows - from;
    for (let row = from; row < to; row++) {
      const value = column[row];
      if (isNone(value)) continue;
      values[row + at] = value;
      valid[(row + at) >> 3]! |= 1 << ((row + at) & 7);
    }
  }

  /** Texts go to the engine one by one, and at once: it keeps copies of its own. */
  #addTexts(columns: SampleColumns, states: readonly Uint8Array[], from: number, to: number): void {
    const { chunk } = this.#chunk;
    const { stateValid, detailValid } = this.#buffers;
    const stateVector = duckdb.data_chunk_get_vector(chunk, STATE);
    const detailVector = duckdb.data_chunk_get_vector(chunk, DETAIL);
    for (let row = from; row < to; row++) {
      const at = this.#rows + row - from;
      const state = columns.state[row];
      if (!isNone(state)) {
        duckdb.vector_assign_string_element_len(stateVector, at, states[state]!);
        stateValid[at >> 3]! |= 1 << (at & 7);
      }
      const detail = columns.detail?.[row];
      if (detail != null) {
        duckdb.vector_assign_string_element_len(detailVector, at, encoder.encode(detail));
        detailValid[at >> 3]! |= 1 << (at & 7);
      }
    }
  }

  #flush(): void {
    const { chunk } = this.#chunk;
    const { numbers, batches, metrics, valid, stateValid, detailValid } = this.#buffers;
    duckdb.data_chunk_set_size(chunk, this.#rows);
    [batches, ...Object.values(numbers)].forEach((array, i) => this.#copy(i, array));
    this.#copyValid(STATE, stateValid);
    this.#copyValid(DETAIL, detailValid);
    for (let i = 0; i < this.#metrics.length; i++) {
      this.#copy(columnsBefore.length + i, metrics[i]!);
      this.#copyValid(columnsBefore.length + i, valid[i]!);
    }
    this.#appender.appendDataChunk(this.#chunk);
    duckdb.data_chunk_reset(chunk);
    clearValid(this.#buffers);
    this.#rows = 0;
  }

  #copy(column: number, { buffer }: ArrayBufferView<ArrayBuffer>): void {
    const vector = duckdb.data_chunk_get_vector(this.#chunk.chunk, column);
    duckdb.copy_data_to_vector(vector, 0, buffer, 0, (buffer.byteLength / ROWS) * this.#rows);
  }

  #copyValid(column: number, { buffer }: Uint8Array<ArrayBuffer>): void {
    const vector = duckdb.data_chunk_get_vector(this.#chunk.chunk, column);
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, buffer, 0, buffer.byteLength);
  }
}

const namesOf = (metrics: readonly SampleMetric[]): string =>
  [...columnsBefore.map(([name]) => name), ...metrics].map((name) => `"${name}"`).join(', ');

function clearValid({ stateValid, detailValid, valid }: Buffers): void {
  for (const bits of [stateValid, detailValid, ...valid]) bits.fill(0);
}

export type Buffers = ReturnType<typeof makeBuffers>;

/** The arrays of one writer at a time, in the order of the columns; those of metrics in the order of what the writer has. */
export function makeBuffers() {
  const bits = () => new Uint8Array(ROWS / 8);
  return {
    /** 64-bit integers as pairs, lower half first. */
    batches: new Uint32Array(2 * ROWS),
    numbers: {
      row: new Int32Array(ROWS),
      atMs: new Float64Array(ROWS),
      endpoint: new Int32Array(ROWS),
      agent: new Int32Array(ROWS),
      kind: new Uint8Array(ROWS),
      outcome: new Uint8Array(ROWS),
      verdict: new Uint8Array(ROWS),
    },
    metrics: sampleMetrics.map(() => new Float64Array(ROWS)),
    valid: sampleMetrics.map(bits),
    stateValid: bits(),
    detailValid: bits(),
  };
}
