import { acrossFrom, type Graph } from './graph.ts';
import { makeNodeHeap, type NodeHeap, raise, takeLeast } from './heap.ts';

/** What does not exist for one search: 1 where it is gone. */
export interface Without {
  links?: Uint8Array;
  nodes?: Uint8Array;
}

/** Shortest paths from one node (Dijkstra 1959). */
export interface ShortestPaths {
  readonly source: number;
  /** Infinity where no path leads. */
  readonly distance: Float64Array;
  /** The last link on the way to each node; -1 at the source and where no path leads. */
  readonly parentLink: Int32Array;
}

/** Room for searches on graphs of one size, so that a thousand of them allocate once. */
export interface SearchSpace {
  readonly distance: Float64Array;
  readonly parentLink: Int32Array;
  readonly heap: NodeHeap;
}

export function makeSearchSpace(nodes: number): SearchSpace {
  const distance = new Float64Array(nodes);
  return { distance, parentLink: new Int32Array(nodes), heap: makeNodeHeap(distance) };
}

/**
 * Shortest paths from `source`. Where two are equally long, the one found first stays: the same input gives the same tree.
 * @param without masks of links and nodes that are gone; from a source that is gone, nothing is reached, not even itself
 * @param space is overwritten and holds the result, which is then good until the next search; absent: new arrays
 */
export function shortestPaths(
  graph: Graph,
  source: number,
  without: Without = {},
  space: SearchSpace = makeSearchSpace(graph.nodes),
): ShortestPaths {
  const { offset, target, link, arcLength } = graph;
  const { distance, parentLink, heap } = space;
  const { links: goneLinks, nodes: goneNodes } = without;
  distance.fill(Infinity);
  parentLink.fill(-1);
  if (!goneNodes?.[source]) {
    distance[source] = 0;
    raise(heap, source);
  }
  while (heap.size > 0) {
    const at = takeLeast(heap);
    const far = distance[at]!;
    for (let arc = offset[at]!, end = offset[at + 1]!; arc < end; arc++) {
      const next = target[arc]!;
      const length = far + arcLength[arc]!;
      if (length >= distance[next]! || goneLinks?.[link[arc]!] || goneNodes?.[next]) continue;
      distance[next] = length;
      parentLink[next] = link[arc]!;
      raise(heap, next);
    }
  }
  return { source, distance, parentLink };
}

/** The links from the source to a node, in order; null where no path leads, empty at the source itself. */
export function pathTo(graph: Graph, paths: ShortestPaths, node: number): number[] | null {
  if (paths.distance[node] === Infinity) return null;
  const links: number[] = [];
  for (let at = node; at !== paths.source; at = acrossFrom(graph, links.at(-1)!, at)) links.push(paths.parentLink[at]!);
  return links.reverse();
}

/** The nodes that a path of links from `source` visits, source first. */
export function nodesAlong(graph: Graph, source: number, links: readonly number[]): number[] {
  const nodes = [source];
  for (const link of links) nodes.push(acrossFrom(graph, link, nodes.at(-1)!));
  return nodes;
}
