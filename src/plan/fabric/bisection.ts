import type { Clos } from './clos.ts';

export interface Rates {
  endpoints: number;
  nicGbps: number;
  portGbps: number;
}

/**
 * The least capacity between two halves of the hosts, over all ways to halve them, Gbit/s: what traffic between any two halves can
 * count on. By max-flow and min-cut it is the least cut; a Clos is so symmetric that the cut needs trying only by how many leaves lie
 * on one side: within a side pods fill up one after the other, because the cost of a pod is concave in its leaves.
 */
export function bisectionGbps(clos: Clos, rates: Rates): number {
  const { endpoints, nicGbps, portGbps } = rates;
  const half = Math.floor(endpoints / 2);
  if (clos.tiers === 1) return half * nicGbps;
  let least = Infinity;
  for (let onSide = 0; onSide <= clos.leaves; onSide++) {
    // Hosts that the leaves of this side have too many or too few for a half are cut off at their own links.
    const misplaced = distanceToHalf(onSide, clos.leaves, endpoints, half);
    least = Math.min(least, misplaced * nicGbps + cutLinks(clos, onSide) * portGbps);
  }
  return least;
}

/** Hosts are spread evenly: some leaves have one more than others, and which of them lie on the side can be chosen. */
function distanceToHalf(onSide: number, leaves: number, endpoints: number, half: number): number {
  const small = Math.floor(endpoints / leaves);
  const big = endpoints - small * leaves;
  const fewest = onSide * small + Math.max(0, onSide - (leaves - big));
  const most = onSide * small + Math.min(onSide, big);
  const away = (size: number) => (size < fewest ? fewest - size : Math.max(0, size - most));
  return Math.min(away(half), away(endpoints - half));
}

/** Links between switches that a cut with `onSide` leaves on one side has at least. */
function cutLinks(clos: Clos, onSide: number): number {
  const { leaves, pods, spinesPerPod, linksPerSpine } = clos;
  if (clos.tiers === 2) return spinesPerPod * linksPerSpine * Math.min(onSide, leaves - onSide);
  const perPod = leaves / pods;
  const full = Math.floor(onSide / perPod);
  const rest = onSide - full * perPod;
  return spinesPerPod * planeCut(clos, perPod, full, rest);
}

/** The least cut in one plane: a spine in every pod and the cores over them. `full` pods lie on the side, one has `rest` leaves there. */
function planeCut(
  { pods, linksPerSpine, coresPerPlane, linksPerCore }: Clos,
  perPod: number,
  full: number,
  rest: number,
) {
  const others = pods - full - (rest > 0 ? 1 : 0);
  const above = coresPerPlane * linksPerCore;
  // Spines of the pods that are whole go with their leaves or with the cores, all of one kind alike; the split pod has either side.
  let least = Infinity;
  for (const fullHere of full > 0 ? [true, false] : [true])
    for (const othersThere of others > 0 ? [true, false] : [true])
      for (const splitHere of rest > 0 ? [true, false] : [false]) {
        const here = (fullHere ? full : 0) + (othersThere ? 0 : others) + (splitHere ? 1 : 0);
        const leafLinks =
          (fullHere ? 0 : full * perPod) +
          (othersThere ? 0 : others * perPod) +
          (rest === 0 ? 0 : splitHere ? perPod - rest : rest);
        least = Math.min(least, leafLinks * linksPerSpine + above * Math.min(here, pods - here));
      }
  return least;
}
