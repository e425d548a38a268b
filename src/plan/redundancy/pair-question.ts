import { disjointPaths } from '../../stats/graph/disjoint-paths.ts';
import { makeSearchSpace, nodesAlong, pathTo, type SearchSpace, shortestPaths } from '../../stats/graph/dijkstra.ts';
import type { Graph } from '../../stats/graph/graph.ts';
import { downMasks, type Risk, type RiskKind, type RiskMap, risksAt } from './risk-map.ts';

export interface Path {
  /** In order from the one end to the other. */
  links: number[];
  lengthKm: number;
}

/** Two paths, shorter first, and the sum of their lengths. */
export interface Pair {
  paths: [Path, Path];
  lengthKm: number;
}

/** Which two paths are wanted: the shortest two that share no link and no risk of certain kinds. */
export interface PairQuestion {
  map: RiskMap;
  from: number;
  to: number;
  /** 1 where a risk must not be on both paths. Never what stands at the two ends themselves: no path avoids that. */
  apart: Uint8Array;
}

/**
 * @param kinds what must not be shared besides links; a site that is one node is a node
 * @param atEnds further nodes whose risks no path avoids: where several may serve, all of them
 */
export function pairQuestion(
  map: RiskMap,
  from: number,
  to: number,
  kinds: readonly RiskKind[],
  atEnds: readonly number[] = [],
): PairQuestion {
  const unavoidable = risksAt(map, from, to, ...atEnds);
  const isAsked = ({ kind, nodes }: Risk) =>
    kind === 'link' || kinds.includes(kind) || (kind === 'site' && nodes.length === 1 && kinds.includes('node'));
  const apart = Uint8Array.from(map.risks, (risk, r) => (isAsked(risk) && !unavoidable.has(r) ? 1 : 0));
  return { map, from, to, apart };
}

/** The risks on a path that the other path must not have. */
export function risksOn({ map, from, apart }: PairQuestion, links: readonly number[]): Set<number> {
  const risks = links.flatMap((link) => map.risksOfLink[link]!);
  for (const node of nodesAlong(map.graph, from, links)) risks.push(...map.risksOfNode[node]!);
  return new Set(risks.filter((r) => apart[r]));
}

export function asPath(graph: Graph, links: number[]): Path {
  return { links, lengthKm: links.reduce((sum, link) => sum + graph.length[link]!, 0) };
}

export function asPair(a: Path, b: Path): Pair {
  return { paths: a.lengthKm <= b.lengthKm ? [a, b] : [b, a], lengthKm: a.lengthKm + b.lengthKm };
}

/** Shortest path without some risks; null where there is none. Searches share their room. */
export function pathAvoiding(question: PairQuestion): (risks: Iterable<number>) => Path | null {
  const { map, from, to } = question;
  const space: SearchSpace = makeSearchSpace(map.graph.nodes);
  return (risks) => {
    const links = pathTo(map.graph, shortestPaths(map.graph, from, downMasks(map, risks), space), to);
    return links && asPath(map.graph, links);
  };
}

/**
 * Bhandari's pair: no link and no node on both paths that has a risk which must not be. What it does not see is that several links or
 * nodes have one risk together, so that no pair that is asked for can be shorter.
 */
export function bhandariPair({ map, from, to, apart }: PairQuestion): Pair | null {
  const isFree = (risks: readonly number[]) => (risks.some((r) => apart[r]) ? 0 : 1);
  const mayShare = {
    links: Uint8Array.from(map.risksOfLink, isFree),
    nodes: Uint8Array.from(map.risksOfNode, isFree),
  };
  const pair = disjointPaths(map.graph, from, to, 2, { mayShare });
  return pair && asPair(asPath(map.graph, pair[0]!), asPath(map.graph, pair[1]!));
}

/** The risks that a pair must not share and does. */
export function sharedRisks(question: PairQuestion, { paths: [a, b] }: Pair): number[] {
  const first = risksOn(question, a.links);
  return [...risksOn(question, b.links)].filter((r) => first.has(r));
}
