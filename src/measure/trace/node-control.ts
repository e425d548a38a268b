import { onlyEnds, successors, type Row } from './rows.ts';
import { flowsNeeded } from './stopping.ts';
import type { Table } from './table.ts';
import type { Wishes } from './wishes.ts';

/**
 * One step of MDA: the stopping rule at each node of `near` by itself, with flows that are known to pass it. Where too few are
 * known, further flows are tried at `near` until enough of them come by the node.
 */
export function widenByNode(wishes: Wishes, table: Table, near: Row, far: Row, confidence: number): void {
  const knownToFar = new Map(far.cells.map((cell) => [cell.flow, cell]));
  let missing = 0;
  for (const [vertex, flows] of near.vertices) {
    const going = flows.filter((flow) => table.endOf(flow) > near.ttl);
    if (going.length === 0 && flows.length > 0) continue;
    const next = successors(table, near, vertex);
    const cells = going.flatMap((flow) => knownToFar.get(flow) ?? []);
    const needed = onlyEnds(cells) ? 1 : flowsNeeded(next.size, confidence);
    const answered = cells.filter((cell) => cell.received > 0).length;
    const open = cells.filter((cell) => cell.received === 0 && (cell.flying > 0 || wishes.wants(far.ttl, cell.flow)));
    // Where nobody answers, silence is all that can be counted.
    let counted = answered + (answered === 0 ? cells.length : open.length);
    counted += wishes.addSome(far.ttl, going, needed - counted);
    missing += Math.max(0, needed - counted);
  }
  wishes.addFlows(near.ttl, missing - wishes.openAt(near));
}
