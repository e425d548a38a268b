import { predecessors, successors, type Row } from './rows.ts';
import type { Table } from './table.ts';
import type { Wishes } from './wishes.ts';

/**
 * Answers that flows must repeat before their hop counts as chosen by flow: of two branches taken packet by packet, six
 * repeats see the same one all along once in 64 times.
 */
const REPEATS = 6;
/** The same for each node before a hop where flows seem to mesh, which packets that are spread one by one imitate. */
const SUSPECT_REPEATS = 10;
/** Answers wanted of a hop beside a per-packet balancer that seems to be a single node, before links to it are stated. */
const SOLE_ANSWERS = 16;
/** More where that hop has many nodes: another way could lie behind one of them only. */
const SOLE_ANSWERS_PER_NODE = 8;

/** Answers after which a hop that seems to be a single node counts as one, by the hops beside it. */
export function soleAnswers(...beside: readonly (Row | undefined)[]): number {
  return Math.max(SOLE_ANSWERS, ...beside.map((row) => SOLE_ANSWERS_PER_NODE * (row?.vertices.size ?? 0)));
}

/** Asks flows again where ways part, to tell a balancer by flow from one by packet. */
export function checkRepeats(wishes: Wishes, table: Table, rows: readonly Row[], suspects: ReadonlySet<number>): void {
  for (const [i, row] of rows.entries()) {
    const before = rows[i - 1];
    const beside = before?.perPacket === true || rows[i + 1]?.perPacket === true;
    if (row.perPacket) continue;
    if (row.vertices.size < 2) {
      if (beside && row.vertices.size === 1 && !row.passedByAll)
        askMore(wishes, row, everyFlow(row), soleAnswers(before, rows[i + 1]) - row.samples);
    } else if (suspects.has(row.ttl)) {
      for (const flows of parting(table, row, before)) {
        askMore(wishes, row, flows, SUSPECT_REPEATS - repeats(row, flows));
      }
    } else if (row.vertices.size > (before?.vertices.size ?? 1) && !isByFlow(table, rows, i)) {
      // What the next hop says of the same flows may make repeats needless.
      if (!wishes.isOpenAt(row.ttl + 1)) askMore(wishes, row, everyFlow(row), REPEATS - repeatsOf(row));
    }
  }
}

/**
 * Whether flows were seen to keep to their way at this hop: by answers that repeat, or by going on to the same node as all flows
 * beside them at a neighbouring hop, which packets that are spread one by one would do by chance only.
 */
export function isByFlow(table: Table, rows: readonly Row[], i: number): boolean {
  const row = rows[i]!;
  if (row.perPacket) return false;
  const next = rows[i + 1];
  return (
    repeatsOf(row) >= REPEATS || (next !== undefined && !next.perPacket && agreements(table, row, next) >= REPEATS)
  );
}

/** Flows beyond the first of each node that agree with it on the neighbour; none where any of them disagrees. */
function agreements(table: Table, near: Row, far: Row): number {
  if (near.vertices.size < 2 || far.vertices.size < 2) return 0;
  const widens = near.vertices.size < far.vertices.size;
  const [wide, find] = widens ? [far, predecessors] : [near, successors];
  let agreeing = 0;
  for (const vertex of wide.vertices.keys()) {
    const neighbours = find(table, wide, vertex);
    if (neighbours.size > 1) return 0;
    for (const flows of neighbours.values()) agreeing += flows.length - 1;
  }
  return agreeing;
}

function repeatsOf(row: Row): number {
  return row.samples - row.answered;
}

function repeats(row: Row, flows: ReadonlySet<number>): number {
  return row.cells.reduce((sum, cell) => sum + (flows.has(cell.flow) ? Math.max(0, cell.received - 1) : 0), 0);
}

function everyFlow(row: Row): ReadonlySet<number> {
  return new Set(row.cells.map(({ flow }) => flow));
}

/** Flows by the node before this hop that they pass, of each node at which they part. */
function parting(table: Table, row: Row, before: Row | undefined): ReadonlySet<number>[] {
  if (before === undefined || before.vertices.size === 0) return [everyFlow(row)];
  return [...before.vertices.keys()]
    .map((vertex) => successors(table, before, vertex))
    .filter((next) => next.size > 1)
    .map((next) => new Set([...next.values()].flat()));
}

const MOST_REPEATS = 64;

/** Bounded even where every other probe is lost. */
function askMore(wishes: Wishes, row: Row, flows: ReadonlySet<number>, count: number): void {
  const answered = row.cells.filter((cell) => cell.received > 0 && flows.has(cell.flow));
  const spent = answered.reduce((sum, cell) => sum + cell.sent - 1, 0);
  const flying = answered.reduce((sum, cell) => sum + cell.flying, 0);
  wishes.repeat(row.ttl, answered, Math.min(count - flying, MOST_REPEATS - spent));
}
