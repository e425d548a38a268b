import type { RepetitaDemand, RepetitaGraph } from '../../gather/topology/repetita.ts';
import type { EngineeringInput } from './analyse.ts';
import type { FailureCase } from './cases.ts';
import { type Demands, makeTrafficNetwork } from './traffic.ts';

type Core = Pick<
  EngineeringInput,
  'network' | 'demands' | 'nodeNames' | 'arcNames' | 'linkNames' | 'failures' | 'isPerDirection'
>;

/**
 * Every edge is one direction with a capacity of its own. Two edges that run opposite ways are taken to be one link, which fails as a
 * whole; edges without capacity are left out.
 */
export function fromRepetita(graph: RepetitaGraph, demands: readonly RepetitaDemand[]): Core & { notes: string[] } {
  const edges = graph.edges.filter(({ capacity }) => capacity > 0);
  const notes =
    edges.length < graph.edges.length
      ? [`${graph.edges.length - edges.length} edges have no capacity and are left out`]
      : [];
  const twin = pairUp(edges);
  const link = new Int32Array(edges.length);
  const linkNames: string[] = [];
  edges.forEach((edge, e) => {
    const other = twin[e]!;
    link[e] = other >= 0 && other < e ? link[other]! : linkNames.push(edge.name) - 1;
  });
  const alone = twin.filter((other) => other < 0).length;
  if (alone > 0) notes.push(`${alone} edges have no edge the other way and fail alone`);
  const network = makeTrafficNetwork(graph.nodes.length, edges, 'one');
  return {
    network: { ...network, link, links: linkNames.length },
    demands: demandColumns(demands),
    nodeNames: graph.nodes.map(({ name }) => name),
    arcNames: edges.map(({ name }) => name),
    linkNames,
    isPerDirection: true,
    failures: singleFailures(
      linkNames,
      graph.nodes.map(({ name }) => name),
    ),
    notes,
  };
}

export function demandColumns(demands: readonly { from: number; to: number; volume: number }[]): Demands {
  return {
    from: Int32Array.from(demands, ({ from }) => from),
    to: Int32Array.from(demands, ({ to }) => to),
    volume: Float64Array.from(demands, ({ volume }) => volume),
  };
}

/** Every link and every node alone. */
export function singleFailures(linkNames: readonly string[], nodeNames: readonly string[]): FailureCase[] {
  return [
    ...linkNames.map((name, i): FailureCase => ({ name, kind: 'link', links: [i], nodes: [] })),
    ...nodeNames.map((name, i): FailureCase => ({ name, kind: 'node', links: [], nodes: [i] })),
  ];
}

/** Of each edge, the one that goes back: of several, one with the same capacity, in the order of the file; −1 where there is none. */
function pairUp(edges: readonly { from: number; to: number; capacity: number }[]): Int32Array {
  const twin = new Int32Array(edges.length).fill(-1);
  const waiting = new Map<string, number[]>();
  edges.forEach(({ from, to, capacity }, e) => {
    const candidates = waiting.get(`${to} ${from}`) ?? [];
    const same = candidates.findIndex((other) => edges[other]!.capacity === capacity);
    const [other] = candidates.splice(Math.max(0, same), 1);
    if (other === undefined) waiting.set(`${from} ${to}`, [...(waiting.get(`${from} ${to}`) ?? []), e]);
    else [twin[e], twin[other]] = [other, e];
  });
  return twin;
}
