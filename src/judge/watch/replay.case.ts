import type { Alert, AlertTransition } from '../../model/alert.ts';
import { network as networkSchema, type Network } from '../../model/network.ts';
import type { Sample, SampleKind } from '../../model/sample.ts';
import { jobsOf } from '../../model/watch-plan.ts';
import { seededRandom } from '../../stats/random.ts';
import { type CountsPoint, type CountsQuery, mostFailures, type Run, type StateChange } from '../../store/store.ts';
import { closerNeeds, evaluate, watchNeeds } from './evaluate.ts';
import { lookedCloser, momentOf } from './moment.ts';
import type { AgentSeen, KnownPath, LevelLine, SeriesNeed, WatchMemory } from './input.ts';

export const minute = 60_000;
export const hour = 60 * minute;
/** Where every timeline begins; a fixed moment, so that every run is the same. */
export const epochMs = Date.UTC(2026, 0, 5, 0, 0, 0);

/** How one probe ends: null where it was not sent. */
export type Result = Pick<Sample, 'outcome' | 'verdict'> & Partial<Pick<Sample, 'metrics' | 'state' | 'detail'>>;

/** What the world does to a probe: its time counts from the begin of the timeline. */
export interface Probing {
  kind: SampleKind;
  endpoint: string;
  agent: string;
  atMs: number;
  random: () => number;
}

/** A page that has to come: about whom, from when, and by when at the latest. */
export interface MustPage {
  about: RegExp;
  fromMs: number;
  byMs: number;
  /** Endpoints that it is about, for pagers that know of nothing else; default those that `about` names. */
  endpoints?: RegExp;
  /** About the monitoring itself: burn-rate rules are not asked for it. */
  ofMonitoring?: true;
}

/** A labelled history of probes, and what a good pager makes of it. */
export interface Timeline {
  name: string;
  about: string;
  seed: number;
  network: Record<string, unknown>;
  /** What the file checks would refuse, put in after them. */
  unchecked?: (network: Network) => Network;
  lengthMs: number;
  /** Evaluations begin here. Default 80 min. */
  warmMs?: number;
  /** What was measured before the begin of the timeline, at negative times. Default 6 h. */
  historyMs?: number;
  tickMs?: number;
  world(probing: Probing): Result | null;
  /** The agent is off in these times: probes nothing, says nothing. */
  agentDown?: (agent: string, ms: number) => boolean;
  /** What the agent probes in these times reaches the server when they are over. */
  agentCut?: (agent: string, ms: number) => boolean;
  /** The server neither takes batches nor judges. */
  serverDown?: (ms: number) => boolean;
  /** Levels are asked for: round trips and times to the first token are watched for shifts. */
  levels?: true;
  /** How far the clock of the server is ahead. */
  serverAheadMs?: (ms: number) => number;
  agentAheadMs?: (agent: string, ms: number) => number;
  /** The agent finds its own uplink down, says so, and calls what fails unknown. */
  uplinkDown?: (agent: string, ms: number) => boolean;
  truth: {
    must: MustPage[];
    /** Tickets that have to come. */
    tickets?: MustPage[];
    /** What has to be told for the record. */
    infos?: MustPage[];
    /** More pages than `must` that are no harm: a second page for a second trouble. Default 0. */
    mayPage?: number;
  };
}

export interface Told {
  atMs: number;
  severity: string;
  rule: string;
  subject: string;
  claim: string;
}

export interface Replay {
  /** Everything that receivers were told of as firing, by time since the begin. */
  fired: Told[];
  resolved: Told[];
  transitions: AlertTransition[];
  alerts: Alert[];
  ticks: number;
}

const answered: Result = { outcome: 'answered', verdict: 'ok', metrics: { rttMs: 20 } };
export const ok = (metrics: Sample['metrics'] = {}): Result => ({ ...answered, metrics: { rttMs: 20, ...metrics } });
export const lost: Result = { outcome: 'timedOut', verdict: 'bad' };
export const refused: Result = { outcome: 'refused', verdict: 'bad' };

/** One probe as it was sent and as it arrives. */
export interface Delivered {
  sample: Sample;
  /** True time at which it reaches the server. */
  arrivesMs: number;
  /** True time at which it was sent. */
  sentMs: number;
}

export function networkOf(timeline: Timeline): Network {
  const network = networkSchema.parse(timeline.network);
  return timeline.unchecked?.(network) ?? network;
}

/** Every probe of a timeline, in the order of arrival. */
export function samplesOf(timeline: Timeline, network: Network): Delivered[] {
  const delivered: Delivered[] = [];
  const jobs = jobsOf(network);
  for (const [index, { probe, endpoint, agent, everyMs }] of jobs.entries()) {
    const random = seededRandom(timeline.seed * 1000 + index);
    const phaseMs = Math.floor(random() * everyMs);
    for (let atMs = phaseMs - (timeline.historyMs ?? 6 * hour); atMs < timeline.lengthMs; atMs += everyMs) {
      if (timeline.agentDown?.(agent, atMs)) continue;
      const seen = timeline.world({ kind: probe, endpoint, agent, atMs, random });
      const isOwn = seen?.verdict === 'bad' && timeline.uplinkDown?.(agent, atMs) === true;
      const result = seen && isOwn ? { ...seen, verdict: 'unknown' as const } : seen;
      if (result) delivered.push(deliver(timeline, probe, endpoint, agent, atMs, result, delivered.length, random));
    }
  }
  for (const agent of new Set(jobs.map((job) => job.agent)))
    for (let atMs = 0; timeline.uplinkDown && atMs < timeline.lengthMs; atMs += 10_000) {
      if (timeline.agentDown?.(agent, atMs)) continue;
      const metrics = { uplinkUp: timeline.uplinkDown(agent, atMs) ? 0 : 1 };
      delivered.push(
        deliver(timeline, 'client', agent, agent, atMs, { ...answered, metrics }, delivered.length, () => 0.5),
      );
    }
  return delivered.sort((a, b) => a.arrivesMs - b.arrivesMs || a.sentMs - b.sentMs);
}

function deliver(
  timeline: Timeline,
  kind: SampleKind,
  endpoint: string,
  agent: string,
  sentMs: number,
  result: Result,
  index: number,
  random: () => number,
): Delivered {
  let arrivesMs = sentMs + 1000 + Math.floor(random() * 4000);
  const isHeld = () => timeline.agentCut?.(agent, arrivesMs) || timeline.serverDown?.(arrivesMs);
  const wasHeld = isHeld();
  while (isHeld()) arrivesMs += 1000;
  // A spool is handed over oldest first, some thousand results a second.
  if (wasHeld) arrivesMs += 2000;
  const atMs = epochMs + sentMs + (timeline.agentAheadMs?.(agent, sentMs) ?? 0);
  const sample = { id: `s/${index}`, atMs, agent, endpoint, kind, metrics: {}, state: null, detail: null, ...result };
  return { sample, arrivesMs, sentMs };
}

/** What a store answers, from plain arrays: the twin of the real ones, small enough to be seen to be right. */
class Twin {
  /** By probe, then by step and limit. */
  readonly #bins = new Map<string, Map<string, Bins>>();
  readonly #lines = new Map<string, Sample[]>();
  readonly #latest = new Map<string, Sample>();
  readonly #results = new Map<string, { lastMs: number; lastOkMs: number; badMs: number[] }>();
  readonly #changes: StateChange[] = [];
  readonly seen = new Map<string, AgentSeen>();

  take(sample: Sample, nowMs: number): void {
    const { agent, kind, endpoint } = sample;
    const key = `${kind} ${endpoint} ${agent}`;
    const line = this.#lines.get(key) ?? [];
    this.#lines.set(key, line);
    line.push(sample);
    for (const bins of this.#bins.get(key)?.values() ?? []) count(bins, sample);
    if (sample.verdict !== 'unknown') {
      const results = this.#results.get(key) ?? { lastMs: -Infinity, lastOkMs: -Infinity, badMs: [] };
      this.#results.set(key, results);
      results.lastMs = Math.max(results.lastMs, sample.atMs);
      if (sample.verdict === 'ok') results.lastOkMs = Math.max(results.lastOkMs, sample.atMs);
      else results.badMs.push(sample.atMs);
    }
    const before = this.#latest.get(key);
    if (!before || before.atMs <= sample.atMs) {
      if (before && before.state !== null && sample.state !== null && before.state !== sample.state)
        this.#changes.push({ atMs: sample.atMs, agent, endpoint, kind, before: before.state, after: sample.state });
      this.#latest.set(key, sample);
    }
    const newest = Math.max(this.seen.get(agent)?.newestSampleMs ?? -Infinity, sample.atMs);
    this.seen.set(agent, { agent, lastArrivalMs: nowMs, newestSampleMs: newest });
  }

  counts({ fromMs, toMs, stepMs, kind, endpoints, limit, by }: CountsQuery, agents: readonly string[]): CountsPoint[] {
    const first = Math.floor(fromMs / stepMs) * stepMs;
    return endpoints.flatMap((endpoint) => {
      const sums = new Map<number, CountsPoint>();
      const points: CountsPoint[] = [];
      for (const agent of agents) {
        const line = this.#binsOf(`${kind} ${endpoint} ${agent}`, stepMs, limit);
        let i = line.length;
        while (i > 0 && line[i - 1]!.atMs >= first) i--;
        for (; i < line.length && line[i]!.atMs < toMs; i++) {
          const { atMs, good, bad, unknown } = line[i]!;
          points.push({ ...line[i]! });
          const sum = sums.get(atMs) ?? { atMs, endpoint, agent: null, good: 0, bad: 0, unknown: 0 };
          sums.set(atMs, { ...sum, good: sum.good + good, bad: sum.bad + bad, unknown: sum.unknown + unknown });
        }
      }
      return by === 'endpoint' ? [...sums.values()] : points;
    });
  }

  runs(sinceMs: number): Run[] {
    return [...this.#results].flatMap(([key, { lastMs, lastOkMs, badMs }]) => {
      const [kind, endpoint, agent] = key.split(' ') as [SampleKind, string, string];
      const failures = badMs.filter((ms) => ms > lastOkMs && ms >= sinceMs).sort((a, b) => a - b);
      return lastMs < sinceMs ? [] : [{ endpoint, agent, kind, lastMs, badMs: failures.slice(-mostFailures) }];
    });
  }

  #binsOf(key: string, stepMs: number, limit: CountsQuery['limit']): CountsPoint[] {
    const ofKey = this.#bins.get(key) ?? new Map<string, Bins>();
    this.#bins.set(key, ofKey);
    const id = `${stepMs} ${limit?.metric ?? ''} ${limit?.max ?? ''}`;
    let bins = ofKey.get(id);
    if (bins) return bins.line;
    bins = { stepMs, limit, line: [] };
    for (const sample of this.#lines.get(key) ?? []) count(bins, sample);
    ofKey.set(id, bins);
    return bins.line;
  }

  /** Medians per step of each agent. */
  levels(
    { fromMs, toMs, stepMs, kind, metric, endpoints }: SeriesNeed['query'],
    agents: readonly string[],
  ): LevelLine[] {
    return endpoints.flatMap((endpoint) =>
      agents.map((agent) => {
        const slots: number[][] = Array.from({ length: (toMs - fromMs) / stepMs }, () => []);
        const line = this.#lines.get(`${kind} ${endpoint} ${agent}`) ?? [];
        for (let i = line.length - 1; i >= 0 && line[i]!.atMs >= fromMs - hour; i--) {
          const { atMs, metrics } = line[i]!;
          const value = metrics[metric];
          if (value !== undefined) slots[Math.floor((atMs - fromMs) / stepMs)]?.push(value);
        }
        const middle = (values: number[]) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
        return { endpoint, agent, fromMs, stepMs, values: Float32Array.from(slots, (values) => middle(values) ?? NaN) };
      }),
    );
  }

  latest(sinceMs: number): Sample[] {
    return [...this.#latest.values()].filter(({ atMs }) => atMs >= sinceMs);
  }

  changes(fromMs: number, toMs: number): StateChange[] {
    return this.#changes.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  }

  samples(kind: SampleKind, endpoint: string, agent: string): readonly Sample[] {
    return this.#lines.get(`${kind} ${endpoint} ${agent}`) ?? [];
  }
}

interface Bins {
  stepMs: number;
  limit: CountsQuery['limit'];
  /** Oldest first. */
  line: CountsPoint[];
}

function count({ stepMs, limit, line }: Bins, { atMs, verdict, metrics, endpoint, agent }: Sample): void {
  const slot = Math.floor(atMs / stepMs) * stepMs;
  let i = line.length;
  while (i > 0 && line[i - 1]!.atMs > slot) i--;
  if (line[i - 1]?.atMs !== slot) line.splice(i++, 0, { atMs: slot, endpoint, agent, good: 0, bad: 0, unknown: 0 });
  const bin = line[i - 1]!;
  const value = limit ? metrics[limit.metric] : 0;
  if (verdict === 'unknown') bin.unknown++;
  else if (verdict === 'ok' && (!limit || (value !== undefined && value <= limit.max))) bin.good++;
  else bin.bad++;
}

/** Runs a timeline through the evaluation as a server would: every tick, with the clock that the server believes in. */
export function replay(timeline: Timeline): Replay {
  const network = networkOf(timeline);
  const agents = [...new Set(jobsOf(network).map((job) => job.agent))];
  const deliveries = samplesOf(timeline, network);
  const twin = new Twin();
  for (const agent of agents) twin.seen.set(agent, { agent, lastArrivalMs: null, newestSampleMs: null });
  const cache = new Map<string, { untilMs: number; points: CountsPoint[] }>();
  const result: Replay = { fired: [], resolved: [], transitions: [], alerts: [], ticks: 0 };
  let memory: WatchMemory | null = null;
  let paths: readonly KnownPath[] = [];
  let levels = new Map<string, LevelLine[]>();
  let next = 0;
  const tickMs = timeline.tickMs ?? 10_000;
  for (let ms = timeline.warmMs ?? 80 * minute; ms <= timeline.lengthMs; ms += tickMs) {
    const now = epochMs + ms + (timeline.serverAheadMs?.(ms) ?? 0);
    for (; next < deliveries.length && deliveries[next]!.arrivesMs <= ms; next++) {
      const { sample, arrivesMs } = deliveries[next]!;
      twin.take(sample, epochMs + arrivesMs + (timeline.serverAheadMs?.(arrivesMs) ?? 0));
    }
    if (timeline.serverDown?.(ms)) continue;
    const silence = [...twin.seen.values()];
    const needs = watchNeeds({ network, now, memory, silence });
    const counts = new Map(
      needs.counts.map(({ key, query, maxAgeMs, tailMs }) => {
        const kept = cache.get(key);
        const isSteady = tailMs === undefined || query.stepMs === minute;
        if (kept && isSteady && ms < kept.untilMs) return [key, kept.points];
        const points = twin.counts(query, agents);
        cache.set(key, { untilMs: ms + maxAgeMs, points });
        return [key, points];
      }),
    );
    if (timeline.levels && ms % minute === 0)
      levels = new Map(needs.series.map(({ key, query }) => [key, twin.levels(query, agents)]));
    const input = {
      network,
      now,
      alerts: result.alerts,
      memory,
      paths,
      counts,
      levels,
      changes: twin.changes(needs.changes.fromMs, now + hour),
      latest: twin.latest(needs.latestSinceMs),
      runs: twin.runs(needs.runsSinceMs),
      silence,
    };
    const moment = momentOf(input);
    const closer = closerNeeds(moment).map(({ key, query }) => [key, twin.counts(query, agents)] as const);
    const out = evaluate(lookedCloser(moment, new Map(closer)));
    result.ticks++;
    ({ memory, paths } = out);
    result.alerts = out.alerts;
    for (const transition of out.transitions) {
      result.transitions.push(transition);
      const { severity, rule, subject, finding } = transition.alert;
      const told = { atMs: ms, severity, rule, subject, claim: finding.claim };
      if (transition.notify === 'fire') result.fired.push(told);
      if (transition.notify === 'resolve') result.resolved.push(told);
    }
  }
  return result;
}

export interface Score {
  missed: string[];
  falsePages: Told[];
  /** Time from the begin of the trouble to its page, for each that had to come; null when missed. */
  delaysMs: (number | null)[];
}

/** Holds what was told against the truth. A page is false that no `must` asks for, `mayPage` aside. */
export function score(timeline: Timeline, fired: readonly Told[]): Score {
  const pages = fired.filter(({ severity }) => severity === 'page');
  const used = new Set<Told>();
  const missed: string[] = [];
  const delaysMs = timeline.truth.must.map((must) => {
    const page = pages.find(
      (p) => !used.has(p) && must.about.test(`${p.rule} ${p.subject}`) && p.atMs >= must.fromMs && p.atMs <= must.byMs,
    );
    if (page) used.add(page);
    else missed.push(`page about ${must.about.source} by ${must.byMs / minute} min`);
    return page ? page.atMs - must.fromMs : null;
  });
  const { tickets = [], infos = [] } = timeline.truth;
  const others = [
    ...tickets.map((must) => ({ must, severity: 'ticket' })),
    ...infos.map((must) => ({ must, severity: 'info' })),
  ];
  for (const { must, severity } of others) {
    const isIt = (t: Told) =>
      t.severity === severity &&
      must.about.test(`${t.rule} ${t.subject}`) &&
      t.atMs >= must.fromMs &&
      t.atMs <= must.byMs;
    if (!fired.some(isIt)) missed.push(`${severity} about ${must.about.source} by ${must.byMs / minute} min`);
  }
  const rest = pages.filter((page) => !used.has(page));
  return { missed, falsePages: rest.slice(Math.min(rest.length, timeline.truth.mayPage ?? 0)), delaysMs };
}
