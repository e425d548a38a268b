import type { Placement } from './problem.ts';
import { closed, free, opened } from './reduce.ts';

/**
 * The Lagrangian bound: "each client is served once" is priced at `price` per client instead of being asked for. What is left
 * falls apart by site: a site is worth opening for what its clients save against their price, and the `maxOpen` best of those
 * that are worth it open. The prices climb by a deflected subgradient (Held, Wolfe and Crowder 1974; Camerini, Fratta and
 * Maffioli 1975). The best of these bounds is that of the linear relaxation in its strong form.
 */
export interface Relaxation {
  readonly p: Placement;
  /** Prices that gave the best bound; never above what an unserved client costs, where more cannot help. */
  readonly price: Float64Array;
  /** The best bound so far: no solution costs less. */
  bound: number;
  /** At these prices, of each site: what opening it costs in all; negative is worth it. */
  readonly worth: Float64Array;
  /** Share of late iterations in which the site was chosen: what a linear solution opens, about. */
  readonly share: Float64Array;
  /** Sites chosen last. */
  readonly chosen: Uint8Array;
  /** What the bound has settled: a better solution than `cutoff` has these sites so (free, opened, closed). */
  readonly settled: Uint8Array;
}

export function startRelaxation(p: Placement, price: Float64Array): Relaxation {
  const start = price.slice();
  for (let c = 0; c < p.clients; c++) start[c] = Math.min(start[c]!, p.unserved[c]!);
  const { sites } = p;
  return {
    p,
    price: start,
    bound: -Infinity,
    worth: new Float64Array(sites),
    share: new Float64Array(sites),
    chosen: new Uint8Array(sites),
    settled: new Uint8Array(sites),
  };
}

/** Prices to begin with: what the second best way costs. */
export function firstPrices(p: Placement): Float64Array {
  const price = p.unserved.slice();
  for (let c = 0; c < p.clients; c++) {
    const second = p.start[c]! + 1;
    if (second < p.start[c + 1]!) price[c] = p.cost[second]!;
  }
  return price;
}

export interface ClimbOptions {
  /** Total of the best solution known: sets the length of steps. */
  target: number;
  /** Only solutions below this are of interest; what costs more is settled away, and a bound as high ends the climb. */
  cutoff: number;
  iterations: number;
  /** Length of the first steps, at most 2; it halves after `patience` iterations without a better bound. */
  step: number;
  patience: number;
  /** Called now and then with the sites just chosen. */
  onChosen?: (chosen: Uint8Array) => void;
}

/** Raises the bound for some iterations. Returns the length of steps it ended with, to go on from. */
export function climb(r: Relaxation, options: ClimbOptions): number {
  const { p } = r;
  const { clients } = p;
  const price = r.price.slice();
  const worth = new Float64Array(p.sites);
  const direction = new Float64Array(clients);
  const order = Int32Array.from({ length: p.sites }, (_, s) => s);
  let { step } = options;
  let idle = 0;
  for (let round = 0; round < options.iterations && step > 1e-4; round++) {
    const bound = evaluate(p, price, worth, order, r.chosen);
    settle(r, bound, worth, order, options.cutoff);
    if (bound > r.bound) {
      idle = bound > r.bound + 1e-6 * Math.abs(bound) ? 0 : idle + 1;
      r.bound = bound;
      r.price.set(price);
      r.worth.set(worth);
    } else idle++;
    if (r.bound >= options.cutoff) return step;
    if (idle >= options.patience) {
      step /= 2;
      idle = 0;
      price.set(r.price);
      direction.fill(0);
      continue;
    }
    for (let s = 0; s < p.sites; s++) r.share[s]! += 0.1 * (r.chosen[s]! - r.share[s]!);
    options.onChosen?.(r.chosen);
    if (!move(p, price, direction, r.chosen, step * Math.max(options.target - bound, 1e-9 + 1e-7 * Math.abs(bound))))
      return step;
  }
  return step;
}

/** The bound at these prices. Afterwards `order` has the best `maxOpen` sites first, the worst of them last among those. */
function evaluate(
  p: Placement,
  price: Float64Array,
  worth: Float64Array,
  order: Int32Array,
  chosen: Uint8Array,
): number {
  const { start, site, cost, maxOpen } = p;
  worth.set(p.siteCost);
  let bound = p.base;
  for (let c = 0; c < p.clients; c++) {
    const mine = price[c]!;
    bound += mine;
    for (let way = start[c]!, end = start[c + 1]!; way < end && cost[way]! < mine; way++)
      worth[site[way]!]! += cost[way]! - mine;
  }
  bringLeastForward(order, worth, maxOpen);
  chosen.fill(0);
  for (let at = 0; at < maxOpen && at < order.length; at++) {
    const s = order[at]!;
    if (worth[s]! >= 0) continue;
    chosen[s] = 1;
    bound += worth[s]!;
  }
  return bound;
}

/** Partial selection: the `count` items of least key first (Hoare's quickselect), the greatest of them at count - 1. */
function bringLeastForward(items: Int32Array, key: Float64Array, count: number): void {
  if (count <= 0 || count > items.length) return;
  const last = count - 1;
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const pivot = key[items[(low + high) >> 1]!]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (key[items[i]!]! < pivot) i++;
      while (key[items[j]!]! > pivot) j--;
      if (i <= j) {
        const swapped = items[i]!;
        items[i++] = items[j]!;
        items[j--] = swapped;
      }
    }
    if (last <= j) high = j;
    else if (last >= i) low = i;
    else return;
  }
}

/** Settles sites whose other choice would cost at least `cutoff`. */
function settle(r: Relaxation, bound: number, worth: Float64Array, order: Int32Array, cutoff: number): void {
  const { maxOpen, sites } = r.p;
  // A site that opens in addition takes the place of the worst of the chosen, where there is no place left.
  const worst = maxOpen >= 1 && maxOpen <= sites ? Math.min(0, worth[order[maxOpen - 1]!]!) : 0;
  let first = 0;
  for (let at = maxOpen; at < sites; at++) if (worth[order[at]!]! < first) first = worth[order[at]!]!;
  for (let s = 0; s < sites; s++) {
    if (r.settled[s] !== free) continue;
    if (r.chosen[s]) {
      if (bound - worth[s]! + first >= cutoff) r.settled[s] = opened;
    } else if (maxOpen < 1 || bound + worth[s]! - worst >= cutoff) r.settled[s] = closed;
  }
}

/** Moves the prices by the subgradient; false when it is zero, which is as good as it gets. */
function move(p: Placement, price: Float64Array, direction: Float64Array, chosen: Uint8Array, room: number): boolean {
  const { start, site, cost, unserved } = p;
  let [length2, along] = [0, 0];
  const slope = new Float64Array(p.clients);
  for (let c = 0; c < p.clients; c++) {
    const mine = price[c]!;
    let served = 0;
    for (let way = start[c]!, end = start[c + 1]!; way < end && cost[way]! < mine; way++) served += chosen[site[way]!]!;
    let g = 1 - served;
    // At its ceiling the price cannot rise: there the client may as well stay unserved.
    if (g > 0 && mine >= unserved[c]!) g = 0;
    slope[c] = g;
    length2 += g * g;
    along += g * direction[c]!;
  }
  if (length2 === 0) return false;
  let old2 = 0;
  for (let c = 0; c < p.clients; c++) old2 += direction[c]! ** 2;
  const deflect = along < 0 && old2 > 0 ? (-1.5 * along) / old2 : 0;
  let new2 = 0;
  for (let c = 0; c < p.clients; c++) {
    direction[c] = slope[c]! + deflect * direction[c]!;
    new2 += direction[c]! ** 2;
  }
  const factor = room / Math.max(new2, 1e-12);
  for (let c = 0; c < p.clients; c++) price[c] = Math.min(unserved[c]!, price[c]! + factor * direction[c]!);
  return true;
}
