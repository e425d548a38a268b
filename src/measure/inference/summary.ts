import type { InferSummary, SummaryRow } from '../../model/infer-report.ts';
import type { InferenceRequest } from '../../model/inference.ts';
import { quantile, quantileInterval, sorted } from '../../stats/quantile.ts';

/** How fit this process was to measure. */
export interface ClientFacts {
  scheduleLagP99Ms: number;
  eventLoopLagMaxMs: number;
  readLagP99Ms: number;
  cpuShare: number;
  stamps: 'kernel' | 'user';
}

/**
 * Beyond these the tool itself colours its numbers. Reads that come later than a fraction of a token gap may join tokens that
 * arrived apart; bytes that lie unparsed for longer than a person notices mean that the parser cannot follow. Own choice.
 */
const readLagLimitMs = 5;
const processingLimitMs = 500;
const scheduleLagLimitMs = 25;

/** p50/p90/p99 with intervals of everything that is worth comparing between runs. */
export function summariseRequests(requests: readonly InferenceRequest[], client: ClientFacts): InferSummary {
  const answered = requests.filter((r) => r.outcome.kind === 'answered');
  const stalls = answered.flatMap((r) => r.stalls);
  const count = (cause: string) => stalls.filter((s) => s.cause === cause).length;
  const evidence = { 'server-reported': 0, kernel: 0, handshake: 0, none: 0 };
  for (const r of answered) if (r.split.ttft) evidence[r.split.ttft.evidence]++;
  const processingMaxMs = Math.max(0, ...requests.map((r) => r.client.processingMs));
  return {
    requests: requests.length,
    answered: answered.length,
    rows: rowsOf(answered),
    evidence,
    stalls: {
      gaps: answered.reduce((n, r) => n + r.gaps.length, 0),
      network: count('network'),
      server: count('server'),
      client: count('client'),
      undetermined: count('undetermined'),
    },
    client: {
      scheduleLagP99Ms: client.scheduleLagP99Ms,
      eventLoopLagMaxMs: client.eventLoopLagMaxMs,
      processingMaxMs,
      cpuShare: client.cpuShare,
      ...verdictOn(client, processingMaxMs),
    },
  };
}

function verdictOn(client: ClientFacts, processingMaxMs: number): { bottleneck: boolean; why: string } {
  const reasons: string[] = [];
  if (client.readLagP99Ms > readLagLimitMs)
    reasons.push(`reads came ${client.readLagP99Ms.toFixed(1)} ms after the bytes (p99, of few reads p90)`);
  if (processingMaxMs > processingLimitMs)
    reasons.push(`received bytes waited up to ${processingMaxMs.toFixed(0)} ms for the parser`);
  if (client.scheduleLagP99Ms > scheduleLagLimitMs)
    reasons.push(`requests left up to ${client.scheduleLagP99Ms.toFixed(0)} ms (p99) after their time`);
  if (client.stamps === 'user' && client.eventLoopLagMaxMs > scheduleLagLimitMs)
    reasons.push(
      `the event loop, which stamps the arrivals, stood still for ${client.eventLoopLagMaxMs.toFixed(0)} ms`,
    );
  if (reasons.length === 0) return { bottleneck: false, why: 'this tool kept up with everything it received and sent' };
  return {
    bottleneck: true,
    why: `${reasons.join('; ')}: send fewer requests at a time, or measure from a faster machine`,
  };
}

type Pick = [metric: string, unit: string, of: (r: InferenceRequest) => number | null | undefined];

const picks: readonly Pick[] = [
  ['dns', 'ms', (r) => r.phases.dnsMs],
  ['tcp', 'ms', (r) => r.phases.tcpMs],
  ['tls', 'ms', (r) => r.phases.tlsMs],
  ['upload', 'ms', (r) => r.phases.uploadMs],
  ['time to first byte', 'ms', (r) => r.phases.ttfbMs],
  ['time to first token', 'ms', (r) => r.phases.ttftMs],
  ['  of it network, at least', 'ms', (r) => r.split.ttft?.networkMs[0]],
  ['  of it network, at most', 'ms', (r) => r.split.ttft?.networkMs[1]],
  ['  of it server, at least', 'ms', (r) => r.split.ttft?.serverMs[0]],
  ['  of it server, at most', 'ms', (r) => r.split.ttft?.serverMs[1]],
  ['time per output token', 'ms', (r) => r.tpotMs],
  ['whole request', 'ms', (r) => r.phases.totalMs],
  ['request round trip', 'ms', (r) => r.tcp.requestRttMs],
];

function rowsOf(answered: readonly InferenceRequest[]): SummaryRow[] {
  const rows = picks.map(([metric, unit, of]) => row(metric, unit, answered.map(of)));
  const gaps = row(
    'token gap',
    'ms',
    answered.flatMap((r) => r.gaps),
  );
  rows.splice(10, 0, gaps);
  return rows.filter((r) => r.n > 0);
}

function row(metric: string, unit: string, values: readonly (number | null | undefined)[]): SummaryRow {
  const rising = sorted(values.filter((v): v is number => v !== null && v !== undefined));
  const at = (p: number) =>
    rising.length === 0 ? null : { value: micro(quantile(rising, p)), interval: quantileInterval(rising, p) };
  return { metric, unit, n: rising.length, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

function micro(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
