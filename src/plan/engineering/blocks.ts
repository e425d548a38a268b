import type { Graph } from '../../stats/graph/graph.ts';

/** A part of a network that no single node cuts in two, with what has to cross it. */
export interface Block {
  /** Nodes and arcs of the network that are in it. */
  nodes: Int32Array;
  arcs: Int32Array;
}

/**
 * Biconnected components, directions ignored (Hopcroft and Tarjan 1973, without recursion). Every arc but a loop is in exactly one. Traffic
 * between two places passes the nodes that separate them whatever the routing, so each block is a problem of its own.
 */
export function blocksOf(graph: Graph): Block[] {
  const skeleton = bothWays(graph);
  const entered = new Int32Array(graph.nodes).fill(-1);
  const low = new Int32Array(graph.nodes);
  const next = skeleton.offset.slice(0, graph.nodes);
  const parentArc = new Int32Array(graph.nodes).fill(-1);
  const isTaken = new Uint8Array(graph.links);
  const arcStack: number[] = [];
  const blocks: Block[] = [];
  let time = 0;
  for (let root = 0; root < graph.nodes; root++) {
    if (entered[root]! >= 0) continue;
    const path = [root];
    entered[root] = low[root] = time++;
    while (path.length > 0) {
      const at = path.at(-1)!;
      if (next[at]! < skeleton.offset[at + 1]!) {
        const i = next[at]!++;
        const [to, arc] = [skeleton.target[i]!, skeleton.arc[i]!];
        if (isTaken[arc] || to === at) continue;
        isTaken[arc] = 1;
        arcStack.push(arc);
        if (entered[to]! >= 0) low[at] = Math.min(low[at]!, entered[to]!);
        else {
          entered[to] = low[to] = time++;
          parentArc[to] = arc;
          path.push(to);
        }
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent === undefined) continue;
      low[parent] = Math.min(low[parent]!, low[at]!);
      if (low[at]! >= entered[parent]!) blocks.push(cutOff(graph, arcStack, parentArc[at]!));
    }
  }
  return blocks;
}

/** The arcs above and with the one by which the block was entered. */
function cutOff(graph: Graph, arcStack: number[], entry: number): Block {
  const arcs = Int32Array.from(arcStack.splice(arcStack.lastIndexOf(entry))).sort();
  const nodes = Int32Array.from(new Set([...arcs].flatMap((a) => [graph.from[a]!, graph.to[a]!]))).sort();
  return { nodes, arcs };
}

function bothWays(graph: Graph): { offset: Int32Array; target: Int32Array; arc: Int32Array } {
  const offset = new Int32Array(graph.nodes + 1);
  for (let a = 0; a < graph.links; a++) {
    offset[graph.from[a]! + 1]!++;
    offset[graph.to[a]! + 1]!++;
  }
  for (let v = 0; v < graph.nodes; v++) offset[v + 1]! += offset[v]!;
  const place = offset.slice(0, graph.nodes);
  const [target, arc] = [new Int32Array(2 * graph.links), new Int32Array(2 * graph.links)];
  for (let a = 0; a < graph.links; a++) {
    for (const [v, w] of [
      [graph.from[a]!, graph.to[a]!],
      [graph.to[a]!, graph.from[a]!],
    ] as const) {
      const i = place[v]!++;
      target[i] = w;
      arc[i] = a;
    }
  }
  return { offset, target, arc };
}

/**
 * For one block, the node of it through which each node of the network reaches it; −1 where it does not. A demand then crosses
 * the block from gate to gate.
 */
export function gatesOf(graph: Graph, { nodes, arcs }: Block): Int32Array {
  const gate = new Int32Array(graph.nodes).fill(-1);
  const isInside = new Uint8Array(graph.links);
  for (const arc of arcs) isInside[arc] = 1;
  const skeleton = bothWays(graph);
  for (const start of nodes) gate[start] = start;
  for (const start of nodes) {
    const open = [start];
    while (open.length > 0) {
      const at = open.pop()!;
      for (let i = skeleton.offset[at]!; i < skeleton.offset[at + 1]!; i++) {
        const to = skeleton.target[i]!;
        if (isInside[skeleton.arc[i]!] || gate[to]! >= 0) continue;
        gate[to] = start;
        open.push(to);
      }
    }
  }
  return gate;
}
