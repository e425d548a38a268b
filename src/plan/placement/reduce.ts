import type { Placement } from './problem.ts';

/** What is settled about a site. */
export const free = 0;
export const opened = 1;
export const closed = 2;

/** A problem of the free sites only, and which sites of the whole they are. */
export interface Reduced {
  readonly problem: Placement;
  readonly siteOf: Int32Array;
}

/**
 * The problem that is left when some sites are settled. A closed site is gone. An open one is gone as well: it lowers what a
 * client costs that nothing else serves, and what is dearer than that need not be kept.
 */
export function reduce(p: Placement, state: Uint8Array): Reduced {
  const number = new Int32Array(p.sites).fill(-1);
  const siteOf: number[] = [];
  let [base, open] = [p.base, 0];
  for (let s = 0; s < p.sites; s++) {
    if (state[s] === free) number[s] = siteOf.push(s) - 1;
    else if (state[s] === opened) [base, open] = [base + p.siteCost[s]!, open + 1];
  }
  const unserved = p.unserved.slice();
  const start = new Int32Array(p.clients + 1);
  let kept = 0;
  for (let c = 0; c < p.clients; c++) {
    for (let way = p.start[c]!, end = p.start[c + 1]!; way < end; way++) {
      const s = p.site[way]!;
      if (state[s] === opened) {
        unserved[c] = p.cost[way]!;
        break;
      }
      if (state[s] === free) kept++;
    }
    start[c + 1] = kept;
  }
  const [site, cost] = [new Int32Array(kept), new Float64Array(kept)];
  for (let c = 0; c < p.clients; c++)
    for (let way = p.start[c]!, at = start[c]!, end = start[c + 1]!; at < end; way++) {
      const s = p.site[way]!;
      if (state[s] !== free) continue;
      site[at] = number[s]!;
      cost[at++] = p.cost[way]!;
    }
  const siteCost = Float64Array.from(siteOf, (s) => p.siteCost[s]!);
  const { clients, quantum } = p;
  const maxOpen = p.maxOpen - open;
  const sites = siteOf.length;
  return {
    problem: { clients, sites, start, site, cost, unserved, siteCost, maxOpen, base, quantum },
    siteOf: Int32Array.from(siteOf),
  };
}
