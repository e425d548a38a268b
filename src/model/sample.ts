import * as z from 'zod';
import type { Observation } from './observation.ts';

/**
 * What is kept of an observation over time: one wide row per probe result. Numbers that dashboards, budgets and change
 * detection ask for are columns of their own; what is more than numbers stays in `detail` as the observation itself.
 */
export const sampleMetrics = [
  'rttMs',
  'dnsMs',
  'tcpMs',
  'tlsMs',
  'ttftMs',
  'totalMs',
  'tpotMs',
  'gapMaxMs',
  'networkLowMs',
  'networkHighMs',
  'serverLowMs',
  'serverHighMs',
  'outputTokens',
  'stalls',
  'networkStalls',
  'retransmits',
  'lossShare',
  'lossUpShare',
  'lossDownShare',
  'pdvMs',
  'hops',
  'mtuBytes',
  'mbitPerS',
  'rpm',
  'certificateDaysLeft',
  'scheduleLagMs',
  'clockOffsetMs',
  'clockOffsetErrorMs',
  'clockStepMs',
  'loopLagMs',
  'cpuShare',
  'spoolBatches',
  'droppedSamples',
  'skippedStarts',
  'uplinkUp',
] as const;
export type SampleMetric = (typeof sampleMetrics)[number];

/** Kinds of observations that agents send, and kinds about the agents themselves. */
export const sampleKind = z.enum([
  'dns',
  'tcp',
  'tls',
  'ping',
  'trace',
  'mtu',
  'stamp',
  'throughput',
  'inference',
  'client',
  'round-trips',
  'responsiveness',
  'capture-exchange',
  'capture-connection',
  'capture-quality',
]);
export type SampleKind = z.infer<typeof sampleKind>;

/** How a probe ended, as a column: `ok` answered; `bad` is an answer of the network or the server that is not one; `unknown` is a fault of ours. */
export const sampleVerdict = z.enum(['ok', 'bad', 'unknown']);
export type SampleVerdict = z.infer<typeof sampleVerdict>;

export interface Sample {
  /** Unique: `<batch key>/<index in the batch>`. */
  id: string;
  /** Begin of the measurement, ms since the epoch, by the clock of the agent. */
  atMs: number;
  agent: string;
  /** Name of the endpoint; the agent itself for kind `client`. */
  endpoint: string;
  kind: SampleKind;
  /** Kind of `Outcome`. */
  outcome: Observation['outcome']['kind'];
  verdict: SampleVerdict;
  /** The metrics that this probe has; all others are absent. */
  metrics: Partial<Record<SampleMetric, number>>;
  /** What the probe says the world looks like (path ids, DNS answer, certificate and group): a change of it is an event. */
  state: string | null;
  /** The whole observation as JSON where it is more than the columns; null where it is not. */
  detail: string | null;
}
