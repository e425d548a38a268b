import type { Sample, SampleKind, SampleMetric } from '../model/sample.ts';
import type { SampleColumns } from './columns.ts';

/** What an agent hands over at once. Stored whole or not at all, and once however often it comes. */
export interface Batch {
  /** Unique for all times; the same key is the same batch. */
  key: string;
  agent: string;
  /** As they come over the wire: a hundred thousand rows a second leave no time to make an object of each. */
  columns: SampleColumns;
  /** Number of each row within the batch; default 0, 1, 2 …. An export may hold only some rows, and ids stay as they were. */
  rows?: readonly number[];
}

export interface SampleQuery {
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  endpoint?: string;
  agent?: string;
  kind?: SampleKind;
  /** Without `detail`, which is most of the octets. */
  columnsOnly?: boolean;
  limit: number;
  /** Where the last page ended: an opaque word of the store. */
  after?: string;
  order?: 'oldest' | 'newest';
}

export interface SamplePage {
  samples: Sample[];
  /** Give it as `after` for the next page; null at the end. */
  next: string | null;
}

export interface SeriesQuery {
  /** Points stand at multiples of `stepMs` since the epoch: `fromMs` is rounded down to one, `toMs` up. */
  fromMs: number;
  toMs: number;
  /** Width of a point. Whole minutes and hours are answered from roll-ups, for as long as these are kept; others from raw samples. */
  stepMs: number;
  kind: SampleKind;
  metric: SampleMetric;
  endpoints?: readonly string[];
  agents?: readonly string[];
  /** Percentiles wanted, in (0, 1). */
  quantiles: readonly number[];
  /** One line per endpoint and agent, or per endpoint over all agents. */
  by: 'endpoint' | 'endpoint-agent';
}

/** One point of one line: what happened in [atMs, atMs + stepMs). Where nothing did there is no point. Points are sorted by time. */
export interface SeriesPoint {
  atMs: number;
  endpoint: string;
  /** Null where all agents are taken together. */
  agent: string | null;
  ok: number;
  bad: number;
  unknown: number;
  /** Samples that have the metric. */
  n: number;
  mean: number | null;
  min: number | null;
  max: number | null;
  /** In the order asked for; right to the relative error of the histogram (1/64). */
  quantiles: (number | null)[];
}

/** Good and bad events of an indicator per agent and slice of time: what budgets are made of. Times as in `SeriesQuery`. */
export interface CountsQuery {
  fromMs: number;
  toMs: number;
  stepMs: number;
  kind: SampleKind;
  /** Many at once: budgets of a thousand endpoints are one question, not a thousand. */
  endpoints: readonly string[];
  /**
   * An answered probe is good only if it has this metric and it is at or below the limit. What is good is never called bad;
   * what is above by less than a bucket of the histogram (1/32) may be called good, so that roll-ups and raw samples agree.
   */
  limit?: { metric: SampleMetric; max: number };
  /** One line per endpoint and agent, which is the default, or per endpoint over all agents: a twentieth of the points where there are twenty. */
  by?: 'endpoint' | 'endpoint-agent';
}

/** Only slices of time in which something happened; `atMs` is a whole multiple of the step since the epoch. */
export interface CountsPoint {
  atMs: number;
  endpoint: string;
  /** Null where all agents are taken together. */
  agent: string | null;
  good: number;
  bad: number;
  /** Probes that say nothing about the endpoint: faults of the agent. */
  unknown: number;
}

/**
 * A state that differs from the one before it, of one endpoint as one agent sees it, however late either arrived. Samples
 * without a state neither make nor hide a change. Known for as long as raw samples are kept.
 */
export interface StateChange {
  atMs: number;
  agent: string;
  endpoint: string;
  kind: SampleKind;
  before: string;
  after: string;
}

/** How the newest results of one probe of one endpoint by one agent went. Results that say nothing about the endpoint do not count. */
export interface Run {
  endpoint: string;
  agent: string;
  kind: SampleKind;
  /** Of the newest result. */
  lastMs: number;
  /** Failures later than the newest success, oldest first, at most the newest `mostFailures`. */
  badMs: readonly number[];
}

/** More failures in a row say nothing new. */
export const mostFailures = 64;

export interface NewestQuery {
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  kinds: readonly SampleKind[];
  /** Of each endpoint and kind, over all agents. */
  limit: number;
}

/**
 * Where samples live. Samples of one series at the same millisecond have no order. `append` resolves only when a crash can no longer lose them; a batch whose key is known already is
 * `duplicate`, with nothing stored. Reads see every batch that was acknowledged before they began.
 * Errors of the medium (full disk, server gone) reject and leave nothing half stored.
 */
export interface Store {
  /** One line about what this is and where it keeps things. */
  about: string;
  append(batches: readonly Batch[]): Promise<('stored' | 'duplicate')[]>;
  samples(query: SampleQuery): Promise<SamplePage>;
  series(query: SeriesQuery): Promise<SeriesPoint[]>;
  counts(query: CountsQuery): Promise<CountsPoint[]>;
  changes(query: { fromMs: number; toMs: number; endpoints?: readonly string[] }): Promise<StateChange[]>;
  /**
   * The newest sample of each endpoint, agent and kind, not older than `sinceMs`. What has not changed since this was asked last may be
   * the same object in the same place.
   */
  latest(sinceMs: number): Promise<Sample[]>;
  /** Of each endpoint, agent and kind with a result not older than `sinceMs`; failures from then on. */
  runs(sinceMs: number): Promise<Run[]>;
  /** The newest samples of each endpoint and kind, oldest first: one question for a report about a thousand endpoints. */
  newest(query: NewestQuery): Promise<Sample[]>;
  /**
   * Brings roll-ups up to date and drops what is past its time; to be called every few seconds, whatever comes in.
   * @param dropNowMs the time by which it is past; default `nowMs`. Dropping cannot be undone, and clocks may be wrong
   */
  maintain(nowMs: number, dropNowMs?: number): Promise<void>;
  close(): Promise<void>;
}
