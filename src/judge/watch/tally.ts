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

/** Stands for the agent where all are taken together. */
export const everyAgent = '';

/** Points by endpoint and agent. */
export function linesOf(points: readonly CountsPoint[]): Map<string, Map<string, CountsPoint[]>> {
  const byEndpoint = new Map<string, Map<string, CountsPoint[]>>();
  for (const point of points) {
    const agents = byEndpoint.get(point.endpoint) ?? new Map<string, CountsPoint[]>();
    byEndpoint.set(point.endpoint, agents);
    const agent = point.agent ?? everyAgent;
    const line = agents.get(agent);
    if (line) line.push(point);
    else agents.set(agent, [point]);
  }
  for (const agents of byEndpoint.values()) for (const line of agents.values()) line.sort((a, b) => a.atMs - b.atMs);
  return byEndpoint;
}

const minuteMs = 60_000;

/** Widths of the parts that a cut point is made of: as wide as the ends of the spans allow. */
const partsMs = [60, 30, 15, 10, 5].map((minutes) => minutes * minuteMs);

/** Points that a span cuts, and how wide their parts may be: what of them lies outside of it is known from these. */
export function cutSlots(spans: readonly Span[], stepMs: number, sinceMs: number): Map<number, number> {
  const cuts = new Map<number, number[]>();
  if (stepMs <= minuteMs || stepMs % minuteMs !== 0) return new Map();
  for (const endMs of spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs])) {
    const slotMs = Math.floor(endMs / stepMs) * stepMs;
    if (endMs !== slotMs && slotMs + stepMs > sinceMs) cuts.set(slotMs, [...(cuts.get(slotMs) ?? []), endMs]);
  }
  const partOf = (ends: readonly number[]) =>
    partsMs.find((ms) => ms < stepMs && stepMs % ms === 0 && ends.every((end) => end % ms === 0)) ?? minuteMs;
  return new Map([...cuts].map(([slotMs, ends]) => [slotMs, partOf(ends)]));
}

/** Key of the parts of one point that a maintenance cuts. */
export const partsKey = (key: string, slotMs: number, partMs: number) => `${key}/parts-of/${slotMs}/${partMs}`;

/** Without what a span touches: where parts of a point are known, those, otherwise all of it. */
export function outside(
  line: readonly CountsPoint[],
  stepMs: number,
  spans: readonly Span[],
  partsOf: (slotMs: number, partMs: number) => readonly CountsPoint[],
): readonly CountsPoint[] {
  if (spans.length === 0) return line;
  const kept = without(line, stepMs, spans);
  const parts = [...cutSlots(spans, stepMs, line[0]?.atMs ?? Infinity)].flatMap(([slotMs, partMs]) =>
    without(partsOf(slotMs, partMs), partMs, spans),
  );
  return parts.length === 0 ? kept : [...kept, ...parts].sort((a, b) => a.atMs - b.atMs);
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
