import type { Alert } from '../../model/alert.ts';
import type { AssessReport } from '../../model/assess.ts';

/** One step of a line: a percentile and what happened in it; null where nothing was measured. */
export interface LinePoint {
  atMs: number;
  value: number | null;
  ok: number;
  bad: number;
}

/** What is seen of one endpoint over the last hour. */
export interface EndpointLines {
  name: string;
  /** Median round trip per minute, ms. */
  rtt: readonly LinePoint[];
  /** Median time to first token per minute, ms. */
  ttft: readonly LinePoint[];
}

export interface AgentState {
  name: string;
  site: string | null;
  lastArrivalMs: number | null;
}

export interface BudgetLine {
  slo: string;
  endpoint: string;
  objective: number;
  periodDays: number;
  events: number;
  bad: number;
  /** Share that is left; below 0 when overdrawn, null without events. */
  left: number | null;
}

/** Everything that the status page tells. */
export interface StatusView {
  nowMs: number;
  fromMs: number;
  stepMs: number;
  report: AssessReport;
  lines: readonly EndpointLines[];
  alerts: readonly Alert[];
  budgets: readonly BudgetLine[];
  agents: readonly AgentState[];
  /** What the server cannot keep now; null when it keeps everything. */
  trouble: { what: 'samples' | 'documents'; isFull: boolean; forMs: number } | null;
}
