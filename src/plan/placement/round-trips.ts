import type { Network } from '../../model/network.ts';
import { makeSearchSpace, shortestPaths } from '../../stats/graph/dijkstra.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { greatCircleKm, lightRoundTripMs, type Place } from '../../stats/globe.ts';
import { linkLength, placesOf } from '../lengths.ts';

/** A round trip between two places and where it comes from. */
export interface RoundTrip {
  ms: number;
  origin: 'measured' | 'computed' | 'assumed';
  how: string;
}

/** A place that may be a site of the file, may be on the map, or both. */
export interface Spot {
  site: string | null;
  place: Place | null;
}

export interface Measured {
  rttMs: number;
  how: string;
}

/**
 * Round trips between places: measured where that was done, else along the links of the file, else light in fibre over the great
 * circle times `planning.routeFactor`. Null where a place is neither on the map nor reached by links.
 * @param measured the median that was measured between two sites, whichever is named first
 */
export function roundTrips(network: Network, measured: (a: string, b: string) => Measured | undefined) {
  const { routeFactor } = network.planning;
  const overLinks = linkRoundTrips(network);
  return (a: Spot, b: Spot): RoundTrip | null => {
    const seen = a.site !== null && b.site !== null && a.site !== b.site ? measured(a.site, b.site) : undefined;
    if (seen) return { ms: seen.rttMs, origin: 'measured', how: seen.how };
    const ms = a.site !== null && b.site !== null ? overLinks(a.site, b.site) : Infinity;
    if (ms < Infinity) return { ms, origin: 'computed', how: 'shortest way over the links of the file' };
    if (!a.place || !b.place) return null;
    return {
      ms: lightRoundTripMs(greatCircleKm(a.place, b.place) * routeFactor),
      origin: 'assumed',
      how: `light in fibre, great circle × ${routeFactor}`,
    };
  };
}

/** Shortest round trips over the links; sites and nodes are the nodes, a node stands at its site. Searches once per first site. */
function linkRoundTrips(network: Network): (a: string, b: string) => number {
  const { sites, nodes, links, planning } = network;
  const places = placesOf(network);
  const number = new Map([...sites, ...nodes].map(({ name }, at) => [name, at]));
  const edges: { from: number; to: number; ms: number }[] = [];
  for (const link of links) {
    const length = linkLength(link, places, planning.routeFactor);
    const ms = link.rttMs ?? (length ? lightRoundTripMs(length.lengthKm) : undefined);
    const [from, to] = [number.get(link.from), number.get(link.to)];
    if (ms !== undefined && from !== undefined && to !== undefined) edges.push({ from, to, ms });
  }
  for (const { name, site } of nodes)
    if (number.has(site)) edges.push({ from: number.get(name)!, to: number.get(site)!, ms: 0 });
  const graph = makeGraph({
    nodes: number.size,
    from: edges.map(({ from }) => from),
    to: edges.map(({ to }) => to),
    length: edges.map(({ ms }) => ms),
  });
  const space = makeSearchSpace(number.size);
  const known = new Map<string, Float64Array>();
  return (a, b) => {
    const [from, to] = [number.get(a), number.get(b)];
    if (from === undefined || to === undefined) return Infinity;
    const distances = known.get(a) ?? shortestPaths(graph, from, {}, space).distance.slice();
    known.set(a, distances);
    return distances[to]!;
  };
}
