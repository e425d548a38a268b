import { type BurnPair, leastBadEvents } from '../../model/burn.ts';
import type { Pledge } from './plan.ts';
import {
  addTallies,
  badShare,
  eventsOf,
  type Lines,
  linesOf,
  type Span,
  sliceTally,
  type Tally,
  tallyOf,
  without,
} from './tally.ts';
import type { CountsPoint } from '../../store/store.ts';

/** Counts by key, cut into lines once for all promises that read them. */
export class Counts {
  readonly #points: ReadonlyMap<string, readonly CountsPoint[]>;
  readonly #lines = new Map<string, Map<string, Map<string, CountsPoint[]>>>();
  constructor(points: ReadonlyMap<string, readonly CountsPoint[]>) {
    this.#points = points;
  }

  /** By agent; empty where nothing is known. */
  of(key: string, endpoint: string): Lines {
    let lines = this.#lines.get(key);
    if (!lines) this.#lines.set(key, (lines = linesOf(this.#points.get(key) ?? [])));
    return lines.get(endpoint) ?? new Map();
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
}

/** Below this part of the threshold it recovers: firing and recovery have thresholds of their own. */
const recoverAt = 0.5;
/** What the other agents still have to see of the threshold, the worst ones left out. */
const quorumShare = 0.5;

/** Looks at one pair of windows of one promise; `fromMs` leaves out what was before. */
export function viewPair(pledge: Pledge, pair: BurnPair, context: BurnContext, fromMs = -Infinity): PairView {
  const long = windowOf(pledge, pair.longMs, context, fromMs);
  const short = windowOf(pledge, pair.shortMs, context, fromMs);
  const allowed = 1 - pledge.slo.objective;
  const [all, newest] = [long.sum(), short.sum()];
  const longBurn = (badShare(all) * long.covered) / allowed;
  const shortBurn = (badShare(newest) * short.covered) / allowed;
  const rest = long.worstFirst().slice(Math.min(context.quorum, long.lines.size) - 1);
  const shared = [long, short].every(
    (window) => (badShare(window.sum(rest)) * window.covered) / allowed > quorumShare * pair.factor,
  );
  const over = longBurn > pair.factor && shortBurn > pair.factor && all.bad >= leastBadEvents;
  const level =
    eventsOf(newest) === 0
      ? 'unknown'
      : over && shared
        ? 'bad'
        : shortBurn > recoverAt * pair.factor
          ? 'between'
          : 'good';
  return {
    pair,
    long: all,
    short: newest,
    longBurn,
    shortBurn,
    agents: long.seeing(),
    level,
    sinceMs: short.firstBadMs(),
  };
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
  const tally = windowOf(pledge, pledge.periodMs, context, -Infinity).sum();
  const events = eventsOf(tally);
  const allowed = events * (1 - pledge.slo.objective);
  return { events, bad: tally.bad, allowed, left: events === 0 ? null : 1 - tally.bad / allowed };
}

interface Window {
  lines: Lines;
  /**
   * Share of the window that has passed since anything was measured. Of an endpoint that is new, or a server that is, the rest
   * counts as good: two lost probes of the first ten are not a fifth of an hour.
   */
  covered: number;
  sum(agents?: readonly string[]): Tally;
  worstFirst(): string[];
  /** Agents that saw bad events. */
  seeing(): string[];
  firstBadMs(): number;
}

function windowOf(
  pledge: Pledge,
  windowMs: number,
  { counts, excluded, horizonMs }: BurnContext,
  sinceMs: number,
): Window {
  const { stepMs, key } = pledge.windows.get(windowMs)!;
  const fromMs = Math.max(horizonMs - windowMs, sinceMs);
  const name = pledge.endpoint.name;
  const lines = new Map<string, readonly CountsPoint[]>();
  const tallies = new Map<string, Tally>();
  for (const [agent, line] of counts.of(key, name)) {
    const kept = without(line, stepMs, excluded(name));
    const tally = tallyOf(kept, fromMs, horizonMs);
    if (eventsOf(tally) === 0) continue;
    lines.set(agent, kept);
    tallies.set(agent, tally);
  }
  const period = pledge.windows.get(pledge.periodMs)!;
  const oldMs = pledge.periodMs === windowMs ? -Infinity : firstMs(counts.of(period.key, name), -Infinity);
  const startMs = oldMs + period.stepMs <= fromMs ? fromMs : Math.max(fromMs, firstMs(lines, fromMs));
  const ageMs = horizonMs - startMs;
  const slices = pledge.slo.method === 'timeslices';
  const share = pledge.slo.sliceObjective;
  return {
    lines,
    covered: Math.min(1, Math.max(0, ageMs / (horizonMs - fromMs))),
    sum: (agents = [...lines.keys()]) =>
      slices
        ? sliceTally(agents.map((agent) => lines.get(agent)!).filter(Boolean), fromMs, horizonMs, share)
        : addTallies(agents.flatMap((agent) => tallies.get(agent) ?? [])),
    worstFirst: () => [...tallies].sort(([, a], [, b]) => badShare(b) - badShare(a)).map(([agent]) => agent),
    seeing: () => [...tallies].flatMap(([agent, { bad }]) => (bad > 0 ? [agent] : [])).sort(),
    firstBadMs: () => firstMs(lines, fromMs, ({ bad }) => bad > 0, horizonMs),
  };
}

/** The oldest point from `fromMs` on; `otherwise` where there is none. */
function firstMs(
  lines: Lines,
  fromMs: number,
  counts: (point: CountsPoint) => boolean = () => true,
  otherwise = Infinity,
): number {
  let first = otherwise;
  for (const line of lines.values()) {
    const point = line.find((p) => p.atMs >= fromMs && counts(p));
    if (point && point.atMs < first) first = point.atMs;
  }
  return first;
}
