import type { Graph } from '../../stats/graph/graph.ts';
import { makeNodeHeap, type NodeHeap, raise, takeLeast } from '../../stats/graph/heap.ts';
import type { ElementTable } from './elements.ts';
import type { Tree } from './tree.ts';

/**
 * Finds new paths for those nodes alone that a failure cuts from their shortest-path tree: each takes the best way in from a
 * neighbour that kept its path, then Dijkstra among the cut ones (after Ramalingam and Reps 1996). All others keep path and length.
 */
export interface Rerouter {
  readonly graph: Graph;
  readonly goneLink: Uint8Array;
  readonly goneNode: Uint8Array;
  /** After `reroute`: the nodes cut off, and their new length and parents (Infinity and -1 where nothing leads). */
  readonly cut: Int32Array;
  cutCount: number;
  readonly distance: Float64Array;
  readonly parentLink: Int32Array;
  readonly parent: Int32Array;
  /** Stamp of the search that cut a node last. */
  readonly cutBy: Int32Array;
  stamp: number;
  readonly heap: NodeHeap;
  readonly roots: number[];
}

export function makeRerouter(graph: Graph): Rerouter {
  const column = () => new Int32Array(graph.nodes);
  const distance = new Float64Array(graph.nodes);
  return {
    graph,
    goneLink: new Uint8Array(graph.links),
    goneNode: new Uint8Array(graph.nodes),
    cut: column(),
    cutCount: 0,
    distance,
    parentLink: column(),
    parent: column(),
    cutBy: column(),
    stamp: 0,
    heap: makeNodeHeap(distance),
    roots: [],
  };
}

/** Takes the links and nodes of an element away (1), or gives them back (-1). Counted, for two elements may share a link. */
export function addGone(router: Rerouter, { links, nodes }: ElementTable, element: number, by: 1 | -1): void {
  for (let i = links.offset[element]!; i < links.offset[element + 1]!; i++) router.goneLink[links.item[i]!]! += by;
  for (let i = nodes.offset[element]!; i < nodes.offset[element + 1]!; i++) router.goneNode[nodes.item[i]!]! += by;
}

/**
 * Notes in `router.cut` all nodes of the tree that stand below a link or node of the element, itself included.
 * @returns how many
 */
export function cutBelow(router: Rerouter, tree: Tree, { links, nodes }: ElementTable, element: number): number {
  const { roots, cut, cutBy } = router;
  roots.length = 0;
  for (let i = links.offset[element]!; i < links.offset[element + 1]!; i++) {
    const root = tree.below[links.item[i]!]!;
    if (root >= 0) roots.push(root);
  }
  for (let i = nodes.offset[element]!; i < nodes.offset[element + 1]!; i++) {
    const root = nodes.item[i]!;
    if (tree.enter[root]! >= 0) roots.push(root);
  }
  const stamp = ++router.stamp;
  let count = 0;
  for (const root of roots) {
    // Below a root that was taken before, or above one: what stands in both is taken once.
    if (cutBy[root] === stamp) continue;
    for (let at = tree.enter[root]!, end = tree.leave[root]!; at < end; at++) {
      const node = tree.order[at]!;
      if (cutBy[node] === stamp) continue;
      cutBy[node] = stamp;
      cut[count++] = node;
    }
  }
  router.cutCount = count;
  return count;
}

/** New paths for the nodes in `router.cut`, without what is gone. */
export function reroute(router: Rerouter, tree: Tree): void {
  const { cut, cutCount, goneNode } = router;
  for (let i = 0; i < cutCount; i++) {
    const node = cut[i]!;
    if (goneNode[node]) leaveOut(router, node);
    else wayIn(router, tree, node);
  }
  settle(router);
}

function leaveOut({ distance, parentLink, parent }: Rerouter, node: number): void {
  distance[node] = Infinity;
  parentLink[node] = -1;
  parent[node] = -1;
}

/** The best way into one cut node from neighbours that kept their path; it waits in the heap if there is one. */
function wayIn(router: Rerouter, tree: Tree, node: number): void {
  const { cutBy, stamp, goneLink, goneNode } = router;
  const { offset, target, link, arcLength } = router.graph;
  const kept = tree.distance;
  let [best, by, from] = [Infinity, -1, -1];
  for (let arc = offset[node]!, end = offset[node + 1]!; arc < end; arc++) {
    const near = target[arc]!;
    const length = kept[near]! + arcLength[arc]!;
    if (length >= best || cutBy[near] === stamp || goneLink[link[arc]!] || goneNode[near]) continue;
    best = length;
    by = link[arc]!;
    from = near;
  }
  router.distance[node] = best;
  router.parentLink[node] = by;
  router.parent[node] = from;
  if (from >= 0) raise(router.heap, node);
}

/** Dijkstra among the cut nodes, from those with a way in. */
function settle({ graph, heap, cutBy, stamp, goneLink, goneNode, distance, parentLink, parent }: Rerouter): void {
  const { offset, target, link, arcLength } = graph;
  while (heap.size > 0) {
    const at = takeLeast(heap);
    const far = distance[at]!;
    for (let arc = offset[at]!, end = offset[at + 1]!; arc < end; arc++) {
      const next = target[arc]!;
      if (cutBy[next] !== stamp) continue;
      const length = far + arcLength[arc]!;
      if (length >= distance[next]! || goneLink[link[arc]!] || goneNode[next]) continue;
      distance[next] = length;
      parentLink[next] = link[arc]!;
      parent[next] = at;
      raise(heap, next);
    }
  }
}
