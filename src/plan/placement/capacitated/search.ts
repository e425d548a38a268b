import { closed, free, opened } from '../reduce.ts';
import { type Capacitated, type Flow, siteCosts } from './problem.ts';
import { type CapacitatedBound, climbBound, startBound } from './relaxation.ts';
import { transport } from './transport.ts';

export interface CapacitatedStanding {
  open: Uint8Array;
  /** Infinity where no choice is known whose capacities suffice. */
  total: number;
  lowerBound: number;
  /** Demand of each client that each site serves, client after client. */
  served: Float64Array;
  nodes: number;
}

interface Node {
  state: Uint8Array;
  bound: number;
  price: Float64Array;
}

interface Search {
  p: Capacitated;
  total: number;
  open: Uint8Array;
  flow: Flow;
  nodes: number;
  /** Totals of the sets that were tried, by their bits. */
  tried: Map<string, number>;
}

/**
 * Finds the cheapest sites within their capacities and proves it: the Lagrangian bound, whose choices of sites are served by a
 * transportation problem and improved by opening and closing one, then branch and bound, the least bound first. Yields what it knows.
 */
export function* placeCapacitated(p: Capacitated): Generator<CapacitatedStanding, CapacitatedStanding> {
  const nothing = new Uint8Array(p.sites);
  const settled = Uint8Array.from({ length: p.sites }, (_, s) => (p.mustOpen?.[s] ? opened : free));
  const flow = { cost: Infinity, served: new Float64Array(p.clients * p.sites) };
  const search: Search = { p, total: Infinity, open: nothing, flow, nodes: 0, tried: new Map() };
  firstAnswer(search);
  const root = startBound(p, settled, firstPrices(p));
  yield standing(search, 0);
  yield* climbRoot(search, root);
  const waiting: Node[] = [{ state: root.state, bound: root.bound, price: root.price }];
  while (waiting.length > 0) {
    const node = waiting.pop()!;
    if (node.bound >= cutoff(search)) continue;
    for (const child of expand(search, node)) insert(waiting, child);
    yield standing(search, waiting.at(-1)?.bound ?? search.total);
  }
  return standing(search, search.total);
}

const cutoff = ({ total }: Search): number =>
  total === Infinity ? Infinity : total - 1e-9 * Math.max(1, Math.abs(total));

function standing({ open, total, flow, nodes }: Search, bound: number): CapacitatedStanding {
  return { open: open.slice(), total, lowerBound: Math.min(total, bound), served: flow.served, nodes };
}

/** What the second cheapest site asks. */
function firstPrices(p: Capacitated): Float64Array {
  return Float64Array.from({ length: p.clients }, (_, c) => {
    const ways = p.cost
      .subarray(c * p.sites, (c + 1) * p.sites)
      .filter((cost) => cost < Infinity)
      .sort();
    return ways[1] ?? ways[0] ?? 0;
  });
}

/** The largest sites, as many as may open: feasible where anything simple is. */
function firstAnswer(search: Search): void {
  const { p } = search;
  const first = (s: number) => (p.mustOpen?.[s] ? Infinity : p.capacity[s]!);
  const bySize = Array.from({ length: p.sites }, (_, s) => s).sort((a, b) => (first(b) > first(a) ? 1 : -1));
  const open = new Uint8Array(p.sites);
  for (const s of bySize.slice(0, p.maxOpen)) open[s] = 1;
  tryOpen(search, open);
}

function tryOpen(search: Search, open: Uint8Array): number {
  if (search.p.mustOpen?.some((one, s) => one === 1 && open[s] === 0)) return Infinity;
  const key = String.fromCharCode(...open);
  const known = search.tried.get(key);
  if (known !== undefined) return known;
  const { p } = search;
  const flow = transport(p, open);
  const total = flow.cost + siteCosts(p, open);
  if (search.tried.size < 100_000) search.tried.set(key, total);
  if (total < search.total) [search.total, search.open, search.flow] = [total, open.slice(), flow];
  return total;
}

/** Opens, closes or swaps one site as long as the total falls; the first that helps. */
function* improve(search: Search): Generator<void> {
  const { p } = search;
  for (let isBetter = true; isBetter;) {
    isBetter = false;
    const before = search.total;
    for (let a = 0; a < p.sites && !isBetter; a++) {
      const open = search.open.slice();
      open[a] = 1 - open[a]!;
      if (open.reduce((sum, one) => sum + one, 0) <= p.maxOpen) tryOpen(search, open);
      isBetter = search.total < before;
      yield;
    }
  }
}

function* climbRoot(search: Search, root: CapacitatedBound): Generator<CapacitatedStanding> {
  const { p } = search;
  let step = 1.5;
  for (let rounds = 0; rounds < 60 && step > 1e-3 && root.bound < cutoff(search); rounds++) {
    const target = search.total < Infinity ? search.total : 2 * Math.abs(root.bound) + 1;
    step = climbBound(root, { target, cutoff: cutoff(search), iterations: 20, step });
    search.nodes = 1;
    const before = search.total;
    tryOpen(search, withinLimit(p, root.taken));
    if (search.total < before || rounds === 0) for (const _ of improve(search)) yield standing(search, root.bound);
    yield standing(search, root.bound);
  }
}

/** Sites that are taken in part are open; of too many the least taken stay closed. */
function withinLimit(p: Capacitated, taken: Float64Array): Uint8Array {
  const rank = (s: number) => taken[s]! + (p.mustOpen?.[s] ?? 0);
  const sites = [...taken.keys()].filter((s) => taken[s]! > 0).sort((a, b) => rank(b) - rank(a));
  const open = new Uint8Array(p.sites);
  for (const s of sites.slice(0, p.maxOpen)) open[s] = 1;
  return open;
}

function insert(waiting: Node[], node: Node): void {
  let [low, high] = [0, waiting.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (waiting[middle]!.bound > node.bound) low = middle + 1;
    else high = middle;
  }
  waiting.splice(low, 0, node);
}

function expand(search: Search, node: Node): Node[] {
  search.nodes++;
  const { p } = search;
  const state = node.state.slice();
  const count = state.reduce((sum, one) => sum + (one === opened ? 1 : 0), 0);
  if (count > p.maxOpen) return [];
  if (count === p.maxOpen) for (let s = 0; s < p.sites; s++) if (state[s] === free) state[s] = closed;
  if (!state.includes(free)) return leaf(search, state);
  const r = startBound(p, state, node.price);
  const target = search.total < Infinity ? search.total : 2 * Math.abs(node.bound) + 1;
  climbBound(r, { target, cutoff: cutoff(search), iterations: 60, step: 0.5 });
  if (r.bound === Infinity) return [];
  const bound = Math.max(node.bound, r.bound);
  if (bound >= cutoff(search)) return [];
  tryOpen(search, withinLimit(p, r.taken));
  if (bound >= cutoff(search)) return [];
  const site = mostUndecided(r);
  if (site < 0) return leaf(search, r.state);
  return [opened, closed].map((choice) => {
    const child = r.state.slice();
    child[site] = choice;
    return { state: child, bound, price: r.price };
  });
}

/** Everything is settled: the transportation problem says the rest. */
function leaf(search: Search, state: Uint8Array): [] {
  const open = state.map((one) => (one === opened ? 1 : 0));
  if (open.reduce((sum, one) => sum + one, 0) <= search.p.maxOpen) tryOpen(search, open);
  return [];
}

/** The free site that is open about half of the time; -1 where none is free. */
function mostUndecided({ state, share }: CapacitatedBound): number {
  let best = -1;
  for (let s = 0; s < state.length; s++)
    if (state[s] === free && (best < 0 || Math.abs(share[s]! - 0.5) < Math.abs(share[best]! - 0.5))) best = s;
  return best;
}
