import { type Graph, makeGraph } from '../../stats/graph/graph.ts';
import { type Block, blocksOf, gatesOf } from './blocks.ts';
import type { Gone } from './ecmp.ts';
import { type Demands, demandRows, type TrafficNetwork } from './traffic.ts';

/** Least maximum utilisation of one block: a problem of its own, with its own numbers of nodes, arcs and pools. */
export interface Problem {
  graph: Graph;
  pool: Int32Array;
  capacity: Float64Array;
  sources: Int32Array;
  /** Of each source: volume to every node. */
  volumes: Float64Array[];
  /** Arc and pool of the network behind each arc and pool here. */
  arcs: Int32Array;
  pools: Int32Array;
}

/** Cuts a network into its blocks. Demands without a way are left out of all of them, and told. */
export function problemsOf(
  network: TrafficNetwork,
  demands: Demands,
  gone: Gone,
): { problems: Problem[]; unroutedVolume: number } {
  const alive = withoutGone(network.graph, gone);
  const rows = demandRows(network.graph.nodes, demands);
  const unroutedVolume = dropUnreachable(alive.graph, rows);
  const problems = blocksOf(alive.graph).map((block) => problemOf(network, alive, block, rows));
  return { problems: problems.filter(({ sources }) => sources.length > 0), unroutedVolume };
}

interface Alive {
  graph: Graph;
  /** Arc of the network behind each arc. */
  arcs: Int32Array;
}

function withoutGone(graph: Graph, { arcs: goneArcs, nodes: goneNodes }: Gone): Alive {
  const isGone = (arc: number) => goneArcs?.[arc] || goneNodes?.[graph.from[arc]!] || goneNodes?.[graph.to[arc]!];
  const arcs = Int32Array.from(Array.from({ length: graph.links }, (_, a) => a).filter((a) => !isGone(a)));
  const [from, to] = [arcs.map((a) => graph.from[a]!), arcs.map((a) => graph.to[a]!)];
  return { graph: makeGraph({ nodes: graph.nodes, from, to, directed: true }), arcs };
}

function dropUnreachable({ nodes, offset, target }: Graph, rows: Map<number, Float64Array>): number {
  let dropped = 0;
  for (const [source, row] of rows) {
    const seen = new Uint8Array(nodes);
    seen[source] = 1;
    const open = [source];
    while (open.length > 0) {
      const at = open.pop()!;
      for (let i = offset[at]!; i < offset[at + 1]!; i++) {
        const to = target[i]!;
        if (seen[to]) continue;
        seen[to] = 1;
        open.push(to);
      }
    }
    for (let t = 0; t < nodes; t++) {
      if (seen[t] || row[t] === 0) continue;
      dropped += row[t]!;
      row[t] = 0;
    }
  }
  return dropped;
}

function problemOf(network: TrafficNetwork, alive: Alive, block: Block, rows: Map<number, Float64Array>): Problem {
  const nodeOf = new Int32Array(network.graph.nodes).fill(-1);
  block.nodes.forEach((node, i) => (nodeOf[node] = i));
  const gate = gatesOf(alive.graph, block);
  for (let v = 0; v < gate.length; v++) if (gate[v]! >= 0) gate[v] = nodeOf[gate[v]!]!;
  const nodes = block.nodes.length;
  const volumes = new Map<number, Float64Array>();
  for (const [source, row] of rows) {
    const a = gate[source]!;
    if (a < 0) continue;
    for (let t = 0; t < row.length; t++) {
      const b = gate[t]!;
      if (row[t] === 0 || b < 0 || b === a) continue;
      let into = volumes.get(a);
      if (!into) volumes.set(a, (into = new Float64Array(nodes)));
      into[b]! += row[t]!;
    }
  }
  const arcs = block.arcs.map((a) => alive.arcs[a]!);
  const pools = Int32Array.from(new Set(arcs.map((a) => network.pool[a]!))).sort();
  const poolOf = new Map([...pools].map((p, i) => [p, i]));
  const from = block.arcs.map((a) => nodeOf[alive.graph.from[a]!]!);
  const to = block.arcs.map((a) => nodeOf[alive.graph.to[a]!]!);
  return {
    graph: makeGraph({ nodes, from, to, directed: true }),
    pool: arcs.map((a) => poolOf.get(network.pool[a]!)!),
    capacity: Float64Array.from(pools, (p) => network.capacity[p]!),
    sources: Int32Array.from(volumes.keys()),
    volumes: [...volumes.values()],
    arcs,
    pools,
  };
}
