import type { Without } from './dijkstra.ts';
import { acrossFrom, type Graph } from './graph.ts';
import { makeNodeHeap, raise, takeLeast } from './heap.ts';

/** Arcs of a residual network: arc a and its reverse a ^ 1. */
interface Residual {
  nodes: number;
  source: number;
  sink: number;
  tail: number[];
  head: number[];
  cost: number[];
  /** How many paths can still take the arc. */
  room: number[];
  /** Link that the arc stands for; -1 for the inside of a node. */
  link: number[];
  leaving: number[][];
}

/**
 * `count` paths from one node to another that share no link and no node between the ends, of least total length: the augmenting paths
 * of Suurballe (1974) and Bhandari (1999), with potentials in place of negative lengths (Suurballe and Tarjan 1984): count times
 * Dijkstra.
 * @param options.mayShare masks of links and nodes that several paths may use
 * @returns the links of each path in order, shortest first; null where there are no such paths
 */
export function disjointPaths(
  graph: Graph,
  from: number,
  to: number,
  count: number,
  { without = {}, mayShare = {} }: { without?: Without; mayShare?: Without } = {},
): number[][] | null {
  if (from === to) return null;
  if (without.nodes?.[from] || without.nodes?.[to]) return null;
  const residual = residualOf(graph, from, to, count, without, mayShare);
  const potential = new Float64Array(residual.nodes);
  for (let i = 0; i < count; i++) if (!augment(residual, potential)) return null;
  const paths = Array.from(takenLinks(graph, residual, from, to, count));
  const km = (path: number[]) => path.reduce((sum, link) => sum + graph.length[link]!, 0);
  return paths.sort((a, b) => km(a) - km(b));
}

/** Node v comes in at v and goes out at nodes + v, with room for one path between, or for all. */
function residualOf(
  graph: Graph,
  from: number,
  to: number,
  count: number,
  without: Without,
  mayShare: Without,
): Residual {
  const nodes = 2 * graph.nodes;
  const leaving: number[][] = Array.from({ length: nodes }, () => []);
  const out = (v: number) => graph.nodes + v;
  const residual: Residual = {
    nodes,
    source: out(from),
    sink: to,
    tail: [],
    head: [],
    cost: [],
    room: [],
    link: [],
    leaving,
  };
  const add = (a: number, b: number, cost: number, link: number, isShared: boolean) => {
    leaving[a]!.push(residual.head.length);
    leaving[b]!.push(residual.head.length + 1);
    residual.tail.push(a, b);
    residual.head.push(b, a);
    residual.cost.push(cost, -cost);
    residual.room.push(isShared ? count : 1, 0);
    residual.link.push(link, link);
  };
  for (let v = 0; v < graph.nodes; v++) if (!without.nodes?.[v]) add(v, out(v), 0, -1, mayShare.nodes?.[v] === 1);
  for (let link = 0; link < graph.links; link++) {
    const [a, b, km] = [graph.from[link]!, graph.to[link]!, graph.length[link]!];
    if (a === b || without.links?.[link] || without.nodes?.[a] || without.nodes?.[b]) continue;
    const isShared = mayShare.links?.[link] === 1;
    add(out(a), b, km, link, isShared);
    if (!graph.directed) add(out(b), a, km, link, isShared);
  }
  return residual;
}

/** Takes one more path, shortest by reduced cost; false where none is left. */
function augment(residual: Residual, potential: Float64Array): boolean {
  const { nodes, source, sink, head, tail, cost, room, leaving } = residual;
  const distance = new Float64Array(nodes).fill(Infinity);
  const parent = new Int32Array(nodes).fill(-1);
  const heap = makeNodeHeap(distance);
  distance[source] = 0;
  raise(heap, source);
  while (heap.size > 0) {
    const at = takeLeast(heap);
    for (const arc of leaving[at]!) {
      if (!room[arc]) continue;
      const next = head[arc]!;
      // Reduced costs cannot be negative; what rounding makes of an exact 0 must not either.
      const far = distance[at]! + Math.max(0, cost[arc]! + potential[at]! - potential[next]!);
      if (far >= distance[next]!) continue;
      distance[next] = far;
      parent[next] = arc;
      raise(heap, next);
    }
  }
  if (distance[sink] === Infinity) return false;
  for (let v = 0; v < nodes; v++) potential[v]! += Math.min(distance[v]!, distance[sink]!);
  for (let at = sink; at !== source; at = tail[parent[at]!]!) {
    room[parent[at]!]!--;
    room[parent[at]! ^ 1]!++;
  }
  return true;
}

/** Walks the arcs that were taken, one path after the other; loops (of length 0) are left out. */
function* takenLinks(graph: Graph, residual: Residual, from: number, to: number, count: number): Generator<number[]> {
  const next: number[][] = Array.from({ length: graph.nodes }, () => []);
  // Paths along a link and against it cancel out: positive is along.
  const net = new Int32Array(graph.links);
  for (let arc = 0; arc < residual.head.length; arc += 2) {
    const link = residual.link[arc]!;
    const isAlong = residual.tail[arc] === graph.nodes + graph.from[link]!;
    if (link >= 0) net[link]! += (isAlong ? 1 : -1) * residual.room[arc + 1]!;
  }
  for (const [link, taken] of net.entries()) {
    const tail = taken > 0 ? graph.from[link]! : graph.to[link]!;
    for (let i = 0; i < Math.abs(taken); i++) next[tail]!.push(link);
  }
  for (let i = 0; i < count; i++) {
    const links: number[] = [];
    const place = new Map([[from, 0]]);
    for (let at = from; at !== to;) {
      const link = next[at]!.pop()!;
      links.push(link);
      at = acrossFrom(graph, link, at);
      const before = place.get(at);
      if (before === undefined) place.set(at, links.length);
      else {
        links.length = before;
        for (const [v, position] of place) if (position > before) place.delete(v);
      }
    }
    yield links;
  }
}
