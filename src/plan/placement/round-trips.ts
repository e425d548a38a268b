import type { Network } from '../../model/network.ts';
import { makeSearchSpace, shortestPaths } from '../../stats/graph/dijkstra.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { greatCircleKm, lightRoundTripMs, type Place } from '../../stats/globe.ts';
import { linkDelays } from '../link-delays.ts';
import { type Measured, nothingMeasured, pairKey } from '../measured.ts';

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

/**
 * Round trips between places: measured where that was done, else along the links of the file, else light in fibre over the great
 * circle times `planning.routeFactor`. Null where a place is neither on the map nor reached by links.
 */
export function roundTrips(network: Network, measured: Measured = nothingMeasured) {
  const { routeFactor } = network.planning;
  const overLinks = linkRoundTrips(network, measured);
  return (a: Spot, b: Spot): RoundTrip | null => {
    const seen =
      a.site !== null && b.site !== null && a.site !== b.site ? measured.rtts.get(pairKey(a.site, b.site)) : undefined;
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
function linkRoundTrips(network: Network, measured: Measured): (a: string, b: string) => number {
  const { sites, nodes, links } = network;
  const { delays } = linkDelays(network, measured);
  const number = new Map([...sites, ...nodes].map(({ name }, at) => [name, at]));
  const edges: { from: number; to: number; ms: number }[] = [];
  links.forEach((link, l) => {
    const { rttMs: ms, how } = delays[l]!;
    const [from, to] = [number.get(link.from), number.get(link.to)];
    // Of a link of which nothing is known the great circle says more than a guess.
    if (how !== 'assumed' && from !== undefined && to !== undefined) edges.push({ from, to, ms });
  });
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
