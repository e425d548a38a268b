import type { Placement } from './problem.ts';

/**
 * Maximal coverage (Church and ReVelle 1974): the same sites and ways, but what counts is only who is within `radius` of an open
 * site; the total is the weight of those who are not.
 * @param p a problem whose costs are distances or round trips, not weighted
 */
export function coverageProblem(
  p: Placement,
  radius: number,
  weight: ArrayLike<number>,
  maxOpen = p.maxOpen,
): Placement {
  const start = new Int32Array(p.clients + 1);
  const end = new Int32Array(p.clients);
  for (let c = 0; c < p.clients; c++) {
    let way = p.start[c]!;
    while (way < p.start[c + 1]! && p.cost[way]! <= radius) way++;
    end[c] = way;
    start[c + 1] = start[c]! + way - p.start[c]!;
  }
  const site = new Int32Array(start[p.clients]!);
  for (let c = 0; c < p.clients; c++) site.set(p.site.subarray(p.start[c], end[c]), start[c]);
  const unserved = Float64Array.from({ length: p.clients }, (_, c) => weight[c]!);
  const { clients, sites } = p;
  const quantum = unserved.every(Number.isInteger) ? 1 : 0;
  const cost = new Float64Array(site.length);
  return { clients, sites, start, site, cost, unserved, siteCost: new Float64Array(sites), maxOpen, base: 0, quantum };
}
