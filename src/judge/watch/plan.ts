import { type BurnPair, burnPairs } from '../../model/burn.ts';
import type { Endpoint, Network } from '../../model/network.ts';
import { durationMs, type Slo } from '../../model/watch.ts';
import { agentsOf, endpointsOfSlo, type Job, jobsOf } from '../../model/watch-plan.ts';
import type { CountsQuery } from '../../store/store.ts';
import { type Indicator, indicatorOf } from './indicator.ts';
import type { CountsNeed } from './input.ts';
import { cutSlots, partsKey, type Span } from './tally.ts';

const minuteMs = 60_000;
/** Begins the keys of counts by agent. */
export const closerPrefix = 'agents/';
const hourMs = 60 * minuteMs;

/** One promise about one endpoint, with all that follows from the network file. */
export interface Pledge {
  slo: Slo;
  endpoint: Endpoint;
  indicator: Indicator;
  periodMs: number;
  pairs: BurnPair[];
  /** The counts of each window, by its length. */
  windows: ReadonlyMap<number, WindowCounts>;
}

/** Where the counts of a window are: over all agents, and for a closer look agent by agent in points as wide as that affords. */
export interface WindowCounts {
  stepMs: number;
  key: string;
  closer: { stepMs: number; key: string };
}

/** Kinds whose failure means that the endpoint does not answer. ICMP is not among them: many never answer it. */
const vitalKinds = ['tcp', 'tls', 'dns', 'inference'] as const;
export type VitalKind = (typeof vitalKinds)[number];

/** One probe of one endpoint by all agents that run it. */
export interface Vital {
  kind: VitalKind;
  endpoint: string;
  /** By agent: how often, and which of all runs of vitals this is. */
  by: ReadonlyMap<string, { everyMs: number; place: number }>;
}

/** What an agent has to do. */
export interface Duty {
  /** Whatever it probes them with. */
  endpoints: string[];
  fastestMs: number;
}

/** What a network file makes of the evaluation; the same file always the same plan. */
export interface Plan {
  jobs: Job[];
  agents: string[];
  /** By agent; only of those that have something to do. */
  duties: ReadonlyMap<string, Duty>;
  /** Endpoints by the probe that anybody runs on them. */
  probed: ReadonlyMap<string, readonly string[]>;
  promises: Pledge[];
  /** Counts over all agents that promises need, the widest window of each. */
  questions: readonly Question[];
  vitals: Vital[];
  /** The same by kind and endpoint. */
  vitalOf: ReadonlyMap<string, ReadonlyMap<string, Vital>>;
  /** How many agents run them, all vitals together. */
  places: number;
}

const plans = new WeakMap<Network, Plan>();

/** Made once per network: with a thousand endpoints it is more work than an evaluation. */
export function planOf(network: Network): Plan {
  const known = plans.get(network);
  if (known) return known;
  const jobs = jobsOf(network);
  const promises = (network.watch?.slos ?? []).flatMap((slo) =>
    endpointsOfSlo(network.endpoints, slo).map((endpoint) => promiseOf(network, endpoint, slo)),
  );
  const plan: Plan = {
    jobs,
    agents: agentsOf(network).map(({ name }) => name),
    duties: dutiesOf(jobs),
    probed: probedBy(jobs),
    promises,
    questions: questionsOf(promises),
    ...vitalsOf(jobs),
  };
  plans.set(network, plan);
  return plan;
}

function promiseOf(network: Network, endpoint: Endpoint, slo: Slo): Pledge {
  const periodMs = durationMs(slo.window);
  const pairs = burnPairs(periodMs);
  const pledge = { slo, endpoint, indicator: indicatorOf(network, endpoint, slo), periodMs, pairs };
  const lengths = new Set([...pairs.flatMap(({ longMs, shortMs }) => [longMs, shortMs]), periodMs]);
  const windows = [...lengths].map((ms) => {
    const [stepMs, closerMs] = [stepOf(pledge, ms), closerStepOf(pledge, ms)];
    const closer = { stepMs: closerMs, key: `${closerPrefix}${countsKey(pledge, ms, closerMs)}` };
    return [ms, { stepMs, key: countsKey(pledge, ms, stepMs), closer }] as const;
  });
  return { ...pledge, windows: new Map(windows) };
}

/** Questions about the same counts are one, about all their endpoints and as far back as any of them goes. */
interface Question {
  key: string;
  stepMs: number;
  windowMs: number;
  /** One of those that ask. */
  promise: Pledge;
  endpoints: readonly string[];
}

function questionsOf(promises: readonly Pledge[]): Question[] {
  const questions = new Map<string, Omit<Question, 'endpoints'> & { endpoints: Set<string> }>();
  for (const promise of promises)
    for (const [windowMs, { stepMs, key }] of promise.windows) {
      const known = questions.get(key) ?? { key, stepMs, windowMs, promise, endpoints: new Set<string>() };
      known.windowMs = Math.max(known.windowMs, windowMs);
      known.endpoints.add(promise.endpoint.name);
      questions.set(key, known);
    }
  return [...questions.values()].map((question) => ({ ...question, endpoints: [...question.endpoints] }));
}

function probedBy(jobs: readonly Job[]): Map<string, string[]> {
  const probed = new Map<string, Set<string>>();
  for (const { probe, endpoint } of jobs) probed.set(probe, (probed.get(probe) ?? new Set()).add(endpoint));
  return new Map([...probed].map(([probe, endpoints]) => [probe, [...endpoints]]));
}

function dutiesOf(jobs: readonly Job[]): Map<string, Duty> {
  const duties = new Map<string, { endpoints: Set<string>; fastestMs: number }>();
  for (const { agent, endpoint, everyMs } of jobs) {
    const duty = duties.get(agent) ?? { endpoints: new Set<string>(), fastestMs: Infinity };
    duty.endpoints.add(endpoint);
    duty.fastestMs = Math.min(duty.fastestMs, everyMs);
    duties.set(agent, duty);
  }
  return new Map([...duties].map(([agent, duty]) => [agent, { ...duty, endpoints: [...duty.endpoints] }]));
}

function vitalsOf(jobs: readonly Job[]): Pick<Plan, 'vitals' | 'vitalOf' | 'places'> {
  const vitals: Vital[] = [];
  const vitalOf = new Map<string, Map<string, Vital & { by: Map<string, { everyMs: number; place: number }> }>>(
    vitalKinds.map((kind) => [kind, new Map()]),
  );
  let places = 0;
  for (const { probe, endpoint, agent, everyMs } of jobs) {
    const kind = vitalKinds.find((kind) => kind === probe);
    if (!kind) continue;
    const ofKind = vitalOf.get(kind)!;
    let vital = ofKind.get(endpoint);
    if (!vital) {
      ofKind.set(endpoint, (vital = { kind, endpoint, by: new Map() }));
      vitals.push(vital);
    }
    vital.by.set(agent, { everyMs, place: places++ });
  }
  return { vitals, vitalOf, places };
}

/** How far back results in a row are looked at: an hour, or six results of the slowest probe. */
export function runsRangeMs({ vitals }: Pick<Plan, 'vitals'>): number {
  const slowestMs = Math.max(0, ...vitals.map(({ by }) => Math.max(...[...by.values()].map(({ everyMs }) => everyMs))));
  return Math.max(3_600_000, 6 * slowestMs);
}

/** Width of the points from which a window of this length is summed: a sixtieth or so, and never cut by a rolled-up one. */
function stepOf(promise: Omit<Pledge, 'windows'>, windowMs: number): number {
  if (promise.slo.method === 'timeslices') return durationMs(promise.slo.slice);
  if (windowMs <= 10 * minuteMs) return 10_000;
  if (windowMs <= hourMs) return minuteMs;
  if (windowMs <= 6 * hourMs) return 5 * minuteMs;
  return windowMs <= 7 * 24 * hourMs ? hourMs : 6 * hourMs;
}

/** A twelfth or less, so that a window of a closer look is about as long as it says. */
function closerStepOf(promise: Omit<Pledge, 'windows'>, windowMs: number): number {
  if (promise.slo.method === 'timeslices') return durationMs(promise.slo.slice);
  const steps = [6 * hourMs, 2 * hourMs, hourMs, 30 * minuteMs, 5 * minuteMs, minuteMs];
  return steps.find((ms) => 12 * ms <= windowMs) ?? 10_000;
}

/** Key of the counts that a window of a promise is summed from; promises that count alike share them. */
function countsKey(promise: Omit<Pledge, 'windows'>, windowMs: number, stepMs: number): string {
  const { kind, limit } = promise.indicator;
  const range = windowMs === promise.periodMs ? 'period' : 'burn';
  const counted = limit ? `${kind}/${limit.metric}/${limit.max}` : kind;
  return `${range}/${counted}/${stepMs}`;
}

/** All questions about counts for the plan, up to `horizonMs`. */
export function countsNeeds(
  plan: Plan,
  maintenance: ReadonlyMap<string, readonly Span[]>,
  horizonMs: number,
): CountsNeed[] {
  const asked = new Questions(horizonMs);
  for (const { key, stepMs, windowMs, promise, endpoints } of plan.questions)
    asked.want(key, 'endpoint', promise, stepMs, windowMs, endpoints);
  for (const promise of maintenance.size === 0 ? [] : plan.promises)
    for (const [windowMs, { stepMs, key }] of promise.windows) {
      if (promise.slo.method === 'timeslices') continue;
      for (const [slotMs, partMs] of cutSlots(
        maintenance.get(promise.endpoint.name) ?? [],
        stepMs,
        horizonMs - windowMs,
      ))
        if (slotMs < horizonMs) asked.wantParts(partsKey(key, slotMs, partMs), promise, { slotMs, stepMs, partMs });
    }
  return asked.needs();
}

/** Questions that differ only in their endpoints, or in how far back they go, are one. */
export class Questions {
  readonly #horizonMs: number;
  readonly #needs = new Map<string, { need: CountsNeed; endpoints: Set<string> }>();

  constructor(horizonMs: number) {
    this.#horizonMs = horizonMs;
  }

  want(
    key: string,
    by: NonNullable<CountsQuery['by']>,
    { endpoint, indicator }: Pledge,
    stepMs: number,
    rangeMs: number,
    endpoints: readonly string[] = [endpoint.name],
  ): void {
    const fromMs = Math.floor((this.#horizonMs - rangeMs) / stepMs) * stepMs;
    // A hundredth of the window late is soon enough; what decides within minutes is asked for every time.
    const isNow = stepMs <= minuteMs && !key.includes('period/');
    const maxAgeMs = Math.min(600_000, rangeMs / 100);
    const query = { fromMs, toMs: this.#horizonMs, stepMs, by };
    const tail = isNow ? { maxAgeMs: minuteMs, tailMs: (stepMs === minuteMs ? 10 : 2) * minuteMs } : { maxAgeMs };
    this.#add(key, endpoints, indicator, query, tail);
  }

  /** The parts of one point that a maintenance cuts. */
  wantParts(
    key: string,
    { endpoint, indicator }: Pledge,
    { slotMs, stepMs, partMs }: { slotMs: number; stepMs: number; partMs: number },
  ): void {
    const query = { fromMs: slotMs, toMs: slotMs + stepMs, stepMs: partMs, by: 'endpoint' } as const;
    const isOpen = slotMs + 2 * stepMs > this.#horizonMs;
    this.#add(key, [endpoint.name], indicator, query, { maxAgeMs: isOpen ? minuteMs : 600_000 });
  }

  needs(): CountsNeed[] {
    return [...this.#needs.values()].map(({ need, endpoints }) => ({
      ...need,
      query: { ...need.query, endpoints: [...endpoints] },
    }));
  }

  #add(
    key: string,
    endpoints: readonly string[],
    { kind, limit }: Indicator,
    query: Omit<CountsQuery, 'kind' | 'endpoints'>,
    age: Pick<CountsNeed, 'maxAgeMs' | 'tailMs'>,
  ): void {
    const known = this.#needs.get(key);
    if (!known) {
      const whole = { ...query, kind, endpoints: [], ...(limit ? { limit } : {}) };
      this.#needs.set(key, { need: { key, query: whole, ...age }, endpoints: new Set(endpoints) });
      return;
    }
    for (const endpoint of endpoints) known.endpoints.add(endpoint);
    if (query.fromMs < known.need.query.fromMs) known.need = { key, query: { ...known.need.query, ...query }, ...age };
  }
}
