import { greatCircleKm } from '../../stats/globe.ts';
import type { TopologyMap } from './graphml.ts';

/** Lengths of all links of a map in one unit, and where they are from. */
export interface MapLengths {
  /** `m` where the map says where its nodes are, else every link is one hop. */
  unit: 'm' | 'hop';
  /** Whole numbers, so that sums of them are exact. */
  length: Float64Array;
  /** Links whose both ends have a place: great circle times route factor. */
  located: number;
  /** Links of a located map without a place at one end: they got the median of the others, a guess. */
  assumed: number;
  assumedLength: number | null;
}

/**
 * Metres where at least half of the links have places at both ends: great circle × `routeFactor`, for fibre follows roads and rails.
 * Hops otherwise, for all links: metres and hops do not add up.
 */
export function mapLengths({ nodes, links }: TopologyMap, routeFactor: number): MapLengths {
  const metres = links.map(({ from, to }) => {
    const [a, b] = [nodes[from]!.place, nodes[to]!.place];
    return a && b ? Math.round(greatCircleKm(a, b) * routeFactor * 1000) : null;
  });
  const known = metres.filter((one) => one !== null).toSorted((a, b) => a - b);
  if (known.length === 0 || known.length < links.length / 2) {
    const length = new Float64Array(links.length).fill(1);
    return { unit: 'hop', length, located: known.length, assumed: 0, assumedLength: null };
  }
  const median = known[known.length >> 1]!;
  const assumed = links.length - known.length;
  const length = Float64Array.from(metres, (one) => one ?? median);
  return { unit: 'm', length, located: known.length, assumed, assumedLength: assumed > 0 ? median : null };
}
