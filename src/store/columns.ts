import type { BatchBody } from '../model/agent-protocol.ts';
import { sampleMetrics, sampleVerdict, type Sample, type SampleMetric, type SampleVerdict } from '../model/sample.ts';

/** Samples column by column, as agents send them and stores keep them: the body of a batch without key and version. */
export type SampleColumns = Omit<BatchBody, 'version' | 'key'>;

const verdicts: readonly SampleVerdict[] = sampleVerdict.options;

/**
 * Turns samples into columns. Numbers that are not finite are left out: JSON has no word for them. The agent is none of the
 * columns: it is that of the batch.
 */
export function columnsOf(samples: readonly Omit<Sample, 'id' | 'agent'>[]): SampleColumns {
  const endpoints = new Dictionary<string>();
  const kinds = new Dictionary<Sample['kind']>();
  const outcomes = new Dictionary<string>();
  const states = new Dictionary<string>();
  const metrics: SampleColumns['metrics'] = {};
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
  const metrics = Object.entries(columns.metrics) as [SampleMetric, (number | null)[]][];
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
      metrics: Object.fromEntries(metrics.flatMap(([m, column]) => (column[row] == null ? [] : [[m, column[row]]]))),
      state: state == null ? null : columns.states[state]!,
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

function faultOfNumbers(name: string, column: readonly (number | null)[], count: number, nullable = false) {
  if (column.length !== count) return lengthFault(name, column, count);
  for (let i = 0; i < count; i++) {
    const value = column[i]!;
    if (value === null ? !nullable : value - value !== 0) return `${name}[${i}] is ${String(value)}, not a number`;
  }
  return null;
}

function faultOfIndexes(
  name: string,
  column: readonly (number | null)[],
  count: number,
  words: number,
  nullable = false,
) {
  if (column.length !== count) return lengthFault(name, column, count);
  for (let i = 0; i < count; i++) {
    const index = column[i]!;
    if (index === null ? nullable : index >= 0 && index < words && Number.isInteger(index)) continue;
    return `${name}[${i}] is ${String(index)}, not an index into ${words} words`;
  }
  return null;
}

/** Half characters (lone surrogates) are no UTF-8; they become U+FFFD. */
const wellFormed = (text: string) => text.replace(/\p{Surrogate}/gu, '\ufffd');

const lengthFault = (name: string, column: readonly unknown[], count: number) =>
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
