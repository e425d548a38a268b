import { costOf, type Placement } from './problem.ts';

/**
 * Local search by opening, closing or swapping one site, always the best such move (Resende and Werneck, "On the
 * implementation of a swap-based local search procedure for the p-median problem", 2003): what a move brings is kept as
 * gain[in] − loss[out] + extra[in, out], and a move changes only the terms of the clients whose nearest two sites it changes.
 */
export interface SwapSearch {
  readonly p: Placement;
  /** Sites that are open, in slots; a slot without a site is -1. */
  readonly siteAt: Int32Array;
  /** Slot of each site, -1 where it is closed. */
  readonly slotOf: Int32Array;
  /** Slot that serves each client and the next best, -1 for none, and what they cost. */
  readonly near: Int32Array;
  readonly next: Int32Array;
  readonly nearCost: Float64Array;
  readonly nextCost: Float64Array;
  readonly gain: Float64Array;
  readonly loss: Float64Array;
  /** extra[slot * sites + site]: what is counted twice when this slot closes and this site opens. */
  readonly extra: Float64Array;
  open: number;
  /** A change smaller than this is rounding. */
  least: number;
}

export function makeSwapSearch(p: Placement): SwapSearch {
  const slots = Math.min(p.maxOpen, p.sites);
  return {
    p,
    siteAt: new Int32Array(slots).fill(-1),
    slotOf: new Int32Array(p.sites).fill(-1),
    near: new Int32Array(p.clients),
    next: new Int32Array(p.clients),
    nearCost: new Float64Array(p.clients),
    nextCost: new Float64Array(p.clients),
    gain: new Float64Array(p.sites),
    loss: new Float64Array(slots),
    extra: new Float64Array(slots * p.sites),
    open: 0,
    least: 0,
  };
}

/** Starts anew from these sites; what is beyond `maxOpen` is left out. */
export function startFrom(search: SwapSearch, sites: Iterable<number>): void {
  search.siteAt.fill(-1);
  search.slotOf.fill(-1);
  search.open = 0;
  for (const site of sites)
    if (search.open < search.siteAt.length && search.slotOf[site] === -1) put(search, search.open, site);
  search.gain.fill(0);
  search.loss.fill(0);
  search.extra.fill(0);
  for (let c = 0; c < search.p.clients; c++) {
    findNearest(search, c);
    count(search, c, 1);
  }
  search.least = search.p.quantum > 0 ? search.p.quantum / 2 : 1e-10 * Math.max(1, Math.abs(totalOf(search)));
}

function put(search: SwapSearch, slot: number, site: number): void {
  search.siteAt[slot] = site;
  search.slotOf[site] = slot;
  search.open++;
}

function findNearest({ p, slotOf, near, next, nearCost, nextCost }: SwapSearch, client: number): void {
  const end = p.start[client + 1]!;
  let way = p.start[client]!;
  while (way < end && slotOf[p.site[way]!]! < 0) way++;
  near[client] = way < end ? slotOf[p.site[way]!]! : -1;
  nearCost[client] = way < end ? p.cost[way]! : p.unserved[client]!;
  way++;
  while (way < end && slotOf[p.site[way]!]! < 0) way++;
  next[client] = way < end ? slotOf[p.site[way]!]! : -1;
  nextCost[client] = way < end ? p.cost[way]! : p.unserved[client]!;
}

/** Adds the terms of one client (sign 1) or takes them away (-1). */
function count({ p, near, nearCost, nextCost, gain, loss, extra }: SwapSearch, client: number, sign: number): void {
  const slot = near[client]!;
  const first = nearCost[client]!;
  const second = nextCost[client]!;
  const { site, cost } = p;
  const end = p.start[client + 1]!;
  let way = p.start[client]!;
  if (slot < 0) {
    for (; way < end; way++) gain[site[way]!]! += sign * (first - cost[way]!);
    return;
  }
  loss[slot]! += sign * (second - first);
  const row = slot * p.sites;
  for (; way < end && cost[way]! < first; way++) {
    gain[site[way]!]! += sign * (first - cost[way]!);
    extra[row + site[way]!]! += sign * (second - first);
  }
  for (; way < end && cost[way]! < second; way++) extra[row + site[way]!]! += sign * (second - cost[way]!);
}

export interface Move {
  /** Site to open, -1 for none. */
  site: number;
  /** Slot to close, -1 for none. */
  slot: number;
  /** Change of the total; negative is better. */
  change: number;
}

/** The move that lowers the total most, or raises it least. */
export function bestMove(search: SwapSearch): Move {
  const { p, siteAt, slotOf, gain, loss, extra } = search;
  const best: Move = { site: -1, slot: -1, change: Infinity };
  const isFull = search.open >= siteAt.length;
  if (!isFull)
    for (let s = 0; s < p.sites; s++)
      if (slotOf[s]! < 0 && p.siteCost[s]! - gain[s]! < best.change)
        [best.site, best.slot, best.change] = [s, -1, p.siteCost[s]! - gain[s]!];
  for (let slot = 0; slot < siteAt.length; slot++) {
    const out = siteAt[slot]!;
    if (out < 0) continue;
    const closing = loss[slot]! - p.siteCost[out]!;
    if (closing < Math.min(best.change, 0)) [best.site, best.slot, best.change] = [-1, slot, closing];
    const row = slot * p.sites;
    for (let s = 0; s < p.sites; s++) {
      const change = closing + p.siteCost[s]! - gain[s]! - extra[row + s]!;
      if (change < best.change && slotOf[s]! < 0) [best.site, best.slot, best.change] = [s, slot, change];
    }
  }
  return best;
}

/** Makes a move and brings the terms up to date. */
export function makeMove(search: SwapSearch, { site, slot }: Move): void {
  const { p, siteAt, slotOf, near, next } = search;
  const isTouched = touchedBy(search, site);
  for (let c = 0; c < p.clients; c++) if (slot >= 0 && (near[c] === slot || next[c] === slot)) isTouched[c] = 1;
  for (let c = 0; c < p.clients; c++) if (isTouched[c]) count(search, c, -1);
  if (slot >= 0) {
    slotOf[siteAt[slot]!] = -1;
    siteAt[slot] = -1;
    search.open--;
    // What rounding has left there belongs to a site that is closed now.
    search.loss[slot] = 0;
    search.extra.fill(0, slot * p.sites, (slot + 1) * p.sites);
  }
  if (site >= 0) put(search, slot >= 0 ? slot : siteAt.indexOf(-1), site);
  for (let c = 0; c < p.clients; c++)
    if (isTouched[c]) {
      findNearest(search, c);
      count(search, c, 1);
    }
}

/** Clients to whom a site that opens would be the nearest or the next. */
function touchedBy({ p, nextCost }: SwapSearch, site: number): Uint8Array {
  const isTouched = new Uint8Array(p.clients);
  if (site < 0) return isTouched;
  for (let c = 0; c < p.clients; c++)
    for (let way = p.start[c]!, end = p.start[c + 1]!; way < end && p.cost[way]! < nextCost[c]!; way++)
      if (p.site[way] === site) isTouched[c] = 1;
  return isTouched;
}

/** Moves until no move lowers the total. */
export function descend(search: SwapSearch): void {
  for (;;) {
    const move = bestMove(search);
    if (move.change >= -search.least) return;
    makeMove(search, move);
  }
}

/** Closes some sites and opens others by lot, so that a new descent ends elsewhere. */
export function shake(search: SwapSearch, moves: number, random: () => number): void {
  const { p, siteAt, slotOf } = search;
  for (let n = 0; n < moves && search.open < p.sites; n++) {
    const slot = Math.floor(random() * siteAt.length);
    const site = Math.floor(random() * p.sites);
    if (slotOf[site]! < 0) makeMove(search, { site, slot: siteAt[slot]! < 0 ? -1 : slot, change: 0 });
  }
}

export function openSites({ slotOf }: SwapSearch): Uint8Array {
  return Uint8Array.from(slotOf, (slot) => (slot < 0 ? 0 : 1));
}

export function totalOf(search: SwapSearch): number {
  return costOf(search.p, openSites(search));
}
