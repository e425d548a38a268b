import { makeSearchSpace, shortestPaths } from '../../stats/graph/dijkstra.ts';
import type { Graph } from '../../stats/graph/graph.ts';

/** Shortest distances between all nodes, row after row; Infinity where no path leads. */
export function allDistances(graph: Graph): Float64Array {
  const { nodes } = graph;
  const all = new Float64Array(nodes * nodes);
  const space = makeSearchSpace(nodes);
  for (let source = 0; source < nodes; source++)
    all.set(shortestPaths(graph, source, {}, space).distance, source * nodes);
  return all;
}
