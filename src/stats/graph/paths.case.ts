import { type Graph, acrossFrom } from './graph.ts';

/** Every path without loops between two nodes, in no order: by trying. */
export function everyPath(graph: Graph, from: number, to: number): number[][] {
  const found: number[][] = [];
  const links: number[] = [];
  const visited = new Set([from]);
  const go = (at: number) => {
    if (at === to) {
      found.push([...links]);
      return;
    }
    for (let arc = graph.offset[at]!; arc < graph.offset[at + 1]!; arc++) {
      const [next, link] = [graph.target[arc]!, graph.link[arc]!];
      if (visited.has(next)) continue;
      visited.add(next);
      links.push(link);
      go(next);
      links.pop();
      visited.delete(next);
    }
  };
  if (from !== to) go(from);
  return found;
}

export function lengthOf(graph: Graph, links: readonly number[]): number {
  return links.reduce((sum, link) => sum + graph.length[link]!, 0);
}

/** The nodes between the ends of a path. */
export function between(graph: Graph, from: number, links: readonly number[]): number[] {
  const nodes: number[] = [];
  let at = from;
  for (const link of links) nodes.push((at = acrossFrom(graph, link, at)));
  return nodes.slice(0, -1);
}
