/** A one-way edge; `cost` must be positive. */
export interface Edge {
  from: number;
  to: number;
  cost: number;
}

/** Next hops of every node to every other. */
export interface Routes {
  /** `next[from * nodes + to]`: index of the edge; -1 where there is no path or from equals to; below that `groupAt()`. */
  next: Int32Array;
  /** Sets of equally good edges between which a balancing node chooses, each in the order listed, each set once. */
  groups: Int32Array[];
}

/** The index in `groups` that an entry of `next` below -1 stands for. */
export function groupAt(entry: number): number {
  return -2 - entry;
}

/** Sums of the same delays in another order differ in the last bits; costs that differ on purpose do so by 0.001 at least. */
const SAME_COST = 1e-9;

/**
 * Shortest paths between all nodes (Dijkstra from every destination over reversed edges, O(n·(n² + e)): a lab has at most a
 * few hundred nodes). Only nodes with `transit` may lie inside a path. Among equal costs the first edge listed wins, but at
 * nodes that balance, which get all of them as a group.
 */
export function shortestPaths(
  nodes: number,
  edges: readonly Edge[],
  transit: readonly boolean[],
  balances: readonly boolean[] = [],
): Routes {
  const next = new Int32Array(nodes * nodes).fill(-1);
  const groups: Int32Array[] = [];
  const groupOf = new Map<string, number>();
  const into = Array.from({ length: nodes }, () => [] as number[]);
  edges.forEach((edge, index) => into[edge.to]!.push(index));
  for (let target = 0; target < nodes; target += 1) {
    const distance = distancesTo(target, nodes, edges, into, transit);
    bestEdges(target, distance, edges, transit).forEach((best, from) => {
      const [first = -1] = best;
      const group = best.length > 1 && balances[from] ? intern(best, groups, groupOf) : -1;
      next[from * nodes + target] = group < 0 ? first : groupAt(group);
    });
  }
  return { next, groups };
}

function intern(edges: readonly number[], groups: Int32Array[], groupOf: Map<string, number>): number {
  const key = edges.join();
  const known = groupOf.get(key);
  if (known !== undefined) return known;
  groupOf.set(key, groups.length);
  return groups.push(Int32Array.from(edges)) - 1;
}

/** Per node the edges that begin a shortest path to the target. */
function bestEdges(
  target: number,
  distance: Float64Array,
  edges: readonly Edge[],
  transit: readonly boolean[],
): number[][] {
  const best = Array.from(distance, () => [] as number[]);
  edges.forEach(({ from, to, cost }, index) => {
    if (from === target || (to !== target && !transit[to])) return;
    if (Math.abs(distance[to]! + cost - distance[from]!) < SAME_COST) best[from]!.push(index);
  });
  return best;
}

function distancesTo(
  target: number,
  nodes: number,
  edges: readonly Edge[],
  into: readonly number[][],
  transit: readonly boolean[],
): Float64Array {
  const distance = new Float64Array(nodes).fill(Number.POSITIVE_INFINITY);
  const done = new Uint8Array(nodes);
  distance[target] = 0;
  for (;;) {
    const node = nearestOpen(distance, done);
    if (node < 0) return distance;
    done[node] = 1;
    if (node !== target && !transit[node]) continue;
    for (const index of into[node]!) {
      const { from, cost } = edges[index]!;
      distance[from] = Math.min(distance[from]!, distance[node]! + cost);
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
