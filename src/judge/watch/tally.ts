import type { CountsPoint } from '../../store/store.ts';

/** Good and bad events. */
export interface Tally {
  good: number;
  bad: number;
}

/** A stretch of time that counts for nothing; `to` exclusive. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** The points of one endpoint by agent, each list oldest first. */
export type Lines = ReadonlyMap<string, readonly CountsPoint[]>;

/** Points by endpoint and agent. */
export function linesOf(points: readonly CountsPoint[]): Map<string, Map<string, CountsPoint[]>> {
  const byEndpoint = new Map<string, Map<string, CountsPoint[]>>();
  for (const point of points) {
    const agents = byEndpoint.get(point.endpoint) ?? new Map<string, CountsPoint[]>();
    byEndpoint.set(point.endpoint, agents);
    const line = agents.get(point.agent);
    if (line) line.push(point);
    else agents.set(point.agent, [point]);
  }
  for (const agents of byEndpoint.values()) for (const line of agents.values()) line.sort((a, b) => a.atMs - b.atMs);
  return byEndpoint;
}

/** Without the points that a span touches, however little: half a maintenance is maintenance. */
export function without(line: readonly CountsPoint[], stepMs: number, spans: readonly Span[]): readonly CountsPoint[] {
  if (spans.length === 0) return line;
  return line.filter(({ atMs }) => !spans.some(({ fromMs, toMs }) => atMs < toMs && atMs + stepMs > fromMs));
}

/** Events of one agent in [fromMs, toMs). A point that the beginning cuts is left out: no window is longer than it says. */
export function tallyOf(line: readonly CountsPoint[], fromMs: number, toMs: number): Tally {
  let good = 0;
  let bad = 0;
  for (let i = line.length - 1; i >= 0; i--) {
    const point = line[i]!;
    if (point.atMs < fromMs) break;
    if (point.atMs >= toMs) continue;
    good += point.good;
    bad += point.bad;
  }
  return { good, bad };
}

/**
 * Slices of time instead of events: a slice is good when enough of its events are; one without events is neither. The points
 * have the width of a slice.
 */
export function sliceTally(
  lines: Iterable<readonly CountsPoint[]>,
  fromMs: number,
  toMs: number,
  share: number,
): Tally {
  const slices = new Map<number, Tally>();
  for (const line of lines)
    for (const { atMs, good, bad } of line) {
      if (atMs < fromMs || atMs >= toMs) continue;
      const slice = slices.get(atMs) ?? { good: 0, bad: 0 };
      slices.set(atMs, { good: slice.good + good, bad: slice.bad + bad });
    }
  const sum: Tally = { good: 0, bad: 0 };
  for (const { good, bad } of slices.values()) {
    if (good + bad === 0) continue;
    if (good >= share * (good + bad)) sum.good++;
    else sum.bad++;
  }
  return sum;
}

export function eventsOf({ good, bad }: Tally): number {
  return good + bad;
}

/** Share of bad events; 0 without any. */
export function badShare(tally: Tally): number {
  return tally.bad === 0 ? 0 : tally.bad / eventsOf(tally);
}

export function addTallies(tallies: Iterable<Tally>): Tally {
  const sum: Tally = { good: 0, bad: 0 };
  for (const { good, bad } of tallies) {
    sum.good += good;
    sum.bad += bad;
  }
  return sum;
}
