/**
 * A multigraph that never changes: nodes 0..nodes-1, links 0..links-1, parallel links and self-loops allowed. Flat columns, so that
 * algorithms walk it without objects and workers share it without copying. What fails is said by masks beside it, not by a new graph.
 *
 * The arcs that leave node v are offset[v] .. offset[v+1]-1, in the order of their links. An undirected link is two arcs (a
 * self-loop also), a directed one is the arc from → to.
 */
export interface Graph {
  readonly nodes: number;
  readonly links: number;
  readonly directed: boolean;
  /** Ends and length of each link. The length is whatever paths add up: km, ms, weight. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly length: Float64Array;
  readonly offset: Int32Array;
  /** Of each arc: the node it leads to, its link, and the length of that link. */
  readonly target: Int32Array;
  readonly link: Int32Array;
  readonly arcLength: Float64Array;
}

export interface GraphInput {
  nodes: number;
  from: ArrayLike<number>;
  to: ArrayLike<number>;
  /** Finite and not negative; absent: every link has length 1. */
  length?: ArrayLike<number>;
  directed?: boolean;
}

/** @throws RangeError that names the first link whose end does not exist or whose length is negative or not finite. */
export function makeGraph({ nodes, from, to, length, directed = false }: GraphInput): Graph {
  check(nodes, from, to, length);
  const links = from.length;
  const graph = {
    nodes,
    links,
    directed,
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    length: length ? Float64Array.from(length) : new Float64Array(links).fill(1),
  };
  return { ...graph, ...arcsOf(graph) };
}

/** The same graph with every arc turned round; lengths and links keep their numbers. */
export function reversed(graph: Graph): Graph {
  if (!graph.directed) return graph;
  return makeGraph({ ...graph, from: graph.to, to: graph.from });
}

/** The other end of a link. */
export function acrossFrom(graph: Graph, link: number, node: number): number {
  return graph.from[link] === node ? graph.to[link]! : graph.from[link]!;
}

function check(nodes: number, from: ArrayLike<number>, to: ArrayLike<number>, length?: ArrayLike<number>): void {
  if (!Number.isInteger(nodes) || nodes < 0) throw new RangeError(`Cannot make a graph of ${nodes} nodes`);
  if (to.length !== from.length || (length && length.length !== from.length))
    throw new RangeError(`Cannot make a graph of ${from.length} starts, ${to.length} ends, ${length?.length} lengths`);
  const isNode = (node: number) => Number.isInteger(node) && node >= 0 && node < nodes;
  for (let link = 0; link < from.length; link++) {
    const [a, b, km] = [from[link]!, to[link]!, length ? length[link]! : 1];
    if (!isNode(a) || !isNode(b))
      throw new RangeError(`Cannot add link ${link}: it joins ${a} and ${b} of ${nodes} nodes`);
    if (!(km >= 0 && km < Infinity)) throw new RangeError(`Cannot add link ${link}: its length is ${km}`);
  }
}

/** Counting sort of the arcs by the node that they leave. */
function arcsOf({
  nodes,
  links,
  directed,
  from,
  to,
  length,
}: Pick<Graph, 'nodes' | 'links' | 'directed' | 'from' | 'to' | 'length'>) {
  const arcs = directed ? links : 2 * links;
  const offset = new Int32Array(nodes + 1);
  for (let l = 0; l < links; l++) {
    offset[from[l]! + 1]!++;
    if (!directed) offset[to[l]! + 1]!++;
  }
  for (let v = 0; v < nodes; v++) offset[v + 1]! += offset[v]!;
  const next = offset.slice(0, nodes);
  const [target, link, arcLength] = [new Int32Array(arcs), new Int32Array(arcs), new Float64Array(arcs)];
  const add = (a: number, b: number, l: number) => {
    const arc = next[a]!++;
    target[arc] = b;
    link[arc] = l;
    arcLength[arc] = length[l]!;
  };
  for (let l = 0; l < links; l++) {
    add(from[l]!, to[l]!, l);
    if (!directed) add(to[l]!, from[l]!, l);
  }
  return { offset, target, link, arcLength };
}
