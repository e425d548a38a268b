import type { NextHop } from '../../wire/route.ts';
import type { Row } from './rows.ts';

/** Whether an address that answered at TTL 1 is where every flow passes, whatever its ports. */
export type SoleFirstHop = (address: string) => boolean;

/**
 * By the own routing table: with one next hop only, this host hands all flows to the same router, and no probes are needed to
 * find others. Holds where the one who answers is that gateway (not one of several behind a shared address), or where the
 * link has a single other end.
 */
export function soleFirstHop(nextHop: NextHop | null): SoleFirstHop {
  return (address) => nextHop !== null && (nextHop.pointToPoint || nextHop.gateway === address);
}

/** Where the first hop is the only one by the routing table, every flow was there, whether it was asked there or not. */
export function markSoleFirstHop(rows: readonly Row[], sole: SoleFirstHop): void {
  const [first] = rows;
  const [address, ...others] = first?.vertices.keys() ?? [];
  if (first?.ttl !== 1 || address === undefined || others.length > 0 || first.perPacket || !sole(address)) return;
  first.vertices.set(address, [...new Set(rows.flatMap((row) => row.cells.map(({ flow }) => flow)))]);
  first.passedByAll = true;
}
