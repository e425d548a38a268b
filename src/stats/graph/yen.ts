import { makeSearchSpace, nodesAlong, pathTo, shortestPaths, type Without } from './dijkstra.ts';
import type { Graph } from './graph.ts';

export interface Route {
  links: number[];
  length: number;
}

/**
 * Paths without loops from one node to another, shortest first (Yen 1971, with Lawler's 1972 rule: a path is only left behind the
 * place where it left the one it came from). A generator: who needs k of them takes k. One Dijkstra per node of each path taken.
 */
export function* shortestFirst(graph: Graph, from: number, to: number, without: Without = {}): Generator<Route> {
  const space = makeSearchSpace(graph.nodes);
  const goneLinks = without.links ? Uint8Array.from(without.links) : new Uint8Array(graph.links);
  const goneNodes = without.nodes ? Uint8Array.from(without.nodes) : new Uint8Array(graph.nodes);
  const search = (start: number) => {
    const paths = shortestPaths(graph, start, { links: goneLinks, nodes: goneNodes }, space);
    return pathTo(graph, paths, to);
  };
  const first = from === to ? null : search(from);
  if (!first) return;
  const waiting: (Route & { leftAt: number })[] = [{ links: first, length: lengthOf(graph, first), leftAt: 0 }];
  const taken: number[][] = [];
  while (waiting.length > 0) {
    const { links, length, leftAt } = takeShortest(waiting);
    taken.push(links);
    yield { links, length };
    const nodes = nodesAlong(graph, from, links);
    for (let at = 0; at < leftAt; at++) goneNodes[nodes[at]!] = 1;
    for (let at = leftAt; at < links.length; at++) {
      const root = links.slice(0, at);
      const barred = taken.filter((path) => root.every((link, i) => path[i] === link)).map((path) => path[at]!);
      const wereGone = barred.map((link) => goneLinks[link]!);
      for (const link of barred) goneLinks[link] = 1;
      const spur = search(nodes[at]!);
      for (let i = barred.length - 1; i >= 0; i--) goneLinks[barred[i]!] = wereGone[i]!;
      if (spur) {
        const whole = [...root, ...spur];
        waiting.push({ links: whole, length: lengthOf(graph, whole), leftAt: at });
      }
      goneNodes[nodes[at]!] = 1;
    }
    for (const node of nodes) goneNodes[node] = without.nodes?.[node] ?? 0;
  }
}

/** Of equally short ones the one found first. */
function takeShortest<T extends Route>(waiting: T[]): T {
  let best = 0;
  for (let i = 1; i < waiting.length; i++) if (waiting[i]!.length < waiting[best]!.length) best = i;
  return waiting.splice(best, 1)[0]!;
}

function lengthOf(graph: Graph, links: readonly number[]): number {
  return links.reduce((sum, link) => sum + graph.length[link]!, 0);
}
