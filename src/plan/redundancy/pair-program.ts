import { acrossFrom } from '../../stats/graph/graph.ts';
import { type Milp, MilpBuilder } from '../milp/milp.ts';
import { asPair, asPath, type Pair, type PairQuestion } from './pair-question.ts';

/** The pair as a program: two flows of one unit each, and for every risk at most one of the two that may use it. */
export interface PairProgram {
  milp: Milp;
  /** The pair in a solution. */
  pairOf(values: Float64Array): Pair;
}

/** What sharing each risk costs, and how much all sharing together may cost at most. */
export interface Sharing {
  costOf(risk: number): number;
  atMost?: number;
  /** What is made least: what is shared, or the length under the `atMost`. */
  least: 'shared' | 'length';
}

/**
 * Without `sharing`, paths must share nothing: a program without solution proves that there is no pair. With it, they may, and the
 * cost of what they share is made least (or the length, where that cost is limited).
 */
export function pairProgram(question: PairQuestion, sharing?: Sharing): PairProgram {
  const { map, from, to, apart } = question;
  const { graph, risks } = map;
  const builder = new MilpBuilder();
  const lengthCost = sharing?.least === 'shared' ? 0 : 1;
  // Of each path two variables per link: along it and against it.
  const along = [0, 1].map(() =>
    Array.from(graph.length, (km) => [builder.binary(lengthCost * km), builder.binary(lengthCost * km)] as const),
  );
  const costs: { variable: number; cost: number }[] = [];
  const arcsAt = arcsByNode(question);
  for (const flow of along) conserve(builder, question, flow, arcsAt);
  for (const [r, risk] of risks.entries()) {
    if (!apart[r]) continue;
    const uses = along.map((flow) => usesOf(question, risk.links, risk.nodes, flow, arcsAt));
    if (uses[0]!.length === 0) continue;
    const over: number[] = [];
    if (sharing) {
      const cost = sharing.costOf(r);
      const variable = builder.variable({ cost: sharing.least === 'shared' ? cost : 0, upper: 1 });
      costs.push({ variable, cost });
      over.push(variable);
    }
    const minus = over.map(() => -1);
    if (uses[0]!.length === 1) {
      const all = uses.flatMap(([use]) => use!);
      builder.row(-Infinity, 1, [...all, ...over], [...all.map(() => 1), ...minus]);
      continue;
    }
    const flags = uses.map((list) => {
      const flag = builder.binary();
      for (const use of list) builder.row(-Infinity, 0, [...use, flag], [...use.map(() => 1), -1]);
      return flag;
    });
    builder.row(-Infinity, 1, [...flags, ...over], [1, 1, ...minus]);
  }
  if (sharing?.atMost !== undefined)
    builder.row(
      -Infinity,
      sharing.atMost,
      costs.map(({ variable }) => variable),
      costs.map(({ cost }) => cost),
    );
  return { milp: builder.build(), pairOf: (values) => pairIn(values, question, along) };

  function pairIn(values: Float64Array, { map }: PairQuestion, flows: typeof along): Pair {
    const [a, b] = flows.map((flow) => {
      const used = flow.flatMap((arcs, link) => (arcs.some((arc) => values[arc]! > 0.5) ? [link] : []));
      return asPath(
        map.graph,
        inOrder(used, from, to, (link, node) => acrossFrom(graph, link, node), graph),
      );
    });
    return asPair(a!, b!);
  }
}

type Flow = readonly (readonly [along: number, against: number])[];
/** Links at a node, and whether going out along this link is `along` (0) or `against` (1). */
type ArcsAt = { link: number; out: 0 | 1 }[][];

function arcsByNode({ map: { graph } }: PairQuestion): ArcsAt {
  const at: ArcsAt = Array.from({ length: graph.nodes }, () => []);
  for (let link = 0; link < graph.links; link++) {
    if (graph.from[link] === graph.to[link]) continue;
    at[graph.from[link]!]!.push({ link, out: 0 });
    at[graph.to[link]!]!.push({ link, out: 1 });
  }
  return at;
}

/** One unit goes from the one end to the other, and passes each node at most once. */
function conserve(builder: MilpBuilder, { from, to }: PairQuestion, flow: Flow, arcsAt: ArcsAt): void {
  for (const [node, arcs] of arcsAt.entries()) {
    const out = arcs.map(({ link, out }) => flow[link]![out]);
    const into = arcs.map(({ link, out }) => flow[link]![1 - out]!);
    const net = node === from ? 1 : node === to ? -1 : 0;
    builder.row(net, net, [...out, ...into], [...out.map(() => 1), ...into.map(() => -1)]);
    if (out.length > 0)
      builder.row(
        -Infinity,
        node === to ? 0 : 1,
        out,
        out.map(() => 1),
      );
  }
}

/** The ways in which a path can use a risk, each a list of variables of which at most one is 1. */
function usesOf(
  { from, map: { graph } }: PairQuestion,
  links: readonly number[],
  nodes: readonly number[],
  flow: Flow,
  arcsAt: ArcsAt,
): (readonly number[])[] {
  const ofLinks = links.filter((link) => graph.from[link] !== graph.to[link]).map((link) => flow[link]!);
  // Who comes into a node uses it; the ends are not among the nodes of a risk that must be apart.
  const ofNodes = nodes
    .filter((node) => node !== from)
    .map((node) => arcsAt[node]!.map(({ link, out }) => flow[link]![1 - out]!));
  return [...ofLinks, ...ofNodes].filter((use) => use.length > 0);
}

/** A solution may hold circles of length 0 beside the path: only what leads from the one end to the other is taken. */
function inOrder(
  used: readonly number[],
  from: number,
  to: number,
  across: (link: number, node: number) => number,
  { from: a, to: b }: { from: Int32Array; to: Int32Array },
): number[] {
  const rest = new Set(used);
  const links: number[] = [];
  for (let at = from; at !== to;) {
    const next = [...rest].find((link) => a[link] === at || b[link] === at);
    if (next === undefined) throw new Error(`the solver's path ends at node ${at} before it is at ${to}`);
    rest.delete(next);
    links.push(next);
    at = across(next, at);
  }
  return links;
}
