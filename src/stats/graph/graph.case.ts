import fc from 'fast-check';
import type { Without } from './dijkstra.ts';
import type { Graph, GraphInput } from './graph.ts';

/** Any small multigraph: parallel links, self-loops, links of length 0 and unconnected parts among them. */
export function anyGraph({
  nodes = 8,
  links = 16,
  directed,
}: { nodes?: number; links?: number; directed?: boolean } = {}) {
  return fc.integer({ min: 1, max: nodes }).chain((count): fc.Arbitrary<GraphInput> => {
    const node = fc.nat(count - 1);
    const link = fc.tuple(node, node, fc.nat(9));
    return fc
      .tuple(fc.array(link, { maxLength: links }), directed === undefined ? fc.boolean() : fc.constant(directed))
      .map(([list, isDirected]) => ({
        nodes: count,
        from: list.map(([a]) => a),
        to: list.map(([, b]) => b),
        length: list.map(([, , km]) => km),
        directed: isDirected,
      }));
  });
}

/** All distances, [from][to], by Floyd (1962): three loops and nothing else. */
export function floyd(graph: Graph, without: Without = {}): number[][] {
  const nodes = Array.from({ length: graph.nodes }, (_, v) => v);
  const isGone = (v: number) => without.nodes?.[v] === 1;
  const far = nodes.map((a) => nodes.map((b) => (a === b && !isGone(a) ? 0 : Infinity)));
  for (let link = 0; link < graph.links; link++) {
    const [a, b] = [graph.from[link]!, graph.to[link]!];
    if (without.links?.[link] === 1 || isGone(a) || isGone(b)) continue;
    far[a]![b] = Math.min(far[a]![b]!, graph.length[link]!);
    if (!graph.directed) far[b]![a] = Math.min(far[b]![a]!, graph.length[link]!);
  }
  for (const via of nodes)
    for (const a of nodes) for (const b of nodes) far[a]![b] = Math.min(far[a]![b]!, far[a]![via]! + far[via]![b]!);
  return far;
}
