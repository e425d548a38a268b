import { closed, free, opened } from '../reduce.ts';
import type { Capacitated } from './problem.ts';

/**
 * The Lagrangian bound of capacitated location: "all demand is served" has a price per client; each site then fills its capacity
 * with the clients that save most for their demand (a continuous knapsack), and sites are chosen so that together they could serve
 * everybody, or at most `maxOpen` of them. At the best prices this is at least the linear relaxation with x ≤ y.
 */
export interface CapacitatedBound {
  readonly p: Capacitated;
  readonly state: Uint8Array;
  readonly price: Float64Array;
  bound: number;
  readonly share: Float64Array;
  /** Share of each site that is open at the last prices. */
  readonly taken: Float64Array;
}

interface Work {
  worth: Float64Array;
  /** Part of each client that each site would serve, client after client. */
  part: Float64Array;
  order: Int32Array;
  slope: Float64Array;
  /** What a unit of capacity costs beyond its use, where capacity is short. */
  marginal: number;
  isCounted: boolean;
}

export function startBound(p: Capacitated, state: Uint8Array, price: Float64Array): CapacitatedBound {
  const share = new Float64Array(p.sites);
  return { p, state: state.slice(), price: price.slice(), bound: -Infinity, share, taken: new Float64Array(p.sites) };
}

/** Raises the bound for some iterations; settles sites whose other choice would cost `cutoff`. Returns the length of steps it ended with. */
export function climbBound(r: CapacitatedBound, { target, cutoff, iterations, step, onTaken }: ClimbOptions): number {
  const { p } = r;
  const price = r.price.slice();
  const work: Work = {
    worth: new Float64Array(p.sites),
    part: new Float64Array(p.clients * p.sites),
    order: new Int32Array(p.clients),
    slope: new Float64Array(p.clients),
    marginal: 0,
    isCounted: false,
  };
  let idle = 0;
  for (let round = 0; round < iterations && step > 1e-4; round++) {
    const bound = evaluate(r, price, work);
    if (bound === Infinity) return (void (r.bound = Infinity), step);
    settle(r, bound, work, cutoff);
    if (bound > r.bound + 1e-7 * Math.abs(bound)) idle = 0;
    else idle++;
    if (bound > r.bound) {
      r.bound = bound;
      r.price.set(price);
    }
    if (r.bound >= cutoff) return step;
    for (let s = 0; s < p.sites; s++) r.share[s]! += 0.1 * (r.taken[s]! - r.share[s]!);
    onTaken?.(r.taken);
    if (idle >= 15) {
      step /= 2;
      idle = 0;
      price.set(r.price);
      continue;
    }
    let length2 = 0;
    for (const g of work.slope) length2 += g * g;
    if (length2 < 1e-18) return step;
    const factor = (step * Math.max(target - bound, 1e-7 * Math.abs(bound))) / length2;
    for (let c = 0; c < p.clients; c++) price[c]! += factor * work.slope[c]!;
  }
  return step;
}

interface ClimbOptions {
  target: number;
  cutoff: number;
  iterations: number;
  step: number;
  onTaken?: (taken: Float64Array) => void;
}

function evaluate(r: CapacitatedBound, price: Float64Array, work: Work): number {
  const { p, state, taken } = r;
  for (let s = 0; s < p.sites; s++) work.worth[s] = state[s] === closed ? Infinity : fill(p, s, price, work);
  let bound = choose(r, work);
  for (const one of price) bound += one;
  for (let c = 0; c < p.clients; c++) {
    let served = 0;
    for (let s = 0; s < p.sites; s++) if (taken[s]! > 0) served += taken[s]! * work.part[c * p.sites + s]!;
    work.slope[c] = 1 - served;
  }
  return bound;
}

/** Fills a site with the clients that save most for their demand; returns what opening it costs in all. */
function fill(
  { clients, sites, cost, demand, capacity, siteCost }: Capacitated,
  s: number,
  price: Float64Array,
  { part, order }: Work,
): number {
  let [count, wanted, worth] = [0, 0, siteCost[s]!];
  for (let c = 0; c < clients; c++) {
    const saves = cost[c * sites + s]! < price[c]!;
    part[c * sites + s] = saves ? 1 : 0;
    if (!saves) continue;
    order[count++] = c;
    wanted += demand[c]!;
    worth += cost[c * sites + s]! - price[c]!;
  }
  if (wanted <= capacity[s]!) return worth;
  const rate = (c: number) => (cost[c * sites + s]! - price[c]!) / demand[c]!;
  // Those that save least leave until the rest fits, the last of them in part.
  const mine = order.subarray(0, count).sort((a, b) => rate(b) - rate(a));
  let over = wanted - capacity[s]!;
  for (const c of mine) {
    const leaves = Math.min(1, over / demand[c]!);
    part[c * sites + s] = 1 - leaves;
    worth -= leaves * (cost[c * sites + s]! - price[c]!);
    over -= leaves * demand[c]!;
    if (over <= 0) break;
  }
  return worth;
}

/** Chooses sites: all that are worth it, as many as may open, and more while capacity is short. Infinity where it cannot suffice. */
function choose({ p, state, taken }: CapacitatedBound, work: Work): number {
  const { worth } = work;
  taken.fill(0);
  let [total, room, lack] = [0, p.maxOpen, 0];
  for (const one of p.demand) lack += one;
  const sites: number[] = [];
  for (let s = 0; s < p.sites; s++) {
    if (state[s] === free) sites.push(s);
    else if (state[s] === opened) {
      taken[s] = 1;
      total += worth[s]!;
      lack -= p.capacity[s]!;
      room--;
    }
  }
  work.marginal = 0;
  const good = sites.filter((s) => worth[s]! < 0).sort((a, b) => worth[a]! - worth[b]!);
  work.isCounted = good.length > room;
  for (const s of good.slice(0, Math.max(0, room))) {
    taken[s] = 1;
    total += worth[s]!;
    lack -= p.capacity[s]!;
  }
  if (room < 0) return Infinity;
  // Both limits hold; with only one of them the bound is less sharp and still a bound.
  if (work.isCounted || lack <= 1e-9) return total;
  const more = sites
    .filter((s) => worth[s]! >= 0 && p.capacity[s]! > 0)
    .sort((a, b) => worth[a]! / p.capacity[a]! - worth[b]! / p.capacity[b]!);
  for (const s of more) {
    const share = Math.min(1, lack / p.capacity[s]!);
    taken[s] = share;
    total += share * worth[s]!;
    lack -= share * p.capacity[s]!;
    work.marginal = worth[s]! / p.capacity[s]!;
    if (lack <= 1e-9) return total;
  }
  return lack <= 1e-9 ? total : Infinity;
}

/** By the reduced costs of the choice of sites. */
function settle(
  { p, state, taken }: CapacitatedBound,
  bound: number,
  { worth, marginal, isCounted }: Work,
  cutoff: number,
): void {
  // Where the number of sites limits: the worst of the chosen would make room, the best of the others would come in.
  let [worst, next] = [-Infinity, 0];
  if (isCounted)
    for (let s = 0; s < p.sites; s++) {
      if (state[s] !== free) continue;
      if (taken[s]! > 0) worst = Math.max(worst, worth[s]!);
      else next = Math.min(next, worth[s]!);
    }
  for (let s = 0; s < p.sites; s++) {
    if (state[s] !== free) continue;
    if (taken[s] === 1) {
      const without = isCounted ? next - worth[s]! : marginal * p.capacity[s]! - worth[s]!;
      if (bound + without >= cutoff) state[s] = opened;
    } else if (taken[s] === 0) {
      const withIt = isCounted ? worth[s]! - worst : worth[s]! - marginal * p.capacity[s]!;
      if (bound + withIt >= cutoff) state[s] = closed;
    }
  }
}
