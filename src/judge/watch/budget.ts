import { type BurnPair, leastBadEvents } from '../../model/burn.ts';
import type { CountsNeed } from './input.ts';
import { type Plan, type Pledge, Questions, type WindowCounts } from './plan.ts';
import {
  addTallies,
  badShare,
  eventsOf,
  everyAgent,
  type Lines,
  linesOf,
  outside,
  partsKey,
  type Span,
  sliceTally,
  type Tally,
  tallyOf,
  without,
} from './tally.ts';
import type { CountsPoint } from '../../store/store.ts';

const noLines: Lines = new Map();
/** Long windows have the same points from one evaluation to the next. */
const known = new WeakMap<readonly CountsPoint[], ReadonlyMap<string, Lines>>();

/** Counts by key, cut into lines once for all promises that read them. */
export class Counts {
  readonly #points: ReadonlyMap<string, readonly CountsPoint[]>;
  constructor(points: ReadonlyMap<string, readonly CountsPoint[]>) {
    this.#points = points;
  }

  /** By agent; empty where nothing is known. */
  of(key: string, endpoint: string): Lines {
    const points = this.#points.get(key);
    if (!points) return noLines;
    let lines = known.get(points);
    if (!lines) known.set(points, (lines = linesOf(points)));
    return lines.get(endpoint) ?? noLines;
  }

  /** Without what lies in the spans, to the minute where minutes were asked for. */
  outside(key: string, endpoint: string, stepMs: number, spans: readonly Span[]): Lines {
    const lines = this.of(key, endpoint);
    if (spans.length === 0) return lines;
    return new Map(
      [...lines].map(([agent, line]) => [
        agent,
        outside(
          line,
          stepMs,
          spans,
          (slotMs, partMs) => this.of(partsKey(key, slotMs, partMs), endpoint).get(agent) ?? [],
        ),
      ]),
    );
  }
}

/** What counts for nothing: the maintenance of an endpoint. */
export type Excluded = (endpoint: string) => readonly Span[];

/** How one pair of windows looks. */
export interface PairView {
  pair: BurnPair;
  long: Tally;
  short: Tally;
  /** Times the allowed rate. */
  longBurn: number;
  shortBurn: number;
  /** Agents that saw bad events in the long window. */
  agents: string[];
  level: 'bad' | 'between' | 'good' | 'unknown';
  /** Begin of the oldest point of the short window that has bad events. */
  sinceMs: number;
}

export interface BurnContext {
  counts: Counts;
  excluded: Excluded;
  horizonMs: number;
  quorum: number;
  /** Where windows are kept that have been looked at: several rules ask for the same ones. Default: nowhere. */
  windows?: Map<WindowCounts, Window>;
}

/** Below this part of the threshold it recovers: firing and recovery have thresholds of their own. */
const recoverAt = 0.5;
/** What the other agents still have to see of the threshold, the worst ones left out. */
const quorumShare = 0.5;

/** Looks at one pair of windows of one promise; `fromMs` leaves out what was before. */
export function viewPair(pledge: Pledge, pair: BurnPair, context: BurnContext, fromMs = -Infinity): PairView {
  const [long, short] = [pair.longMs, pair.shortMs].map((ms) => windowOf(pledge, ms, context, fromMs)) as [
    Window,
    Window,
  ];
  const longBurn = burnOf(pledge, long.tally, long.covered);
  const shortBurn = burnOf(pledge, short.tally, short.covered);
  const isOver = longBurn > pair.factor && shortBurn > pair.factor && long.tally.bad >= leastBadEvents;
  const isWarm = shortBurn > recoverAt * pair.factor;
  const witnesses = isWarm ? witnessesOf(pledge, pair, { long, short }, context, fromMs) : null;
  const level =
    eventsOf(short.tally) === 0 ? 'unknown' : isOver && witnesses?.areEnough ? 'bad' : isWarm ? 'between' : 'good';
  const { tally: all } = long;
  const agents = witnesses?.agents ?? [];
  return {
    pair,
    long: all,
    short: short.tally,
    longBurn,
    shortBurn,
    agents,
    level,
    sinceMs: isWarm ? short.firstBadMs() : context.horizonMs,
  };
}

function burnOf({ slo }: Pledge, tally: Tally, covered: number): number {
  return (badShare(tally) * covered) / (1 - slo.objective);
}

/** Who sees it, and whether enough of them do: without the worst ones the others still have to see a part of it. */
function witnessesOf(
  pledge: Pledge,
  pair: BurnPair,
  { long, short }: { long: Window; short: Window },
  context: BurnContext,
  fromMs: number,
): { areEnough: boolean; agents: string[] } {
  const views = [
    { window: closerOf(pledge, pair.longMs, context, fromMs), covered: long.covered },
    { window: closerOf(pledge, pair.shortMs, context, fromMs), covered: short.covered },
  ];
  const tallies = views[0]!.window.tallies;
  const worstFirst = [...tallies].sort(([, a], [, b]) => badShare(b) - badShare(a)).map(([agent]) => agent);
  const rest = worstFirst.slice(Math.min(context.quorum, worstFirst.length) - 1);
  return {
    areEnough:
      rest.length > 0 &&
      views.every(({ window, covered }) => burnOf(pledge, window.sum(rest), covered) > quorumShare * pair.factor),
    agents: [...tallies].flatMap(([agent, { bad }]) => (bad > 0 ? [agent] : [])).sort(),
  };
}

/** Counts by agent of whatever uses up its budget too fast, or nearly so: who sees it is asked only then. */
export function closerCounts({ promises }: Plan, context: BurnContext): CountsNeed[] {
  const asked = new Questions(context.horizonMs);
  for (const pledge of promises)
    for (const pair of pledge.pairs) {
      const short = windowOf(pledge, pair.shortMs, context, -Infinity);
      if (burnOf(pledge, short.tally, short.covered) <= recoverAt * pair.factor) continue;
      for (const windowMs of [pair.longMs, pair.shortMs]) {
        const { stepMs, key } = pledge.windows.get(windowMs)!.closer;
        asked.want(key, 'endpoint-agent', pledge, stepMs, windowMs);
      }
    }
  return asked.needs();
}

/** The budget of the whole period. */
export interface Budget {
  events: number;
  bad: number;
  /** Bad events (or slices) that the objective allows for as many events. */
  allowed: number;
  /** What is left of the budget, 1 at first, below 0 when it is overdrawn; null without any event. */
  left: number | null;
}

export function budgetOf(pledge: Pledge, context: BurnContext): Budget {
  const { tally } = windowOf(pledge, pledge.periodMs, context, -Infinity);
  const events = eventsOf(tally);
  const allowed = events * (1 - pledge.slo.objective);
  return { events, bad: tally.bad, allowed, left: events === 0 ? null : 1 - tally.bad / allowed };
}

/** A window over all agents. */
interface Window {
  tally: Tally;
  /**
   * Share of the window that has passed since anything was measured. Of an endpoint that is new, or a server that is, the rest
   * counts as good: two lost probes of the first ten are not a fifth of an hour.
   */
  covered: number;
  firstBadMs(): number;
}

function windowOf(pledge: Pledge, windowMs: number, context: BurnContext, sinceMs: number): Window {
  const which = pledge.windows.get(windowMs)!;
  const isWhole = sinceMs === -Infinity;
  const known = isWhole ? context.windows?.get(which) : undefined;
  if (known) return known;
  const window = lookAt(pledge, windowMs, context, sinceMs);
  if (isWhole) context.windows?.set(which, window);
  return window;
}

function lookAt(pledge: Pledge, windowMs: number, context: BurnContext, sinceMs: number): Window {
  const { counts, excluded, horizonMs } = context;
  const { stepMs, key } = pledge.windows.get(windowMs)!;
  const fromMs = Math.max(horizonMs - windowMs, sinceMs);
  const name = pledge.endpoint.name;
  const line = counts.outside(key, name, stepMs, excluded(name)).get(everyAgent) ?? [];
  const period = pledge.windows.get(pledge.periodMs)!;
  const oldMs = pledge.periodMs === windowMs ? -Infinity : firstMs(counts.of(period.key, name).values(), -Infinity);
  const startMs = oldMs + period.stepMs <= fromMs ? fromMs : Math.max(fromMs, firstMs([line], fromMs));
  return {
    tally: tallyWindow(pledge, [line], fromMs, horizonMs),
    covered: Math.min(1, Math.max(0, (horizonMs - startMs) / (horizonMs - fromMs))),
    firstBadMs: () => firstMs([line], fromMs, ({ bad }) => bad > 0, horizonMs),
  };
}

function tallyWindow({ slo }: Pledge, lines: readonly (readonly CountsPoint[])[], fromMs: number, toMs: number): Tally {
  return slo.method === 'timeslices'
    ? sliceTally(lines, fromMs, toMs, slo.sliceObjective)
    : addTallies(lines.map((line) => tallyOf(line, fromMs, toMs)));
}

/** A window agent by agent; only those that measured anything in it. */
function closerOf(pledge: Pledge, windowMs: number, context: BurnContext, sinceMs: number) {
  const { counts, excluded, horizonMs } = context;
  const { stepMs, key } = pledge.windows.get(windowMs)!.closer;
  const fromMs = Math.max(horizonMs - windowMs, sinceMs);
  const name = pledge.endpoint.name;
  const lines = new Map<string, readonly CountsPoint[]>();
  const tallies = new Map<string, Tally>();
  for (const [agent, all] of counts.of(key, name)) {
    const line = without(all, stepMs, excluded(name));
    const tally = tallyOf(line, fromMs, horizonMs);
    if (eventsOf(tally) === 0) continue;
    lines.set(agent, line);
    tallies.set(agent, tally);
  }
  const sum = (agents: readonly string[]) =>
    tallyWindow(
      pledge,
      agents.flatMap((agent) => {
        const line = lines.get(agent);
        return line ? [line] : [];
      }),
      fromMs,
      horizonMs,
    );
  return { tallies, sum };
}

/** The oldest point from `fromMs` on; `otherwise` where there is none. */
function firstMs(
  lines: Iterable<readonly CountsPoint[]>,
  fromMs: number,
  counts: (point: CountsPoint) => boolean = () => true,
  otherwise = Infinity,
): number {
  let first = otherwise;
  for (const line of lines) {
    const point = line.find((p) => p.atMs >= fromMs && counts(p));
    if (point && point.atMs < first) first = point.atMs;
  }
  return first;
}
