import type { Graph } from './graph.ts';

/** What goes apart when one link or one node is gone: unordered pairs of ends, 0 where nothing does. */
export interface CutPairs {
  byLink: Float64Array;
  /** The node itself is in no pair. */
  byNode: Float64Array;
}

/**
 * Pairs of ends that every bridge and every articulation point holds together, in time linear in nodes and links: one depth-first
 * walk with low points (Tarjan 1972, Hopcroft and Tarjan 1973), without recursion, that counts the ends below every node.
 * @param isEnd 1 for nodes that pairs are made of
 * @throws RangeError for a directed graph
 */
export function cutPairs(graph: Graph, isEnd: ArrayLike<number>): CutPairs {
  if (graph.directed) throw new RangeError('Cannot find bridges of a directed graph');
  const { nodes, links, offset, target, link } = graph;
  const entered = new Int32Array(nodes).fill(-1);
  const low = new Int32Array(nodes);
  const next = offset.slice(0, nodes);
  const into = new Int32Array(nodes).fill(-1);
  /** Ends in the subtree of each node. */
  const below = new Float64Array(nodes);
  /** Of each node: ends in the parts below it that hang on it alone, and the pairs between those parts. */
  const hanging = new Float64Array(nodes);
  const cut = { byLink: new Float64Array(links), byNode: new Float64Array(nodes) };
  let time = 0;
  for (let root = 0; root < nodes; root++) {
    if (entered[root]! >= 0) continue;
    const path = [root];
    const seen = [root];
    entered[root] = low[root] = time++;
    below[root] = isEnd[root]!;
    while (path.length > 0) {
      const at = path.at(-1)!;
      if (next[at]! < offset[at + 1]!) {
        const arc = next[at]!++;
        const to = target[arc]!;
        // Back over the link that led here is no way round; over a parallel one it is.
        if (link[arc] === into[at]) continue;
        if (entered[to]! >= 0) {
          low[at] = Math.min(low[at]!, entered[to]!);
          continue;
        }
        entered[to] = low[to] = time++;
        below[to] = isEnd[to]!;
        into[to] = link[arc]!;
        path.push(to);
        seen.push(to);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent === undefined) continue;
      low[parent] = Math.min(low[parent]!, low[at]!);
      below[parent]! += below[at]!;
      if (low[at]! < entered[parent]!) continue;
      cut.byNode[parent]! += hanging[parent]! * below[at]!;
      hanging[parent]! += below[at]!;
      // Marked; what is on the other side is known when the whole part is.
      if (low[at]! > entered[parent]!) cut.byLink[into[at]!] = below[at]!;
    }
    const all = below[root]!;
    for (const node of seen) {
      cut.byNode[node]! += hanging[node]! * (all - hanging[node]! - isEnd[node]!);
      if (into[node]! >= 0) cut.byLink[into[node]!]! *= all - below[node]!;
    }
  }
  return cut;
}
