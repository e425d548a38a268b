import type { BatchBody } from '../model/agent-protocol.ts';
import { sampleMetrics, sampleVerdict, type Sample, type SampleMetric, type SampleVerdict } from '../model/sample.ts';

/** Numbers of one column; where a row may have none, that is null or NaN. */
export type Column = ArrayLike<number | null>;
type Numbers = ArrayLike<number>;

/**
 * Samples column by column, as agents send them and stores keep them: the body of a batch without key and version. Columns are
 * lists as JSON has them, or typed arrays (`packed`), which leave nothing for the collector of garbage.
 */
export interface SampleColumns extends Omit<
  BatchBody,
  'version' | 'key' | 'atMs' | 'endpoint' | 'kind' | 'outcome' | 'verdict' | 'state' | 'metrics'
> {
  atMs: Numbers;
  endpoint: Numbers;
  kind: Numbers;
  outcome: Numbers;
  verdict: Numbers;
  state: Column;
  metrics: Partial<Record<SampleMetric, Column>>;
}

/** That a row has no number in a column. */
export const isNone = (value: number | null | undefined): value is null | undefined =>
  value == null || Number.isNaN(value);

/** The same columns as typed arrays, for a server that keeps a hundred thousand rows a second for a moment: NaN stands for null. */
export function packed<Columns extends SampleColumns>(columns: Columns): Columns {
  const numbers = (column: Column): Float64Array => {
    const { length } = column;
    const values = new Float64Array(length);
    for (let row = 0; row < length; row++) values[row] = column[row] ?? NaN;
    return values;
  };
  const { metrics } = columns;
  return {
    ...columns,
    atMs: numbers(columns.atMs),
    endpoint: Int32Array.from(columns.endpoint),
    kind: Uint8Array.from(columns.kind),
    outcome: Uint8Array.from(columns.outcome),
    verdict: Uint8Array.from(columns.verdict),
    state: numbers(columns.state),
    metrics: Object.fromEntries(Object.entries(metrics).map(([metric, column]) => [metric, numbers(column)])),
  };
}

const verdicts: readonly SampleVerdict[] = sampleVerdict.options;

/**
 * Turns samples into columns. Numbers that are not finite are left out: JSON has no word for them. The agent is none of the
 * columns: it is that of the batch.
 */
export function columnsOf(samples: readonly Omit<Sample, 'id' | 'agent'>[]): Omit<BatchBody, 'version' | 'key'> {
  const endpoints = new Dictionary<string>();
  const kinds = new Dictionary<Sample['kind']>();
  const outcomes = new Dictionary<string>();
  const states = new Dictionary<string>();
  const metrics: BatchBody['metrics'] = {};
  samples.forEach((sample, row) => {
    for (const [metric, value] of Object.entries(sample.metrics)) {
      if (!Number.isFinite(value)) continue;
      const column = (metrics[metric as SampleMetric] ??= Array<number | null>(samples.length).fill(null));
      // No negative zero, for JSON has none.
      column[row] = value + 0;
    }
  });
  return {
    count: samples.length,
    atMs: samples.map(({ atMs }) => atMs),
    endpoint: samples.map(({ endpoint }) => endpoints.index(wellFormed(endpoint))),
    kind: samples.map(({ kind }) => kinds.index(kind)),
    outcome: samples.map(({ outcome }) => outcomes.index(outcome)),
    verdict: samples.map(({ verdict }) => verdicts.indexOf(verdict)),
    state: samples.map(({ state }) => (state === null ? null : states.index(wellFormed(state)))),
    ...(samples.some(({ detail }) => detail !== null) && {
      detail: samples.map(({ detail }) => (detail === null ? null : wellFormed(detail))),
    }),
    metrics,
    endpoints: endpoints.words,
    kinds: kinds.words,
    outcomes: outcomes.words,
    states: states.words,
  };
}

/** The samples of a batch, with their ids. */
export function samplesOf(batch: {
  key: string;
  agent: string;
  columns: SampleColumns;
  rows?: readonly number[];
}): Sample[] {
  const { columns } = batch;
  const metrics = Object.entries(columns.metrics) as [SampleMetric, Column][];
  return Array.from({ length: columns.count }, (_, row) => {
    const state = columns.state[row];
    return {
      id: `${batch.key}/${batch.rows?.[row] ?? row}`,
      atMs: columns.atMs[row]!,
      agent: batch.agent,
      endpoint: columns.endpoints[columns.endpoint[row]!]!,
      kind: columns.kinds[columns.kind[row]!]!,
      outcome: columns.outcomes[columns.outcome[row]!]! as Sample['outcome'],
      verdict: verdicts[columns.verdict[row]!]!,
      metrics: Object.fromEntries(metrics.flatMap(([m, column]) => (isNone(column[row]) ? [] : [[m, column[row]]]))),
      state: isNone(state) ? null : columns.states[state]!,
      detail: columns.detail?.[row] ?? null,
    };
  });
}

/**
 * What keeps columns from being samples: lengths that differ, indexes beyond their dictionary, numbers that are none. Flat
 * loops, because every row that comes in passes here. Null when all is well; the shape itself is the business of the schema.
 */
export function faultOfColumns(columns: SampleColumns): string | null {
  const { count } = columns;
  return (
    faultOfNumbers('atMs', columns.atMs, count) ??
    faultOfIndexes('endpoint', columns.endpoint, count, columns.endpoints.length) ??
    faultOfIndexes('kind', columns.kind, count, columns.kinds.length) ??
    faultOfIndexes('outcome', columns.outcome, count, columns.outcomes.length) ??
    faultOfIndexes('verdict', columns.verdict, count, verdicts.length) ??
    faultOfIndexes('state', columns.state, count, columns.states.length, true) ??
    (columns.detail && columns.detail.length !== count ? lengthFault('detail', columns.detail, count) : null) ??
    Object.entries(columns.metrics).reduce<string | null>(
      (fault, [metric, column]) =>
        fault ??
        (sampleMetrics.includes(metric as SampleMetric)
          ? faultOfNumbers(`metrics.${metric}`, column, count, true)
          : `metrics.${metric} is not a metric`),
      null,
    )
  );
}

function faultOfNumbers(name: string, column: Column, count: number, nullable = false) {
  if (column.length !== count) return lengthFault(name, column, count);
  for (let i = 0; i < count; i++) {
    const value = column[i]!;
    const isWrong = isNone(value) ? !(nullable && isHole(value, column)) : value - value !== 0;
    if (isWrong) return `${name}[${i}] is ${String(value)}, not a number`;
  }
  return null;
}

function faultOfIndexes(name: string, column: Column, count: number, words: number, nullable = false) {
  if (column.length !== count) return lengthFault(name, column, count);
  for (let i = 0; i < count; i++) {
    const index = column[i]!;
    if (isNone(index) ? nullable && isHole(index, column) : index >= 0 && index < words && Number.isInteger(index))
      continue;
    return `${name}[${i}] is ${String(index)}, not an index into ${words} words`;
  }
  return null;
}

/** Half characters (lone surrogates) are no UTF-8; they become U+FFFD. */
const wellFormed = (text: string) => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** NaN stands for null where there can be no null; in a list it is a mistake. */
const isHole = (value: number | null, column: Column) => value === null || ArrayBuffer.isView(column);

const lengthFault = (name: string, column: ArrayLike<unknown>, count: number) =>
  `${name} has ${column.length} entries in place of ${count}`;

class Dictionary<Word extends string> {
  readonly words: Word[] = [];
  readonly #indexes = new Map<Word, number>();

  index(word: Word): number {
    const known = this.#indexes.get(word);
    if (known !== undefined) return known;
    this.#indexes.set(word, this.words.length);
    return this.words.push(word) - 1;
  }
}
