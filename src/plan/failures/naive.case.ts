import { shortestPaths } from '../../stats/graph/dijkstra.ts';
import type { Effect } from './effects.ts';
import type { Element } from './elements.ts';
import type { Question } from './source.ts';

/** What a failure does, by nothing but Dijkstra from every source, with and without what fails. */
export function naiveEffect(
  { graph, isEnd, limit }: Question,
  sources: readonly number[],
  failed: readonly Element[],
): Effect {
  const links = new Uint8Array(graph.links);
  const nodes = new Uint8Array(graph.nodes);
  for (const one of failed) {
    for (const link of one.links) links[link] = 1;
    for (const node of one.nodes) nodes[node] = 1;
  }
  const effect = { broken: 0, extra: 0, late: 0 };
  for (const source of sources) {
    const before = shortestPaths(graph, source).distance;
    const after = shortestPaths(graph, source, { links, nodes }).distance;
    for (let node = 0; node < graph.nodes; node++) {
      if (!isEnd[node] || before[node] === Infinity) continue;
      if (before[node]! > limit) effect.late--;
      if (nodes[node] || nodes[source]) continue;
      if (after[node] === Infinity) effect.broken++;
      else {
        effect.extra += after[node]! - before[node]!;
        if (after[node]! > limit) effect.late++;
      }
    }
  }
  return effect;
}
