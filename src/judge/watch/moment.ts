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
  /** Those of the newest samples that tell how long a certificate is valid. */
  certificates: readonly Sample[];
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
  const sifted = sift(plan, latest);
  const offline = new Set(sifted.clients.filter((sample) => saysOffline(sample, horizonMs)).map(({ agent }) => agent));
  const maintenance = maintenanceSpans(network);
  const excluded = (name: string) => maintenance.get(name) ?? [];
  const traces = tracesOf(sifted.traces, input.paths);
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
    certificates: sifted.certificates,
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
  plan: Plan,
  runs: readonly Run[],
  excluded: BurnContext['excluded'],
  horizonMs: number,
  offline: ReadonlySet<string>,
): Map<string, VitalView[]> {
  const inPlace = placed(plan, runs);
  const isSilenced = (agent: string) => offline.has(agent);
  const views = new Map<string, VitalView[]>();
  for (const vital of plan.vitals) {
    const { endpoint } = vital;
    const view = viewVital(vital, inPlace, excluded(endpoint), horizonMs, isSilenced);
    const before = views.get(endpoint);
    if (before) before.push(view);
    else views.set(endpoint, [view]);
  }
  return views;
}

/** Newest samples that say more than how a probe went. */
interface Sifted {
  traces: Sample[];
  certificates: Sample[];
  clients: Sample[];
}

const [TRACE, CERTIFICATE, CLIENT] = [1, 2, 4];
/** What the newest samples of the last evaluation were. */
const sieves = new WeakMap<Plan, { latest: readonly Sample[]; what: Uint8Array }>();

/** Most samples are the very ones of the last evaluation, and in the same place: these are not even looked into. */
function sift(plan: Plan, latest: readonly Sample[]): Sifted {
  const before = sieves.get(plan) ?? { latest: [], what: new Uint8Array(0) };
  const what = new Uint8Array(latest.length);
  const sifted: Sifted = { traces: [], certificates: [], clients: [] };
  for (let i = 0; i < latest.length; i++) {
    const sample = latest[i]!;
    const is = sample === before.latest[i] ? before.what[i]! : whatOf(sample);
    what[i] = is;
    if (is === 0) continue;
    if (is & TRACE) sifted.traces.push(sample);
    if (is & CERTIFICATE) sifted.certificates.push(sample);
    if (is & CLIENT) sifted.clients.push(sample);
  }
  sieves.set(plan, { latest, what });
  return sifted;
}

function whatOf({ kind, metrics }: Sample): number {
  const is = kind === 'trace' ? TRACE : kind === 'client' ? CLIENT : 0;
  return metrics.certificateDaysLeft === undefined ? is : is | CERTIFICATE;
}

/** Where the runs of the last evaluation were. */
const places = new WeakMap<Plan, { runs: readonly Run[]; at: Int32Array }>();

/**
 * One list for all of them: a map of maps of a hundred thousand runs is more work than all that is asked of it. A store names the
 * same series in the same order again and again, so that most need not even be looked up.
 */
function placed(plan: Plan, runs: readonly Run[]): (Run | undefined)[] {
  const before = places.get(plan) ?? { runs: [], at: new Int32Array(0) };
  const at = new Int32Array(runs.length);
  const inPlace: (Run | undefined)[] = Array.from({ length: plan.places });
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i]!;
    const place = isSameSeries(run, before.runs[i]) ? before.at[i]! : placeOf(plan, run);
    at[i] = place;
    if (place >= 0) inPlace[place] = run;
  }
  places.set(plan, { runs, at });
  return inPlace;
}

/** -1: no vital of the plan. */
function placeOf({ vitalOf }: Plan, { kind, endpoint, agent }: Run): number {
  return vitalOf.get(kind)?.get(endpoint)?.by.get(agent)?.place ?? -1;
}

function isSameSeries(run: Run, other: Run | undefined): boolean {
  return (
    run === other ||
    (other !== undefined && run.kind === other.kind && run.endpoint === other.endpoint && run.agent === other.agent)
  );
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
