import type { Without } from '../../stats/graph/dijkstra.ts';
import type { Graph } from '../../stats/graph/graph.ts';

export type RiskKind = 'link' | 'node' | 'group' | 'carrier' | 'site';

/**
 * Something that fails as a whole, and what it takes down with it: a link's own part, a node, a risk group (duct, bridge, building),
 * a carrier, a site. Risks fail independently of each other; links and nodes do not, which is the point.
 */
export interface Risk {
  kind: RiskKind;
  name: string;
  links: readonly number[];
  nodes: readonly number[];
  /** Share of time that it is down. */
  down: number;
  /** Length of what is shared, km; 0 where it has none or nobody said. */
  lengthKm: number;
}

/** A graph (lengths in km) with its names, and everything in it that can fail. */
export interface RiskMap {
  graph: Graph;
  nodeNames: readonly string[];
  linkNames: readonly string[];
  risks: readonly Risk[];
  /** Risks that take a link down, and a node. A link is also down when one of its ends is. */
  risksOfLink: readonly (readonly number[])[];
  risksOfNode: readonly (readonly number[])[];
}

export function makeRiskMap(input: Omit<RiskMap, 'risksOfLink' | 'risksOfNode'>): RiskMap {
  const risksOfLink: number[][] = Array.from({ length: input.graph.links }, () => []);
  const risksOfNode: number[][] = Array.from({ length: input.graph.nodes }, () => []);
  for (const [r, risk] of input.risks.entries()) {
    for (const link of risk.links) risksOfLink[link]!.push(r);
    for (const node of risk.nodes) risksOfNode[node]!.push(r);
  }
  return { ...input, risksOfLink, risksOfNode };
}

/** Masks of what is down when these risks have happened. */
export function downMasks({ graph, risks }: RiskMap, happened: Iterable<number>): Required<Without> {
  const links = new Uint8Array(graph.links);
  const nodes = new Uint8Array(graph.nodes);
  for (const r of happened) {
    for (const link of risks[r]!.links) links[link] = 1;
    for (const node of risks[r]!.nodes) nodes[node] = 1;
  }
  return { links, nodes };
}

/** Risks of a node that stand for it and the place where it is: what no path that ends there can avoid. */
export function risksAt({ risksOfNode }: RiskMap, ...nodes: number[]): Set<number> {
  return new Set(nodes.flatMap((node) => risksOfNode[node]!));
}
