import type { Graph } from '../../stats/graph/graph.ts';
import { reversed } from '../../stats/graph/graph.ts';
import { makeNodeHeap, type NodeHeap, raise, takeLeast } from '../../stats/graph/heap.ts';
import { type Demands, demandRows, type TrafficNetwork } from './traffic.ts';

/** What is gone: 1 where an arc or a node does not work. */
export interface Gone {
  arcs?: Uint8Array;
  nodes?: Uint8Array;
}

/** Lengths that differ by less than this share are one length: metrics made of kilometres are no integers. */
const sameShare = 1e-9;

/** Traffic to one destination by shortest paths: what every arc carries, and what found no way. */
export interface Spread {
  arcLoad: Float64Array;
  unroutedVolume: number;
}

export interface EcmpRouter {
  /** Spreads the volumes of one destination; `arcLoad` is added to. Returns the volume that found no way. */
  spread(to: number, volumeFrom: Float64Array, gone: Gone, arcLoad: Float64Array): number;
  /** Of each node to the destination that was spread to last. */
  readonly distance: Float64Array;
  /** Gives an arc of the graph another length, from the next spread on. */
  reweigh(arc: number, length: number): void;
}

/**
 * Routing as an IGP does it: every node sends what goes to a destination in equal parts over all its arcs that begin a shortest
 * path (equal-cost multipath, RFC 2992; the model of REPETITA). Parallel links of one length each take a part.
 */
export function ecmpRouter({ graph }: TrafficNetwork): EcmpRouter {
  const back = reversed(graph);
  const distance = new Float64Array(graph.nodes);
  const heap = makeNodeHeap(distance);
  const order = new Int32Array(graph.nodes);
  const rank = new Int32Array(graph.nodes);
  const through = new Float64Array(graph.nodes);
  const [place, placeBack] = [placesOf(graph), placesOf(back)];
  return {
    distance,
    reweigh: (arc, length) => {
      graph.length[arc] = back.length[arc] = length;
      graph.arcLength[place[arc]!] = back.arcLength[placeBack[arc]!] = length;
    },
    spread: (to, volumeFrom, gone, arcLoad) => {
      const reached = settle(back, to, gone, { distance, heap, order, rank });
      let unrouted = 0;
      for (let v = 0; v < graph.nodes; v++) {
        const volume = v === to ? 0 : volumeFrom[v]!;
        if (rank[v]! < 0) unrouted += volume;
        through[v] = volume;
      }
      // Farthest first: when a node is looked at, all that goes through it has arrived.
      for (let i = reached - 1; i > 0; i--) divide(graph, order[i]!, { distance, rank, through, gone, arcLoad });
      return unrouted;
    },
  };
}

/** Where each link of a directed graph stands among the arcs. */
function placesOf({ link }: Graph): Int32Array {
  const place = new Int32Array(link.length);
  link.forEach((one, i) => (place[one] = i));
  return place;
}

/** Dijkstra from the destination against the arcs. `rank` is the turn in which a node was settled, -1 where none. */
function settle(
  back: Graph,
  to: number,
  gone: Gone,
  { distance, heap, order, rank }: { distance: Float64Array; heap: NodeHeap; order: Int32Array; rank: Int32Array },
): number {
  distance.fill(Infinity);
  rank.fill(-1);
  if (gone.nodes?.[to]) return 0;
  distance[to] = 0;
  raise(heap, to);
  let settled = 0;
  while (heap.size > 0) {
    const at = takeLeast(heap);
    rank[at] = settled;
    order[settled++] = at;
    for (let i = back.offset[at]!; i < back.offset[at + 1]!; i++) {
      const [next, arc] = [back.target[i]!, back.link[i]!];
      const length = distance[at]! + back.arcLength[i]!;
      if (length >= distance[next]! || gone.arcs?.[arc] || gone.nodes?.[next]) continue;
      distance[next] = length;
      raise(heap, next);
    }
  }
  return settled;
}

interface Flood {
  distance: Float64Array;
  rank: Int32Array;
  through: Float64Array;
  gone: Gone;
  arcLoad: Float64Array;
}

/** Sends on what goes through a node, in equal parts. An arc to a node settled later would close a circle of length zero. */
function divide(graph: Graph, node: number, { distance, rank, through, gone, arcLoad }: Flood): void {
  const volume = through[node]!;
  if (volume === 0) return;
  const far = distance[node]!;
  const isNext = (i: number) => {
    const next = graph.target[i]!;
    return (
      rank[next]! >= 0 &&
      rank[next]! < rank[node]! &&
      !gone.arcs?.[graph.link[i]!] &&
      distance[next]! + graph.arcLength[i]! <= far * (1 + sameShare)
    );
  };
  let parts = 0;
  for (let i = graph.offset[node]!; i < graph.offset[node + 1]!; i++) if (isNext(i)) parts++;
  const part = volume / parts;
  for (let i = graph.offset[node]!; i < graph.offset[node + 1]!; i++) {
    if (!isNext(i)) continue;
    arcLoad[graph.link[i]!]! += part;
    through[graph.target[i]!]! += part;
  }
}

/** All demands by shortest paths. */
export function routeByWeights(network: TrafficNetwork, demands: Demands, gone: Gone = {}): Spread {
  const router = ecmpRouter(network);
  const arcLoad = new Float64Array(network.graph.links);
  let unroutedVolume = 0;
  // By destination: paths to one place are one tree.
  const columns = demandRows(network.graph.nodes, { ...demands, from: demands.to, to: demands.from });
  for (const [to, volumeFrom] of columns) unroutedVolume += router.spread(to, volumeFrom, gone, arcLoad);
  return { arcLoad, unroutedVolume };
}
