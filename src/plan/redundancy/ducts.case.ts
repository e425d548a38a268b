import type { TopologyMap } from '../../gather/topology/graphml.ts';
import { greatCircleKm } from '../../stats/globe.ts';
import { seededRandom } from '../../stats/random.ts';
import type { MapGroup } from './from-map.ts';

/**
 * Ducts that a map does not have, drawn: each around a link of chance, with the two to four links whose ends lie nearest to its own.
 * 5 km are shared.
 */
export function drawnDucts(map: TopologyMap, count: number, seed: number): MapGroup[] {
  const random = seededRandom(seed);
  const pick = (n: number) => Math.floor(random() * n);
  return Array.from({ length: count }, (_, i) => {
    const centre = pick(map.links.length);
    const nearest = map.links
      .map((_, link) => ({ link, km: apartKm(map, centre, link) }))
      .filter(({ link }) => link !== centre)
      .sort((a, b) => a.km - b.km)
      .slice(0, 2 + pick(3));
    return { name: `duct ${i + 1}`, lengthKm: 5, links: [centre, ...nearest.map(({ link }) => link)] };
  });
}

/** Sum of the distances of the ends of two links, each to the nearer of the other; what has no place lies far away. */
function apartKm({ nodes, links }: TopologyMap, a: number, b: number): number {
  const km = (v: number, w: number) => {
    const [p, q] = [nodes[v]!.place, nodes[w]!.place];
    return v === w ? 0 : p && q ? greatCircleKm(p, q) : 1e5;
  };
  const [x, y] = [links[a]!, links[b]!];
  return Math.min(km(x.from, y.from) + km(x.to, y.to), km(x.from, y.to) + km(x.to, y.from));
}

/** Pairs of nodes of chance, each of two different ones. */
export function drawnPairs(nodes: number, count: number, seed: number): [number, number][] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const a = Math.floor(random() * nodes);
    return [a, (a + 1 + Math.floor(random() * (nodes - 1))) % nodes];
  });
}
