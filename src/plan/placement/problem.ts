/**
 * Where to open sites: every client goes to its cheapest open site or stays unserved, every open site costs, at most
 * `maxOpen` may open. p-median, maximal coverage, the question behind p-centre and uncapacitated location are all this one
 * problem with other numbers, so they share search and proof.
 *
 * Only ways that can matter are kept: of each client those cheaper than leaving it unserved, cheapest first, in flat columns.
 */
export interface Placement {
  readonly clients: number;
  readonly sites: number;
  /** The ways of client c are start[c] .. start[c + 1] - 1. */
  readonly start: Int32Array;
  readonly site: Int32Array;
  readonly cost: Float64Array;
  /** What a client costs that no open site serves; finite. */
  readonly unserved: Float64Array;
  readonly siteCost: Float64Array;
  readonly maxOpen: number;
  /** Paid whatever opens: sites that are open already, in a problem that was cut down. */
  readonly base: number;
  /** Every total is a whole multiple of this, so a bound may be rounded up to one; 0 where that is not known. */
  readonly quantum: number;
}

export interface PlacementInput {
  clients: number;
  sites: number;
  /** Cost of each client at each site, client after client; Infinity: not allowed. */
  cost: ArrayLike<number>;
  /** Absent: as much as the dearest allowed way of that client, so that being served is never worse. */
  unserved?: ArrayLike<number>;
  siteCost?: ArrayLike<number>;
  maxOpen: number;
}

/** @throws RangeError for sizes that do not fit each other */
export function makePlacement(input: PlacementInput): Placement {
  const { clients, sites, cost, maxOpen } = input;
  if (cost.length !== clients * sites)
    throw new RangeError(`Cannot place ${clients} clients on ${sites} sites by ${cost.length} costs`);
  const unserved = new Float64Array(clients);
  const start = new Int32Array(clients + 1);
  for (let c = 0; c < clients; c++) {
    unserved[c] = input.unserved ? input.unserved[c]! : dearest(cost, c * sites, sites);
    let ways = 0;
    for (let s = 0; s < sites; s++) if (cost[c * sites + s]! < unserved[c]!) ways++;
    start[c + 1] = start[c]! + ways;
  }
  const siteCost = input.siteCost ? Float64Array.from(input.siteCost) : new Float64Array(sites);
  const columns = sortedWays(input, start, unserved);
  const quantum = [unserved, columns.cost, siteCost].every((column) => column.every(Number.isInteger)) ? 1 : 0;
  return { clients, sites, start, ...columns, unserved, siteCost, maxOpen, base: 0, quantum };
}

function dearest(cost: ArrayLike<number>, from: number, sites: number): number {
  let most = 0;
  for (let at = from; at < from + sites; at++) if (cost[at]! > most && cost[at]! < Infinity) most = cost[at]!;
  return most;
}

function sortedWays({ clients, sites, cost }: PlacementInput, start: Int32Array, unserved: Float64Array) {
  const ways = start[clients]!;
  const out = { site: new Int32Array(ways), cost: new Float64Array(ways) };
  const room = new Int32Array(sites);
  for (let c = 0; c < clients; c++) {
    const from = start[c]!;
    let at = from;
    for (let s = 0; s < sites; s++) if (cost[c * sites + s]! < unserved[c]!) out.site[at++] = s;
    sortByKey(out.site.subarray(from, at), cost, c * sites, room);
    for (at = from; at < start[c + 1]!; at++) out.cost[at] = cost[c * sites + out.site[at]!]!;
  }
  return out;
}

/**
 * Sorts numbers by key[base + number], stable: merge sort from below. A comparator through Int32Array.sort took six times as
 * long on the 810,000 ways of the largest OR-Library case.
 */
function sortByKey(items: Int32Array, key: ArrayLike<number>, base: number, room: Int32Array): void {
  const n = items.length;
  let [from, to] = [items, room];
  for (let width = 1; width < n; width *= 2) {
    for (let low = 0; low < n; low += 2 * width) {
      const middle = Math.min(low + width, n);
      const high = Math.min(low + 2 * width, n);
      let [a, b] = [low, middle];
      for (let at = low; at < high; at++)
        to[at] = b >= high || (a < middle && key[base + from[a]!]! <= key[base + from[b]!]!) ? from[a++]! : from[b++]!;
    }
    [from, to] = [to, from];
  }
  if (from !== items) for (let at = 0; at < n; at++) items[at] = from[at]!;
}

/** What a set of open sites costs in all; `isOpen` has a 1 for each. */
export function costOf(p: Placement, isOpen: ArrayLike<number>): number {
  let total = p.base;
  for (let s = 0; s < p.sites; s++) if (isOpen[s]) total += p.siteCost[s]!;
  for (let c = 0; c < p.clients; c++) {
    let way = p.start[c]!;
    const end = p.start[c + 1]!;
    while (way < end && !isOpen[p.site[way]!]) way++;
    total += way < end ? p.cost[way]! : p.unserved[c]!;
  }
  return total;
}
