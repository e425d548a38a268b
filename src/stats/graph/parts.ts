import type { Without } from './dijkstra.ts';
import type { Graph } from './graph.ts';

/** The number of the connected part that each node is in, from 0 in the order of their least nodes; -1 for nodes that are gone. Directions do not count. */
export function partsOf(graph: Graph, { links, nodes }: Without = {}): Int32Array {
  const above = Int32Array.from({ length: graph.nodes }, (_, v) => v);
  const top = (v: number): number => {
    let at = v;
    while (above[at] !== at) at = above[at] = above[above[at]!]!;
    return at;
  };
  for (let link = 0; link < graph.links; link++) {
    const [a, b] = [graph.from[link]!, graph.to[link]!];
    if (links?.[link] || nodes?.[a] || nodes?.[b]) continue;
    const [low, high] = [Math.min(top(a), top(b)), Math.max(top(a), top(b))];
    above[high] = low;
  }
  const part = new Int32Array(graph.nodes);
  let count = 0;
  // The top of a part is its least node, so it has its number before the others ask for it.
  for (let v = 0; v < graph.nodes; v++) part[v] = nodes?.[v] ? -1 : above[v] === v ? count++ : part[top(v)]!;
  return part;
}
