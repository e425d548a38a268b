import { ecmpRouter, type Gone } from './ecmp.ts';
import { type Demands, demandRows, type TrafficNetwork } from './traffic.ts';

/** Something that can fail: everything in it at once. */
export interface FailureCase {
  name: string;
  kind: 'link' | 'node' | 'risk-group' | 'carrier' | 'site';
  links: readonly number[];
  nodes: readonly number[];
}

/** What the arcs carry while something is gone. */
export interface CaseLoads {
  arcLoad: Float64Array;
  /** Volume between places that work, but without a way. */
  unroutedVolume: number;
  /** Volume from or to what is gone. */
  strandedVolume: number;
}

/** Shortest-path loads with nothing gone, kept by destination, so that a failure asks again only for those it touches. */
export interface BaseLoads {
  network: TrafficNetwork;
  columns: { to: number; volumeFrom: Float64Array; arcLoad: Float64Array; unrouted: number }[];
}

export function baseLoads(network: TrafficNetwork, demands: Demands): BaseLoads {
  const router = ecmpRouter(network);
  const byDestination = demandRows(network.graph.nodes, { ...demands, from: demands.to, to: demands.from });
  const columns = Array.from(byDestination, ([to, volumeFrom]) => {
    const arcLoad = new Float64Array(network.graph.links);
    return { to, volumeFrom, arcLoad, unrouted: router.spread(to, volumeFrom, {}, arcLoad) };
  });
  return { network, columns };
}

/** Masks of what a case takes away. */
export function goneIn(
  { graph, link }: TrafficNetwork,
  { links, nodes }: Pick<FailureCase, 'links' | 'nodes'>,
): Required<Gone> {
  const gone = { arcs: new Uint8Array(graph.links), nodes: new Uint8Array(graph.nodes) };
  for (const node of nodes) gone.nodes[node] = 1;
  const isGone = new Set(links);
  for (let a = 0; a < graph.links; a++)
    if (isGone.has(link[a]!) || gone.nodes[graph.from[a]!] || gone.nodes[graph.to[a]!]) gone.arcs[a] = 1;
  return gone;
}

/** Loads after one case, all routing settled again; without a case, loads as they are. */
export function loadsIn({ network, columns }: BaseLoads, failure: Pick<FailureCase, 'links' | 'nodes'>): CaseLoads {
  const router = ecmpRouter(network);
  const gone = goneIn(network, failure);
  const arcs = Array.from(gone.arcs, (_, a) => a).filter((a) => gone.arcs[a]);
  const result = { arcLoad: new Float64Array(network.graph.links), unroutedVolume: 0, strandedVolume: 0 };
  for (const { to, volumeFrom, arcLoad, unrouted } of columns) {
    if (failure.nodes.length === 0 && !arcs.some((a) => arcLoad[a]! > 0)) {
      for (let a = 0; a < arcLoad.length; a++) result.arcLoad[a]! += arcLoad[a]!;
      result.unroutedVolume += unrouted;
      continue;
    }
    const left = volumeFrom.slice();
    for (let v = 0; v < left.length; v++) {
      if (!gone.nodes[v] && !gone.nodes[to]) continue;
      result.strandedVolume += left[v]!;
      left[v] = 0;
    }
    result.unroutedVolume += router.spread(to, left, gone, result.arcLoad);
  }
  return result;
}

/** Demands between places that still work. */
export function demandsIn(demands: Demands, { nodes }: Pick<FailureCase, 'nodes'>): Demands {
  const isGone = new Set(nodes);
  return {
    ...demands,
    volume: demands.volume.map((much, d) => (isGone.has(demands.from[d]!) || isGone.has(demands.to[d]!) ? 0 : much)),
  };
}
