import type { Network } from '../../model/network.ts';
import type { Sample } from '../../model/sample.ts';
import { durationMs } from '../../model/watch.ts';
import { agentsOf } from '../../model/watch-plan.ts';
import type { Run } from '../../store/store.ts';
import { type BurnContext, Counts } from './budget.ts';
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
  /** For what objectives ask. */
  burn: BurnContext;
  traces: SeenTrace[];
  paths: readonly KnownPath[];
  /** By endpoint. */
  vitals: ReadonlyMap<string, VitalView[]>;
  /** The newest sample of each kind, of one endpoint. */
  latestOf(endpoint: string): readonly Sample[];
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
  const maintenance = maintenanceSpans(network);
  const excluded = (name: string) => maintenance.get(name) ?? [];
  const traces = tracesOf(latest, input.paths);
  const quorum = Math.min(network.watch?.quorum ?? 1, agentsOf(network).length);
  return {
    input,
    network,
    plan,
    clock,
    burn: { counts: new Counts(input.counts), excluded, horizonMs, quorum, windows: new Map() },
    traces,
    paths: knownPaths(input.paths, traces),
    vitals: vitalsByEndpoint(plan, input.runs, excluded, horizonMs, offline),
    latestOf: byEndpoint(latest),
    offline,
    quorum,
    recoverMs: durationMs(network.watch?.recoverAfter ?? '10m'),
  };
}

/** The same moment, with answers to `closerNeeds`. */
export function lookedCloser(moment: Moment, counts: WatchInput['counts']): Moment {
  const { input, burn } = moment;
  const all = new Map([...input.counts, ...counts]);
  return { ...moment, input: { ...input, counts: all }, burn: { ...burn, counts: new Counts(all) } };
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
  { vitals, vitalOf, places }: Plan,
  runs: readonly Run[],
  excluded: BurnContext['excluded'],
  horizonMs: number,
  offline: ReadonlySet<string>,
): Map<string, VitalView[]> {
  // One list for all of them: a map of maps of a hundred thousand runs is more work than all that is asked of it.
  const inPlace: (Run | undefined)[] = Array.from({ length: places });
  for (const run of runs) {
    const place = vitalOf.get(run.kind)?.get(run.endpoint)?.by.get(run.agent)?.place;
    if (place !== undefined) inPlace[place] = run;
  }
  const isSilenced = (agent: string) => offline.has(agent);
  const views = new Map<string, VitalView[]>();
  for (const vital of vitals) {
    const { endpoint } = vital;
    const view = viewVital(vital, inPlace, excluded(endpoint), horizonMs, isSilenced);
    const before = views.get(endpoint);
    if (before) before.push(view);
    else views.set(endpoint, [view]);
  }
  return views;
}

/** Grouped when somebody asks: while all is well, nobody does. */
function byEndpoint(latest: readonly Sample[]): Moment['latestOf'] {
  let groups: Map<string, Sample[]> | null = null;
  return (endpoint) => (groups ??= grouped(latest)).get(endpoint) ?? [];
}

function grouped(latest: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of latest) {
    const list = groups.get(sample.endpoint);
    if (list) list.push(sample);
    else groups.set(sample.endpoint, [sample]);
  }
  return groups;
}
