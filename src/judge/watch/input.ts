import type { Alert, AlertTransition } from '../../model/alert.ts';
import type { Network } from '../../model/network.ts';
import type { Sample } from '../../model/sample.ts';
import type { CountsPoint, CountsQuery, Run, SeriesQuery, StateChange } from '../../store/store.ts';

/** When an agent was last heard of. */
export interface AgentSeen {
  agent: string;
  /** Last batch or poll that arrived, by the clock of the server; null: never. */
  lastArrivalMs: number | null;
  /** Begin of the newest sample that arrived, by the clock of the agent; null: none. */
  newestSampleMs: number | null;
}

/** A question to the store. The answer may be kept for `maxAgeMs`: long windows do not have to be counted every time. */
export interface CountsNeed {
  key: string;
  query: CountsQuery;
  maxAgeMs: number;
  /** Points of the last so many ms are wanted anew every time, the older ones at most every `maxAgeMs`. Default: all alike. */
  tailMs?: number;
}

/** Levels of all lines over a range that moves on by whole steps. */
export interface SeriesNeed {
  key: string;
  /** Of a line; `query` covers all of it. */
  rangeMs: number;
  query: SeriesQuery & { endpoints: readonly string[] };
}

/** Values of one line at even steps, NaN where there is none. Never changed: a newer one takes its place. */
export interface LevelLine {
  endpoint: string;
  agent: string;
  fromMs: number;
  stepMs: number;
  values: Float32Array;
}

/** Everything that `evaluate` wants to know of the store this time. */
export interface WatchNeeds {
  counts: CountsNeed[];
  series: SeriesNeed[];
  /** For `Store.changes`: changes from `recentFromMs` on, and of endpoints that have one all from `fromMs` on. */
  changes: { fromMs: number; recentFromMs: number };
  /** For `Store.runs`. */
  runsSinceMs: number;
  /** For `Store.latest`. */
  latestSinceMs: number;
}

/** The way from an agent to an endpoint when it last led there. */
export interface KnownPath {
  agent: string;
  endpoint: string;
  atMs: number;
  /** State of that sample: while it is the same, so is the path. */
  state: string | null;
  /** Addresses that every way passes, nearest first; the endpoint’s own address last. */
  hops: string[];
}

/** What has to be remembered between two evaluations besides the alerts. Small, and JSON. */
export interface WatchMemory {
  /** When the last evaluation was, by the clock of the server. */
  evaluatedAtMs: number;
  /** The time up to which data were judged then. */
  horizonMs: number;
  /** Since when evaluations come one after the other: the start, or the end of a gap or a step of the clock. */
  resumedAtMs: number;
  /** The gap or step before that. */
  gap: { fromMs: number; toMs: number } | null;
}

export interface WatchInput {
  network: Network;
  /** Clock of the server, ms since the epoch. */
  now: number;
  /** What the last evaluation returned; empty at first. */
  alerts: readonly Alert[];
  /** What the last evaluation returned; null at first. */
  memory: WatchMemory | null;
  /** What the last evaluation returned; empty at first. */
  paths: readonly KnownPath[];
  /** Answers to `watchNeeds`, by key. A key without an answer counts as "not known", never as good. */
  counts: ReadonlyMap<string, readonly CountsPoint[]>;
  levels: ReadonlyMap<string, readonly LevelLine[]>;
  changes: readonly StateChange[];
  runs: readonly Run[];
  latest: readonly Sample[];
  silence: readonly AgentSeen[];
}

/**
 * `alerts` replaces what was kept, `transitions` is what has changed since. Store both, with `memory`, in one commit, so that
 * no page is lost or doubled. `paths` is the same array as came in when no path has changed.
 */
export interface WatchResult {
  alerts: Alert[];
  transitions: AlertTransition[];
  memory: WatchMemory;
  paths: readonly KnownPath[];
}
