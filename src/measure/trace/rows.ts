import type { Cell, Table } from './table.ts';

/** One hop as discovery sees it: which addresses answered, to which flows. Flows that ended before it are left out. */
export interface Row {
  ttl: number;
  cells: Cell[];
  /** Flows by the one address that they were seen at; flows seen at several are in none. */
  vertices: Map<string, number[]>;
  /** Cells with an answer, and answers of these cells. */
  answered: number;
  samples: number;
  /** Cells without an answer for which no probe is on the way. */
  silent: number;
  flying: number;
  /** Some flow was answered by several addresses here, or at an earlier hop since which ways did not join: packets of one flow
   * are spread. */
  perPacket: boolean;
  /** Some flows end here, and some go on. */
  endsForSome: boolean;
  /** Every flow is known to pass the one node of this hop. */
  passedByAll: boolean;
}

/** All hops from `firstTtl` to `lastTtl`. */
export function rowsOf(table: Table, firstTtl: number, lastTtl: number): Row[] {
  const rows = Array.from({ length: Math.max(0, lastTtl - firstTtl + 1) }, (_, i) => rowOf(table, firstTtl + i));
  for (let i = 1; i < rows.length; i++) rows[i]!.perPacket ||= rows[i - 1]!.perPacket && rows[i]!.vertices.size > 1;
  return rows;
}

export function rowOf(table: Table, ttl: number): Row {
  const cells = [...table.row(ttl).values()].filter((cell) => table.endOf(cell.flow) >= ttl);
  const row: Row = {
    ttl,
    cells,
    vertices: new Map(),
    answered: 0,
    samples: 0,
    silent: 0,
    flying: 0,
    perPacket: false,
    endsForSome: false,
    passedByAll: false,
  };
  let ended = 0;
  for (const cell of cells) {
    if (cell.addresses.length === 0) {
      if (cell.flying > 0) row.flying++;
      else row.silent++;
      continue;
    }
    row.answered++;
    row.samples += cell.received;
    if (cell.ended) ended++;
    if (cell.addresses.length > 1) row.perPacket = true;
    for (const address of cell.addresses) {
      const flows = row.vertices.get(address) ?? [];
      if (cell.addresses.length === 1) flows.push(cell.flow);
      row.vertices.set(address, flows);
    }
  }
  row.endsForSome = ended > 0 && ended < row.answered;
  return row;
}

/**
 * Whether all who answered are where the path is over. A router that hands one flow to the target hands all of them: the target
 * is on its own link. So one flow per router is enough to know.
 */
export function onlyEnds(cells: readonly Cell[]): boolean {
  const answered = cells.filter((cell) => cell.received > 0);
  return answered.length > 0 && answered.every((cell) => cell.ended);
}

/** The address of a flow at a TTL; null when it has none, or several. */
export function addressAt(table: Table, ttl: number, flow: number): string | null {
  const addresses = table.cell(ttl, flow)?.addresses;
  return addresses?.length === 1 ? addresses[0]! : null;
}

/** Addresses that flows of `from` were seen at one hop further: to each the flows that show it. */
export function successors(table: Table, row: Row, from: string): Map<string, number[]> {
  return neighbours(table, row, from, row.ttl + 1);
}

/** The same one hop back. */
export function predecessors(table: Table, row: Row, of: string): Map<string, number[]> {
  return neighbours(table, row, of, row.ttl - 1);
}

function neighbours(table: Table, row: Row, vertex: string, ttl: number): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const flow of row.vertices.get(vertex) ?? []) {
    // Beyond the end of a flow there is nothing: an answer from there came to a probe that overshot.
    if (ttl > table.endOf(flow)) continue;
    const address = addressAt(table, ttl, flow);
    if (address === null) continue;
    const flows = found.get(address) ?? [];
    flows.push(flow);
    found.set(address, flows);
  }
  return found;
}
