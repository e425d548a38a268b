import { pathId } from '../../model/path-id.ts';
import type { TraceGraph } from '../../model/trace.ts';
import { markSoleFirstHop, type SoleFirstHop } from './first-hop.ts';
import { isByFlow, soleAnswers } from './per-packet.ts';
import { rowOf, rowsOf, successors, type Row } from './rows.ts';
import type { Table } from './table.ts';

/** The shape of what was found; what was measured at its nodes is filled in by who knows it. */
export interface Shape {
  nodes: { id: number; ttl: number; address: string | null; flows: number[] }[];
  edges: TraceGraph['edges'];
  paths: { id: string; flows: number[]; nodes: number[]; reached: boolean }[];
  balancers: TraceGraph['balancers'];
}

/**
 * Nodes, edges and paths out of the table. An edge needs one flow that was seen at both ends, at hops where that flow gave one
 * answer only; behind a balancer that spreads packets one by one there is no such flow, and an edge is stated only where one
 * end is the only node of its hop. Every flow counts as seen at a first hop that is the only one by the routing table.
 * @param isTarget whether an address is the target's
 */
export function shapeOf(
  table: Table,
  firstTtl: number,
  isTarget: (address: string) => boolean,
  sole: SoleFirstHop = () => false,
): Shape {
  const rows = rowsOf(table, firstTtl, lastHop(table, firstTtl));
  markSoleFirstHop(rows, sole);
  const shape: Shape = { nodes: [], edges: [], paths: [], balancers: [] };
  const ids = rows.map((row) => addNodes(shape, row));
  for (let i = 0; i + 1 < rows.length; i++) addEdges(shape, table, rows, ids, i);
  rows.forEach((_, i) => addBalancers(shape, table, rows, ids, i));
  addPaths(shape, table, rows, ids, isTarget);
  return shape;
}

/** With the silent hops behind the last answer, as far as they were tried. */
function lastHop(table: Table, firstTtl: number): number {
  let ttl = Math.max(table.reach, firstTtl - 1);
  const last = rowOf(table, ttl).cells.filter((cell) => cell.received > 0);
  if (last.length > 0 && last.every((cell) => cell.ended)) return ttl;
  while ([...table.row(ttl + 1).values()].some(({ flow }) => table.endOf(flow) > ttl)) ttl++;
  return ttl;
}

type Ids = Map<string | null, number>;

function addNodes(shape: Shape, row: Row): Ids {
  const ids: Ids = new Map();
  const add = (address: string | null, flows: number[]) => {
    ids.set(address, shape.nodes.length);
    shape.nodes.push({ id: shape.nodes.length, ttl: row.ttl, address, flows: flows.sort((a, b) => a - b) });
  };
  for (const address of row.vertices.keys()) {
    const seen = row.cells.filter((cell) => cell.addresses.includes(address)).map(({ flow }) => flow);
    add(address, row.passedByAll ? [...row.vertices.get(address)!] : seen);
  }
  const silent = row.cells.filter((cell) => cell.received === 0).map(({ flow }) => flow);
  // Where one node is known, silence is that node's: limited or lost. Where several are, it is not known whose.
  if (row.vertices.size !== 1 && (silent.length > 0 || row.perPacket)) add(null, silent);
  return ids;
}

function addEdges(shape: Shape, table: Table, rows: readonly Row[], ids: readonly Ids[], i: number): void {
  const [near, far] = [rows[i]!, rows[i + 1]!];
  const add = (from: string, to: string, flows: number[]) =>
    shape.edges.push({ from: ids[i]!.get(from)!, to: ids[i + 1]!.get(to)!, flows });
  if (near.perPacket || far.perPacket) {
    const sole = [near, far].find((row) => isSole(row, row === near ? far : near));
    const goesOn = (vertex: string) => !near.cells.some((cell) => cell.endings.includes(vertex));
    if (sole !== undefined) {
      for (const from of [...near.vertices.keys()].filter(goesOn))
        for (const to of far.vertices.keys()) add(from, to, []);
    }
    return;
  }
  for (const from of near.vertices.keys()) {
    for (const [to, flows] of successors(table, near, from))
      add(
        from,
        to,
        flows.sort((a, b) => a - b),
      );
  }
}

function isSole(row: Row, beside: Row): boolean {
  return row.passedByAll || (row.vertices.size === 1 && row.samples >= soleAnswers(beside) && row.silent === 0);
}

function addBalancers(shape: Shape, table: Table, rows: readonly Row[], ids: readonly Ids[], i: number): void {
  const row = rows[i]!;
  if (row.vertices.size < 2) return;
  const kind = row.perPacket ? 'per-packet' : isByFlow(table, rows, i) ? 'per-flow' : 'unknown';
  const before = rows[i - 1];
  const nodes: (number | null)[] = before === undefined ? [null] : [...ids[i - 1]!.values()];
  for (const node of nodes) {
    const edges = shape.edges.filter(({ from }) => from === node).length;
    const sole = nodes.length === 1 ? row.vertices.size : 0;
    const branches = Math.max(edges, sole);
    if (branches > 1) shape.balancers.push({ node, kind, branches });
  }
}

/** One path per different row of nodes, of the flows that were sent at every hop where it makes a difference. */
function addPaths(
  shape: Shape,
  table: Table,
  rows: readonly Row[],
  ids: readonly Ids[],
  isTarget: (address: string) => boolean,
): void {
  const flows = new Set(rows.flatMap((row) => row.cells.map(({ flow }) => flow)));
  const paths = new Map<string, Shape['paths'][number]>();
  for (const flow of [...flows].sort((a, b) => a - b)) {
    const nodes = nodesOf(table, rows, ids, flow);
    if (nodes === null) continue;
    const addresses = nodes.map((node) => shape.nodes[node]!.address);
    const id = pathId(addresses.map((address) => (address === null ? [] : [address])));
    const last = addresses.at(-1);
    const path = paths.get(id) ?? { id, flows: [], nodes, reached: last != null && isTarget(last) };
    path.flows.push(flow);
    paths.set(id, path);
  }
  shape.paths.push(...paths.values());
}

function nodesOf(table: Table, rows: readonly Row[], ids: readonly Ids[], flow: number): number[] | null {
  const nodes: number[] = [];
  for (const [i, row] of rows.entries()) {
    if (row.ttl > table.endOf(flow)) break;
    const cell = table.cell(row.ttl, flow);
    // Where a hop is one node, the flow passes it whether it was asked there or not.
    const sole = row.vertices.size < 2 ? ids[i]!.values().next().value : undefined;
    if (sole === undefined && cell === undefined) return null;
    const address = !row.perPacket && cell?.addresses.length === 1 ? cell.addresses[0]! : null;
    const node = sole ?? ids[i]!.get(address);
    if (node === undefined) return null;
    nodes.push(node);
  }
  return nodes.length === 0 ? null : nodes;
}
