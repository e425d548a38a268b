import type { DuckDBConnection } from '@duckdb/node-api';
import { sampleMetrics } from '../../model/sample.ts';
import { isNone, type Column } from '../columns.ts';
import { signedBucketOf } from '../signed-bucket.ts';
import type { Batch } from '../store.ts';
import { ALL_AGENTS, MINUTE_MS, TALLY } from './cells-sql.ts';
import { codeOf, PartTable } from './part-table.ts';
import { eachChunk, type Columns } from './rows.ts';
import type { Words } from './words.ts';

/** The parts of all batches after one, up to another. */
export interface Generation {
  after: number;
  /** What each agent saw. */
  agents: PartTable;
  /** All agents as one: what most questions are about, and much smaller. */
  all: PartTable;
  rows: number;
}

/** A generation that grows no more, and the last batch in it. */
export interface Frozen {
  generation: Generation;
  last: number;
}

/**
 * What is stored and in no roll-up yet, added up as it comes: readers of a dashboard need not group millions of raw samples, and
 * rolling up is writing this down. The newest generation grows; an older one is being written. All of it is in the table
 * `samples` or in the journal, too: after a crash it is made again from there.
 */
export class Fresh {
  #generations: readonly Generation[] = [newGeneration(0)];
  #last = 0;

  /** Of the generation that grows. */
  get size(): { rows: number; parts: number } {
    const { rows, agents } = this.#generations.at(-1)!;
    return { rows, parts: agents.size };
  }

  /** Adds what has been committed. */
  add(no: number, { agent, columns }: Batch, words: Words): void {
    this.#last = no;
    const generation = this.#generations.at(-1)!;
    const agentId = words.id('agent', agent);
    const endpoints = columns.endpoints.map((word) => words.id('endpoint', word));
    const kinds = columns.kinds.map((word) => words.id('kind', word));
    const metrics = sampleMetrics.flatMap((metric) => {
      const column = columns.metrics[metric];
      return column ? [{ id: words.id('metric', metric), column }] : [];
    });
    const { count, atMs, endpoint, kind, verdict } = columns;
    for (let row = 0; row < count; row++) {
      const minute = Math.floor(atMs[row]! / MINUTE_MS);
      const place = endpoints[endpoint[row]!]!;
      const code = codeOf(kinds[kind[row]!]!, verdict[row]!, TALLY);
      addRow(generation, { minute, place, agentId, code, row }, metrics);
    }
    generation.rows += count;
  }

  /** Begins a new generation, and hands over the one until now, which readers go on to read. */
  freeze(): Frozen {
    const generation = this.#generations.at(-1)!;
    this.#generations = [generation, newGeneration(this.#last, generation)];
    return { generation, last: this.#last };
  }

  /** To be called when all before the newest generation is in the roll-ups. */
  release(): void {
    this.#generations = this.#generations.slice(-1);
  }

  /** What a reader to whom the roll-ups end at `batch` still has to add; null when that is known no more, and it has to look again. */
  since(batch: number): Generation[] | null {
    const first = this.#generations.findIndex(({ after }) => after === batch);
    return first === -1 ? null : this.#generations.slice(first);
  }

  /** Makes it anew from what is stored. */
  async load(connection: DuckDBConnection, words: Words, after: number, last: number): Promise<void> {
    const generation = newGeneration(after);
    const ids = sampleMetrics.map((metric) => words.find('metric', metric) ?? -1);
    const known = sampleMetrics.flatMap((metric, i) => (ids[i] === -1 ? [] : [{ metric, id: ids[i]! }]));
    const columns = known.map(({ metric }) => `, "${metric}"`).join('');
    await eachChunk(
      connection,
      `SELECT at_ms, endpoint::DOUBLE, agent::DOUBLE, kind::DOUBLE, verdict::DOUBLE${columns} FROM samples WHERE batch > ${after} AND batch <= ${last}`,
      (chunk) =>
        addChunk(
          generation,
          chunk,
          known.map(({ id }) => id),
        ),
    );
    this.#generations = [generation];
    this.#last = last;
  }
}

const newGeneration = (after: number, like?: Generation): Generation => ({
  after,
  agents: new PartTable(true, like?.agents),
  all: new PartTable(false, like?.all),
  rows: 0,
});

interface Place {
  minute: number;
  place: number;
  agentId: number;
  code: number;
  row: number;
}

function addRow(
  { agents, all }: Generation,
  { minute, place, agentId, code, row }: Place,
  metrics: readonly { id: number; column: Column }[],
): void {
  let ofAgent = agents.part(minute, place, agentId, code);
  let ofAll = all.part(minute, place, ALL_AGENTS, code);
  agents.n[ofAgent]! += 1;
  all.n[ofAll]! += 1;
  for (let i = 0; i < metrics.length; i++) {
    const { id, column } = metrics[i]!;
    const value = column[row];
    if (isNone(value)) continue;
    const bucket = signedBucketOf(value);
    ofAgent = agents.partAfter(ofAgent, minute, place, agentId, code | id);
    ofAll = all.partAfter(ofAll, minute, place, ALL_AGENTS, code | id);
    agents.value(ofAgent, value, bucket);
    all.value(ofAll, value, bucket);
  }
}

function addChunk(generation: Generation, chunk: Columns, metricIds: readonly number[]): void {
  const [at, endpoint, agent, kind, verdict] = chunk.leading(5);
  const metrics = metricIds.map((id, i) => ({ id, column: chunk.numbers(5 + i) }));
  for (let row = 0; row < chunk.count; row++) {
    const minute = Math.floor(at[row]! / MINUTE_MS);
    const code = codeOf(kind[row]!, verdict[row]!, TALLY);
    addRow(generation, { minute, place: endpoint[row]!, agentId: agent[row]!, code, row }, metrics);
  }
  generation.rows += chunk.count;
}
