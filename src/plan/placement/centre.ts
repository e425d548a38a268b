import { coverProblem, settleCover } from './cover.ts';
import type { Placement } from './problem.ts';
import { placeSites } from './search.ts';

/** What is known about the least possible greatest distance. */
export interface CentreStanding {
  open: Uint8Array;
  /** Distance of the client that is worst off; Infinity when one reaches no open site. */
  radius: number;
  /** No choice of sites has a smaller radius. */
  lowerBound: number;
  /** Parts of the searches that were bounded. */
  nodes: number;
}

/**
 * p-centre: at most `maxOpen` sites so that the client who is worst off is as near as can be. Binary search over the distances
 * that occur; each step asks whether so many sites can cover everybody within that radius, which the search for placements
 * answers by sites or by a bound. Starts from Gonzalez' farthest-first choice (1985).
 * @param p distances without weights, every way kept (`unserved` above all of them)
 */
export function* placeCentre(p: Placement): Generator<CentreStanding, CentreStanding> {
  let open = farthestFirst(p);
  const distances = Float64Array.from(new Set(p.cost)).sort();
  let radius = radiusOf(p, open);
  let low = indexOfDistance(distances, nearestOfWorst(p));
  let high = distances.length - 1;
  if (radius < Infinity) high = indexOfDistance(distances, radius);
  let [done, nodes] = [0, 0];
  const standing = (): CentreStanding => ({ open, radius, lowerBound: Math.min(radius, distances[low] ?? 0), nodes });
  yield standing();
  // Known so far: nothing below distances[low] is possible, and distances[high] is, or is not known to be.
  while (low < high || radius === Infinity) {
    if (low > high) break;
    const middle = (low + high) >> 1;
    let isPossible = false;
    const cover = placeSites(coverProblem(p, distances[middle]!), { enough: p.maxOpen, settle: settleCover });
    for (const { total, open: found, nodes: parts } of steps(cover)) {
      nodes = done + parts;
      isPossible = total <= p.maxOpen;
      if (isPossible) open = withoutGaps(p, distances[middle]!, found);
      yield standing();
    }
    done = nodes;
    if (isPossible) {
      radius = radiusOf(p, open);
      high = indexOfDistance(distances, radius);
    } else low = middle + 1;
  }
  return low > high ? { ...standing(), lowerBound: radius } : standing();
}

/** The values that a generator yields, and the one that it returns. */
function* steps<T>(generator: Generator<T, T>): Generator<T> {
  for (;;) {
    const step = generator.next();
    yield step.value;
    if (step.done) return;
  }
}

/** Opens a site for each client that stays out, which costs no more: the limit bounds both together. */
function withoutGaps(p: Placement, radius: number, open: Uint8Array): Uint8Array {
  const all = open.slice();
  for (let c = 0; c < p.clients; c++) if (distanceOf(p, c, all) > radius) all[p.site[p.start[c]!]!] = 1;
  return all;
}

export function radiusOf(p: Placement, open: ArrayLike<number>): number {
  let radius = 0;
  for (let c = 0; c < p.clients; c++) {
    let way = p.start[c]!;
    const end = p.start[c + 1]!;
    while (way < end && !open[p.site[way]!]) way++;
    radius = Math.max(radius, way < end ? p.cost[way]! : Infinity);
  }
  return radius;
}

/** The greatest distance from a client to its nearest possible site: no radius is below. */
function nearestOfWorst(p: Placement): number {
  let worst = 0;
  for (let c = 0; c < p.clients; c++) {
    const first = p.start[c]!;
    worst = Math.max(worst, first < p.start[c + 1]! ? p.cost[first]! : Infinity);
  }
  return worst;
}

/** Again and again the site nearest to the client that is farthest from all open ones. */
function farthestFirst(p: Placement): Uint8Array {
  const open = new Uint8Array(p.sites);
  for (let n = 0; n < Math.min(p.maxOpen, p.sites); n++) {
    let [farthest, distance] = [-1, -1];
    for (let c = 0; c < p.clients; c++) {
      const mine = distanceOf(p, c, open);
      if (mine > distance && p.start[c]! < p.start[c + 1]!) [farthest, distance] = [c, mine];
    }
    if (farthest < 0 || distance === 0) break;
    open[p.site[p.start[farthest]!]!] = 1;
  }
  return open;
}

function distanceOf(p: Placement, client: number, open: Uint8Array): number {
  const end = p.start[client + 1]!;
  let way = p.start[client]!;
  while (way < end && !open[p.site[way]!]) way++;
  return way < end ? p.cost[way]! : Infinity;
}

/** First index whose distance is at least this; the length where there is none. */
function indexOfDistance(distances: Float64Array, distance: number): number {
  let [low, high] = [0, distances.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (distances[middle]! < distance) low = middle + 1;
    else high = middle;
  }
  return low;
}
