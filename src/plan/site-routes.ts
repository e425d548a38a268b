import type { Network } from '../model/network.ts';
import { makeSearchSpace, pathTo, shortestPaths } from '../stats/graph/dijkstra.ts';
import { makeGraph } from '../stats/graph/graph.ts';

/** The links that traffic between two sites takes, by the weights of the file. */
export type SiteRoutes = (a: string, b: string) => SiteRoute | null;

export interface SiteRoute {
  /** Numbers of the links in the file, in order. */
  links: number[];
  /** No other way is as short, so what was measured between the two went over these. */
  isOnly: boolean;
}

/**
 * Shortest ways between sites; devices count as their site. Weights are those of the file, else the given delays.
 * @param delaysMs round trip of every link
 */
export function siteRoutes({ sites, nodes, links }: Network, delaysMs: readonly number[]): SiteRoutes {
  const number = new Map(sites.map(({ name }, at) => [name, at]));
  for (const { name, site } of nodes) number.set(name, number.get(site)!);
  const graph = makeGraph({
    nodes: sites.length,
    from: links.map(({ from }) => number.get(from)!),
    to: links.map(({ to }) => number.get(to)!),
    length: links.map(({ weight }, l) => weight ?? (delaysMs[l]! * 1000) / 2),
  });
  const space = makeSearchSpace(graph.nodes);
  return (a, b) => {
    const [from, to] = [number.get(a)!, number.get(b)!];
    const found = shortestPaths(graph, from, {}, space);
    const path = pathTo(graph, found, to);
    if (path === null || path.length === 0) return null;
    const least = found.distance[to]!;
    const isOnly = path.every((link) => {
      const gone = new Uint8Array(graph.links);
      gone[link] = 1;
      return shortestPaths(graph, from, { links: gone }, space).distance[to]! > least;
    });
    return { links: path, isOnly };
  };
}
