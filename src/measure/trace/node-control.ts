import { successors, type Row } from './rows.ts';
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
    const needed = flowsNeeded(next.size, confidence);
    let counted = 0;
    let [answered, silent] = [0, 0];
    for (const flow of going) {
      const cell = knownToFar.get(flow);
      if (cell === undefined) continue;
      if (cell.received > 0) answered++;
      else if (cell.flying > 0 || wishes.wants(far.ttl, flow)) counted++;
      else silent++;
    }
    const onlyEnds = going.every((flow) => {
      const cell = knownToFar.get(flow);
      return cell === undefined || cell.received === 0 || cell.ended;
    });
    counted += answered + (onlyEnds ? silent : 0);
    counted += wishes.addSome(far.ttl, going, needed - counted);
    missing += Math.max(0, needed - counted);
  }
  wishes.addFlows(near.ttl, missing - wishes.openAt(near));
}
