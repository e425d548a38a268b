import { type BurnPair, burnPairs } from '../../model/burn.ts';
import type { Endpoint, Network } from '../../model/network.ts';
import type { SampleKind } from '../../model/sample.ts';
import { durationMs, type Slo } from '../../model/watch.ts';
import { agentsOf, endpointsOfSlo, type Job, jobsOf } from '../../model/watch-plan.ts';
import { type Indicator, indicatorOf } from './indicator.ts';
import type { CountsNeed } from './input.ts';

/** One promise about one endpoint, with all that follows from the network file. */
export interface Pledge {
  slo: Slo;
  endpoint: Endpoint;
  indicator: Indicator;
  periodMs: number;
  pairs: BurnPair[];
  /** Step and key of the counts of each window, by its length. */
  windows: ReadonlyMap<number, { stepMs: number; key: string }>;
}

/** Kinds whose failure means that the endpoint does not answer. ICMP is not among them: many never answer it. */
const vitalKinds = ['tcp', 'tls', 'dns', 'inference'] as const;
export type VitalKind = (typeof vitalKinds)[number];

/** One probe of one endpoint by all agents that run it. */
export interface Vital {
  kind: VitalKind;
  endpoint: string;
  /** Interval by agent. */
  everyMs: ReadonlyMap<string, number>;
  stepMs: number;
  key: string;
}

/** What a network file makes of the evaluation; the same file always the same plan. */
export interface Plan {
  jobs: Job[];
  agents: string[];
  promises: Pledge[];
  vitals: Vital[];
}

const plans = new WeakMap<Network, Plan>();

/** Made once per network: with a thousand endpoints it is more work than an evaluation. */
export function planOf(network: Network): Plan {
  const known = plans.get(network);
  if (known) return known;
  const jobs = jobsOf(network);
  const plan: Plan = {
    jobs,
    agents: agentsOf(network).map(({ name }) => name),
    promises: (network.watch?.slos ?? []).flatMap((slo) =>
      endpointsOfSlo(network.endpoints, slo).map((endpoint) => promiseOf(network, endpoint, slo)),
    ),
    vitals: vitalsOf(jobs),
  };
  plans.set(network, plan);
  return plan;
}

function promiseOf(network: Network, endpoint: Endpoint, slo: Slo): Pledge {
  const periodMs = durationMs(slo.window);
  const pairs = burnPairs(periodMs);
  const pledge = { slo, endpoint, indicator: indicatorOf(network, endpoint, slo), periodMs, pairs };
  const lengths = new Set([...pairs.flatMap(({ longMs, shortMs }) => [longMs, shortMs]), periodMs]);
  const windows = [...lengths].map((ms) => [ms, { stepMs: stepOf(pledge, ms), key: countsKey(pledge, ms) }] as const);
  return { ...pledge, windows: new Map(windows) };
}

function vitalsOf(jobs: readonly Job[]): Vital[] {
  const vitals = new Map<string, { kind: VitalKind; endpoint: string; everyMs: Map<string, number> }>();
  for (const { probe, endpoint, agent, everyMs } of jobs) {
    const kind = vitalKinds.find((kind) => kind === probe);
    if (!kind) continue;
    const id = `${kind} ${endpoint}`;
    const vital = vitals.get(id) ?? { kind, endpoint, everyMs: new Map<string, number>() };
    vital.everyMs.set(agent, everyMs);
    vitals.set(id, vital);
  }
  return [...vitals.values()].map((vital) => {
    const slowestMs = Math.max(...vital.everyMs.values());
    const stepMs = slowestMs <= 60_000 ? 10_000 : 60_000;
    const rangeMs = Math.max(300_000, 6 * slowestMs);
    return { ...vital, stepMs, key: `last/${vital.kind}/${stepMs}/${rangeMs}` };
  });
}

/** Width of the points from which a window of this length is summed: a sixtieth or so, and never cut by a rolled-up one. */
function stepOf(promise: Omit<Pledge, 'windows'>, windowMs: number): number {
  if (promise.slo.method === 'timeslices') return durationMs(promise.slo.slice);
  if (windowMs <= 10 * 60_000) return 10_000;
  if (windowMs <= 60 * 60_000) return 60_000;
  return windowMs <= 6 * 3_600_000 ? 300_000 : 3_600_000;
}

/** Key of the counts that a window of a promise is summed from; promises that count alike share them. */
function countsKey(promise: Omit<Pledge, 'windows'>, windowMs: number): string {
  const { kind, limit } = promise.indicator;
  const range = windowMs === promise.periodMs ? 'period' : 'burn';
  const counted = limit ? `${kind}/${limit.metric}/${limit.max}` : kind;
  return `${range}/${counted}/${stepOf(promise, windowMs)}`;
}

/** All questions about counts for the plan, up to `horizonMs`. */
export function countsNeeds(plan: Plan, horizonMs: number): CountsNeed[] {
  const needs = new Map<
    string,
    { kind: SampleKind; limit: Indicator['limit']; stepMs: number; rangeMs: number; endpoints: Set<string> }
  >();
  const want = (
    key: string,
    kind: SampleKind,
    limit: Indicator['limit'],
    stepMs: number,
    rangeMs: number,
    endpoint: string,
  ) => {
    const need = needs.get(key) ?? { kind, limit, stepMs, rangeMs, endpoints: new Set<string>() };
    need.rangeMs = Math.max(need.rangeMs, rangeMs);
    need.endpoints.add(endpoint);
    needs.set(key, need);
  };
  for (const { key, kind, endpoint, stepMs, everyMs } of plan.vitals)
    want(key, kind, null, stepMs, Math.max(300_000, 6 * Math.max(...everyMs.values())), endpoint);
  for (const promise of plan.promises) {
    const { kind, limit } = promise.indicator;
    for (const [windowMs, { stepMs, key }] of promise.windows)
      want(key, kind, limit, stepMs, windowMs, promise.endpoint.name);
  }
  return [...needs].map(([key, { kind, limit, stepMs, rangeMs, endpoints }]) => ({
    key,
    query: {
      fromMs: Math.floor((horizonMs - rangeMs) / stepMs) * stepMs,
      toMs: horizonMs,
      stepMs,
      kind,
      endpoints: [...endpoints],
      ...(limit ? { limit } : {}),
    },
    // A hundredth of the window late is soon enough; what decides within minutes is asked for every time.
    maxAgeMs: stepMs <= 60_000 && !key.startsWith('period') ? 0 : Math.min(600_000, rangeMs / 100),
  }));
}
