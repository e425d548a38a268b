import { type Graph, makeGraph } from '../../stats/graph/graph.ts';

/**
 * What carries traffic, in directions: a duplex link is two arcs. An arc takes its capacity from a pool: of its own where both
 * directions have the full rate (fibre, Ethernet), or one for both directions where they share it.
 */
export interface TrafficNetwork {
  /** Directed; its links are the arcs, their lengths the IGP metrics. */
  graph: Graph;
  /** Of each arc. */
  pool: Int32Array;
  /** Of each pool, in the unit of the demands; positive. */
  capacity: Float64Array;
  /** The physical link of each arc: what fails and what is bought. */
  link: Int32Array;
  links: number;
}

/** Demands in columns. A demand from a node to itself loads nothing. */
export interface Demands {
  from: Int32Array;
  to: Int32Array;
  volume: Float64Array;
}

export interface LinkInput {
  from: number;
  to: number;
  capacity: number;
  /** IGP metric of both directions. */
  weight: number;
}

/** How the directions of a link share its capacity. */
export type Directions = 'one' | 'each' | 'shared';

/**
 * Makes arcs of links.
 * @param directions `one`: a link goes only from → to; `each`: both ways, each with the full capacity; `shared`: both ways, out of one capacity
 */
export function makeTrafficNetwork(nodes: number, links: readonly LinkInput[], directions: Directions): TrafficNetwork {
  const arcs = links.flatMap(({ from, to, weight }, link) => {
    const there = { from, to, weight, link };
    return directions === 'one' ? [there] : [there, { from: to, to: from, weight, link }];
  });
  const graph = makeGraph({
    nodes,
    from: arcs.map((a) => a.from),
    to: arcs.map((a) => a.to),
    length: arcs.map((a) => a.weight),
    directed: true,
  });
  const link = Int32Array.from(arcs, (a) => a.link);
  const ownPool = directions === 'each';
  return {
    graph,
    link,
    links: links.length,
    pool: ownPool ? Int32Array.from(arcs, (_, arc) => arc) : link,
    capacity: Float64Array.from(ownPool ? arcs.map((a) => links[a.link]!.capacity) : links.map((l) => l.capacity)),
  };
}

/** Largest load of a pool over its capacity; 0 where nothing flows. */
export function maxUtilisation({ pool, capacity }: TrafficNetwork, arcLoad: Float64Array): number {
  let most = 0;
  for (const share of poolUtilisation({ pool, capacity }, arcLoad)) if (share > most) most = share;
  return most;
}

export function poolUtilisation(
  { pool, capacity }: Pick<TrafficNetwork, 'pool' | 'capacity'>,
  arcLoad: Float64Array,
): Float64Array {
  const share = new Float64Array(capacity.length);
  for (let a = 0; a < arcLoad.length; a++) share[pool[a]!]! += arcLoad[a]!;
  for (let p = 0; p < share.length; p++) share[p]! /= capacity[p]!;
  return share;
}

/** Volume between nodes, summed over demands: row of `from`, column of `to`. Demands to the same node are left out. */
export function demandRows(nodes: number, { from, to, volume }: Demands): Map<number, Float64Array> {
  const rows = new Map<number, Float64Array>();
  for (let d = 0; d < volume.length; d++) {
    const [a, b, much] = [from[d]!, to[d]!, volume[d]!];
    if (a === b || !(much > 0)) continue;
    let row = rows.get(a);
    if (!row) rows.set(a, (row = new Float64Array(nodes)));
    row[b]! += much;
  }
  return rows;
}
