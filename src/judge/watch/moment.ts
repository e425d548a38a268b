import type { Network } from '../../model/network.ts';
import type { Sample } from '../../model/sample.ts';
import { durationMs } from '../../model/watch.ts';
import { agentsOf } from '../../model/watch-plan.ts';
import type { Run } from '../../store/store.ts';
import { Counts, type Excluded } from './budget.ts';
import { type Now, readClock } from './clock.ts';
import type { KnownPath, WatchInput } from './input.ts';
import { knownPaths, type SeenTrace, tracesOf } from './paths.ts';
import { type Plan, planOf } from './plan.ts';
import type { Span } from './tally.ts';
import { type VitalView, viewVital } from './vitals.ts';

/** Everything that the rules look at, worked out once. */
export interface Moment {
  input: WatchInput;
  network: Network;
  plan: Plan;
  clock: Now;
  counts: Counts;
  excluded: Excluded;
  traces: SeenTrace[];
  paths: readonly KnownPath[];
  /** By endpoint. */
  vitals: ReadonlyMap<string, VitalView[]>;
  /** The newest sample of each kind, by endpoint. */
  latest: ReadonlyMap<string, Sample[]>;
  /** Agents whose own uplink is down by their own word. */
  offline: ReadonlySet<string>;
  quorum: number;
  /** How long an endpoint has to answer again before the alert about it is over, ms. */
  recoverMs: number;
}

export function momentOf(input: WatchInput): Moment {
  const { network, latest, silence } = input;
  const plan = planOf(network);
  const clock = readClock(input.now, input.memory, silence);
  const { horizonMs } = clock;
  const offline = new Set(latest.filter((sample) => saysOffline(sample, horizonMs)).map(({ agent }) => agent));
  const counts = new Counts(input.counts);
  const maintenance = maintenanceSpans(network);
  const excluded = (name: string) => maintenance.get(name) ?? [];
  const traces = tracesOf(latest, input.paths);
  return {
    input,
    network,
    plan,
    clock,
    counts,
    excluded,
    traces,
    paths: knownPaths(input.paths, traces),
    vitals: vitalsByEndpoint(plan, input.runs, excluded, horizonMs, offline),
    latest: grouped(latest),
    offline,
    quorum: Math.min(network.watch?.quorum ?? 1, agentsOf(network).length),
    recoverMs: durationMs(network.watch?.recoverAfter ?? '10m'),
  };
}

/** Agents look at their own uplink every few seconds; an old word says nothing of now. */
const wordIsGoodMs = 180_000;

/** What fails while the uplink is down arrives as `unknown`: the agent sees to that. This is to tell why. */
function saysOffline({ kind, atMs, metrics }: Sample, horizonMs: number): boolean {
  return kind === 'client' && metrics.uplinkUp === 0 && Math.abs(horizonMs - atMs) < wordIsGoodMs;
}

/** By endpoint. */
export function maintenanceSpans(network: Network): Map<string, Span[]> {
  const spans = new Map<string, Span[]>();
  for (const { from, to, endpoints } of network.watch?.maintenance ?? [])
    for (const name of endpoints ?? network.endpoints.map((endpoint) => endpoint.name))
      spans.set(name, [...(spans.get(name) ?? []), { fromMs: Date.parse(from), toMs: Date.parse(to) }]);
  return spans;
}

function vitalsByEndpoint(
  plan: Plan,
  runs: readonly Run[],
  excluded: Excluded,
  horizonMs: number,
  offline: ReadonlySet<string>,
): Map<string, VitalView[]> {
  const byKind = new Map<string, Map<string, Map<string, Run>>>();
  for (const run of runs) {
    let endpoints = byKind.get(run.kind);
    if (!endpoints) byKind.set(run.kind, (endpoints = new Map()));
    const agents = endpoints.get(run.endpoint);
    if (agents) agents.set(run.agent, run);
    else endpoints.set(run.endpoint, new Map([[run.agent, run]]));
  }
  const views = new Map<string, VitalView[]>();
  for (const vital of plan.vitals) {
    const { kind, endpoint } = vital;
    const ofVital = byKind.get(kind)?.get(endpoint) ?? new Map<string, Run>();
    const view = viewVital(vital, ofVital, excluded(endpoint), horizonMs, (agent) => offline.has(agent));
    const before = views.get(endpoint);
    if (before) before.push(view);
    else views.set(endpoint, [view]);
  }
  return views;
}

function grouped(latest: readonly Sample[]): Map<string, Sample[]> {
  const byEndpoint = new Map<string, Sample[]>();
  for (const sample of latest) {
    const list = byEndpoint.get(sample.endpoint);
    if (list) list.push(sample);
    else byEndpoint.set(sample.endpoint, [sample]);
  }
  return byEndpoint;
}
