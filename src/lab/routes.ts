/** A one-way edge; `cost` must be positive. */
export interface Edge {
  from: number;
  to: number;
  cost: number;
}

/**
 * Shortest paths between all nodes (Dijkstra from every destination over reversed edges, O(n·(n² + e)): a lab has at most a
 * few hundred nodes). Only nodes with `transit` may lie inside a path. Among equal costs the first edge listed wins.
 * @returns `next[from * nodes + to]`: index of the first edge, -1 where there is no path or from equals to
 */
export function shortestPaths(nodes: number, edges: readonly Edge[], transit: readonly boolean[]): Int32Array {
  const next = new Int32Array(nodes * nodes).fill(-1);
  const into = Array.from({ length: nodes }, () => [] as number[]);
  edges.forEach((edge, index) => into[edge.to]!.push(index));
  for (let target = 0; target < nodes; target += 1) pathsTo(target, nodes, edges, into, transit, next);
  return next;
}

function pathsTo(
  target: number,
  nodes: number,
  edges: readonly Edge[],
  into: readonly number[][],
  transit: readonly boolean[],
  next: Int32Array,
): void {
  const distance = new Float64Array(nodes).fill(Number.POSITIVE_INFINITY);
  const done = new Uint8Array(nodes);
  distance[target] = 0;
  for (;;) {
    const node = nearestOpen(distance, done);
    if (node < 0) return;
    done[node] = 1;
    if (node !== target && !transit[node]) continue;
    for (const index of into[node]!) {
      const { from, cost } = edges[index]!;
      const through = distance[node]! + cost;
      const known = distance[from]!;
      if (through > known || (through === known && next[from * nodes + target]! <= index)) continue;
      if (from === target) continue;
      distance[from] = through;
      next[from * nodes + target] = index;
    }
  }
}

function nearestOpen(distance: Float64Array, done: Uint8Array): number {
  let best = -1;
  for (let node = 0; node < distance.length; node += 1) {
    if (done[node] || distance[node] === Number.POSITIVE_INFINITY) continue;
    if (best < 0 || distance[node]! < distance[best]!) best = node;
  }
  return best;
}
