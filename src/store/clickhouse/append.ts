import { createHash } from 'node:crypto';
import { sampleMetrics } from '../../model/sample.ts';
import { isNone } from '../columns.ts';
import type { Batch } from '../store.ts';
import type { Column } from './native.ts';
import { SLICE_MS } from './schema.ts';
import type { Server } from './server.ts';

/** A batch by 64 bits of its key, which is what each of its rows carries. */
export function hashOf(key: string): bigint {
  return createHash('sha256').update(key).digest().readBigUInt64LE();
}

/** The slice of a time; one that is far beyond all clocks is in the first or the last. */
export const sliceOf = (atMs: number) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.floor(atMs / SLICE_MS)));

/**
 * Stores a group of batches: their samples first, then one row for each batch that makes them count. Whatever dies in between, the
 * group may come again in any other company: rows are the same rows.
 */
export async function appendGroup(
  server: Server,
  batches: readonly Batch[],
  receivedMs: number,
): Promise<('stored' | 'duplicate')[]> {
  const taken = await knownKeys(server, batches);
  const results = batches.map(({ key }) => {
    if (taken.has(key)) return 'duplicate' as const;
    taken.add(key);
    return 'stored' as const;
  });
  const fresh = batches.filter((_, i) => results[i] === 'stored');
  if (fresh.length === 0) return results;
  const hashes = fresh.map(({ key }) => hashOf(key));
  await server.insert('samples', rowsOf(fresh), sampleColumns(fresh, hashes));
  await server.insert('batches', fresh.length, batchColumns(fresh, hashes, receivedMs));
  return results;
}

async function knownKeys(server: Server, batches: readonly Batch[]): Promise<Set<string>> {
  const known = new Set<string>();
  // An address of a statement holds a quarter of a megabyte.
  for (let from = 0; from < batches.length; from += 5000) {
    const hashes = batches.slice(from, from + 5000).map(({ key }) => hashOf(key));
    const answer = await server.ask(`SELECT key FROM ${server.name('batches')} WHERE batch IN (${hashes.join(', ')})`);
    for (const key of answer.texts(0)) known.add(key!);
  }
  return known;
}

const rowsOf = (batches: readonly Batch[]) => batches.reduce((sum, { columns }) => sum + columns.count, 0);

/** Columns of all batches, one after the other; flat loops, because every sample passes here. */
function sampleColumns(batches: readonly Batch[], hashes: readonly bigint[]): Record<string, Column> {
  const rows = rowsOf(batches);
  const slice = new Int32Array(rows);
  const atMs = new Float64Array(rows);
  const batch = new BigUint64Array(rows);
  const row = new Uint32Array(rows);
  const verdict = new Uint8Array(rows);
  const kind: string[] = [];
  const endpoint: string[] = [];
  const agent: string[] = [];
  const outcome: string[] = [];
  const state: (string | null)[] = [];
  const detail: (string | null)[] = [];
  const metrics: Record<string, Column & { type: 'Float64' }> = {};
  let at = 0;
  batches.forEach(({ agent: name, columns, rows: numbers }, i) => {
    const { count } = columns;
    for (let from = 0; from < count; from++) {
      slice[at + from] = sliceOf(columns.atMs[from]!);
      row[at + from] = numbers?.[from] ?? from;
      kind.push(columns.kinds[columns.kind[from]!]!);
      endpoint.push(columns.endpoints[columns.endpoint[from]!]!);
      agent.push(name);
      outcome.push(columns.outcomes[columns.outcome[from]!]!);
      const told = columns.state[from];
      state.push(isNone(told) ? null : columns.states[told]!);
      detail.push(columns.detail?.[from] ?? null);
    }
    atMs.set(columns.atMs, at);
    verdict.set(columns.verdict, at);
    batch.fill(hashes[i]!, at, at + count);
    for (const metric of sampleMetrics) {
      const values = columns.metrics[metric];
      if (!values) continue;
      const all = (metrics[metric] ??= { type: 'Float64', values: new Float64Array(rows).fill(NaN) }).values;
      for (let from = 0; from < count; from++) all[at + from] = values[from] ?? NaN;
    }
    at += count;
  });
  return {
    slice: { type: 'Int32', values: slice },
    at_ms: { type: 'Float64', values: atMs },
    kind: { type: 'String', values: kind },
    endpoint: { type: 'String', values: endpoint },
    agent: { type: 'String', values: agent },
    batch: { type: 'UInt64', values: batch },
    row: { type: 'UInt32', values: row },
    outcome: { type: 'String', values: outcome },
    verdict: { type: 'UInt8', values: verdict },
    state: { type: 'Nullable(String)', values: state },
    detail: { type: 'Nullable(String)', values: detail },
    ...metrics,
  };
}

function batchColumns(
  batches: readonly Batch[],
  hashes: readonly bigint[],
  receivedMs: number,
): Record<string, Column> {
  const times = (pick: 'least' | 'most') => batches.map(({ columns: { atMs } }) => extreme(atMs, pick));
  return {
    batch: { type: 'UInt64', values: BigUint64Array.from(hashes) },
    key: { type: 'String', values: batches.map(({ key }) => key) },
    agent: { type: 'String', values: batches.map(({ agent }) => agent) },
    n: { type: 'UInt32', values: Uint32Array.from(batches.map(({ columns }) => columns.count)) },
    from_ms: { type: 'Float64', values: Float64Array.from(times('least')) },
    to_ms: { type: 'Float64', values: Float64Array.from(times('most')) },
    received_ms: { type: 'Float64', values: Float64Array.from(batches.map(() => receivedMs)) },
  };
}

/** Not by spreading: a batch may have more rows than a call takes arguments. */
function extreme(values: ArrayLike<number>, pick: 'least' | 'most'): number {
  const further = pick === 'least' ? Math.min : Math.max;
  let so = values[0] ?? 0;
  for (let i = 1; i < values.length; i++) so = further(so, values[i]!);
  return so;
}
