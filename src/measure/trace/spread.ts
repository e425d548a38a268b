import { addressAt, successors, type Row } from './rows.ts';
import type { Table } from './table.ts';
import type { Wishes } from './wishes.ts';

/** Of one node: flows that were or are being asked one hop further, and those that could be. */
interface Share {
  asked: number;
  left: number[];
}

/**
 * Asks up to `missing` flows more at `far`, spread evenly over the nodes of `near` that they pass.
 *
 * The stopping rule counts flows at random. By chance some nodes get few of them, and a balancer behind these is missed. Flows
 * that are chosen leave no node out, so as long as each node seems to have one successor, fewer of them are as sure: enough is
 * asked when a balancer in two behind some node of `near` would go unseen no more often than with `needed` flows at random.
 */
export function addSpread(
  wishes: Wishes,
  table: Table,
  near: Row,
  far: Row,
  { missing, needed }: { missing: number; needed: number },
): void {
  const shares = sharesOf(wishes, table, near, far);
  const oneEach = [...near.vertices.keys()].every((vertex) => successors(table, near, vertex).size < 2);
  const bound = missedAtRandom(shares.length, needed);
  for (let left = missing; left > 0; left--) {
    if (oneEach && missedBySpread(shares) <= bound) return;
    const share = shares.filter((one) => one.left.length > 0).sort((a, b) => a.asked - b.asked)[0];
    if (share === undefined) return wishes.addFlows(far.ttl, left);
    wishes.add(far.ttl, share.left.shift()!);
    share.asked++;
  }
}

function sharesOf(wishes: Wishes, table: Table, near: Row, far: Row): Share[] {
  const shares: Share[] = [];
  for (const flows of near.vertices.values()) {
    const going = flows.filter((flow) => table.endOf(flow) > near.ttl);
    if (going.length === 0 && flows.length > 0) continue;
    const isOpen = (flow: number) => wishes.wants(far.ttl, flow) || (table.cell(far.ttl, flow)?.flying ?? 0) > 0;
    shares.push({
      asked: going.filter((flow) => isOpen(flow) || addressAt(table, far.ttl, flow) !== null).length,
      left: going.filter((flow) => table.cell(far.ttl, flow) === undefined && !wishes.wants(far.ttl, flow)),
    });
  }
  return shares;
}

/** Chance that one of `nodes` even nodes balances in two and `flows` flows at random do not see both ways. */
export function missedAtRandom(nodes: number, flows: number): number {
  return 2 * (1 - 1 / (2 * nodes)) ** flows - (1 - 1 / nodes) ** flows;
}

/** The same with so many flows at each node: all of them go the same way. */
function missedBySpread(shares: readonly Pick<Share, 'asked'>[]): number {
  return shares.reduce((sum, { asked }) => sum + Math.min(1, 2 ** (1 - asked)), 0) / shares.length;
}
