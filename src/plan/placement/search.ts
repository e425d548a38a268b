import { seededRandom } from '../../stats/random.ts';
import { costOf, type Placement } from './problem.ts';
import { closed, free, opened, reduce } from './reduce.ts';
import { climb, firstPrices, type Relaxation, startRelaxation } from './relaxation.ts';
import { descend, makeSwapSearch, openSites, shake, startFrom, type SwapSearch } from './swap.ts';

/** The best that is known at one moment. Its `open` is a copy: a caller may stop at any of them. */
export interface Standing {
  /** 1 for each site to open. */
  open: Uint8Array;
  total: number;
  /** No choice of sites costs less. */
  lowerBound: number;
  /** Parts of the search that were bounded. */
  nodes: number;
}

/** A part of all choices: some sites settled, the rest free. */
interface Node {
  state: Uint8Array;
  bound: number;
  /** Prices of the part that it came from: single precision, as any prices give a valid bound. */
  price: Float32Array;
}

interface Search {
  p: Placement;
  best: Uint8Array;
  total: number;
  swaps: SwapSearch;
  random: () => number;
  nodes: number;
  /** Only totals up to this are of interest. */
  enough: number;
  settle: SearchOptions['settle'];
}

export interface SearchOptions {
  /** Sites to start from, e.g. the best for one site less. */
  hint?: Iterable<number>;
  seed?: number;
  /** The question is only whether a total of at most this can be had: ends when it is had, or is proven not to be. */
  enough?: number;
  /** What can be settled in a part before it is bounded, and which of its clients need not be looked at. */
  settle?: (p: Placement, state: Uint8Array) => { state: Uint8Array; isDone: Uint8Array };
}

const rootIterations = 3000;
const nodeIterations = 80;
/** A node of 900 clients weighs 4.5 kB; beyond this many the search goes deep instead of wide. */
const mostWaiting = 20_000;

/**
 * Finds the cheapest choice of sites and proves it: swap search from many starts, the Lagrangian bound with sites settled by
 * reduced costs, then branch and bound on the rest, the least bound first. Deterministic for a seed. Yields often (some
 * milliseconds of work) what it knows; who has no more time takes the last.
 */
export function* placeSites(p: Placement, options: SearchOptions = {}): Generator<Standing, Standing> {
  const search = begin(p, options);
  const root = startRelaxation(p, firstPrices(p));
  yield standing(search, -Infinity);
  yield* climbRoot(search, root);
  const states = settledOf(
    root,
    new Uint8Array(p.sites),
    Int32Array.from({ length: p.sites }, (_, s) => s),
  );
  if (root.bound < cutoff(search))
    yield* branch(search, { state: states, bound: root.bound, price: Float32Array.from(root.price) });
  const isAnswered = search.total <= search.enough && search.enough < Infinity;
  return standing(search, isAnswered ? root.bound : leastAbove(search));
}

function begin(p: Placement, { hint = [], seed = 1, enough = Infinity, settle }: SearchOptions): Search {
  const swaps = makeSwapSearch(p);
  const best = new Uint8Array(p.sites);
  const search: Search = {
    p,
    best,
    total: costOf(p, best),
    swaps,
    random: seededRandom(seed),
    nodes: 0,
    enough,
    settle,
  };
  const given = [...hint];
  tryFrom(search, given);
  if (given.length > 0) tryFrom(search, []);
  return search;
}

/** Descends from these sites, and keeps what comes out when it is better. */
function tryFrom(search: Search, sites: Iterable<number>): void {
  startFrom(search.swaps, sites);
  descend(search.swaps);
  keep(search, openSites(search.swaps));
}

function keep(search: Search, open: Uint8Array): boolean {
  const total = costOf(search.p, open);
  if (total >= search.total) return false;
  search.total = total;
  search.best = open;
  return true;
}

/** What costs this or more is of no interest: no better than what is known (bounds of whole numbers round up), or too much. */
function cutoff(search: Search): number {
  const { p, total, enough } = search;
  if (total <= enough && enough < Infinity) return -Infinity;
  return below(p, Math.min(total, leastAbove(search)));
}

/** A bound that reaches this says that nothing cheaper than `total` can be had. */
function below({ quantum }: Placement, total: number): number {
  return quantum > 0 ? total - quantum * (1 - 1e-6) : total - 1e-9 * Math.max(1, Math.abs(total));
}

/** The least total above `enough` that there can be. */
function leastAbove({ p: { quantum }, enough }: Search): number {
  if (enough === Infinity) return Infinity;
  return quantum > 0
    ? (Math.floor(enough / quantum + 1e-9) + 1) * quantum
    : enough + 1e-8 * Math.max(1, Math.abs(enough));
}

function standing({ p, best, total, nodes }: Search, bound: number): Standing {
  const whole = p.quantum > 0 ? Math.ceil(bound / p.quantum - 1e-6) * p.quantum + 0 : bound;
  return { open: best.slice(), total, lowerBound: Math.min(total, whole), nodes };
}

/** The bound at the top, with descents from what it chooses; both sharpen each other. */
function* climbRoot(search: Search, root: Relaxation): Generator<Standing> {
  let step = 1.5;
  for (let done = 0; done < rootIterations && root.bound < cutoff(search); done += 40) {
    step = climb(root, { target: search.total, cutoff: cutoff(search), iterations: 40, step, patience: 20 });
    if (step < 1e-3) break;
    tryFrom(search, indices(root.chosen));
    search.nodes = 1;
    yield standing(search, root.bound);
  }
}

function indices(flags: Uint8Array): number[] {
  const list: number[] = [];
  for (let at = 0; at < flags.length; at++) if (flags[at]) list.push(at);
  return list;
}

function settledOf({ settled }: Relaxation, state: Uint8Array, siteOf: Int32Array): Uint8Array {
  const next = state.slice();
  for (let at = 0; at < settled.length; at++) if (settled[at] !== free) next[siteOf[at]!] = settled[at]!;
  return next;
}

function* branch(search: Search, root: Node): Generator<Standing> {
  // Least bound last, so that it is popped.
  const waiting: Node[] = [root];
  while (waiting.length > 0) {
    const at = waiting.length > mostWaiting ? deepest(waiting) : waiting.length - 1;
    const [node] = waiting.splice(at, 1) as [Node];
    if (node.bound >= cutoff(search)) continue;
    for (const child of expand(search, node)) insert(waiting, child);
    if (search.nodes % 16 === 0) wander(search);
    const least = waiting.at(-1)?.bound ?? search.total;
    yield standing(search, least);
  }
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

/** The node with the fewest free sites among those of the least bounds. */
function deepest(waiting: readonly Node[]): number {
  let [at, fewest] = [waiting.length - 1, Infinity];
  for (let n = waiting.length - 1; n >= Math.max(0, waiting.length - 200); n--) {
    const count = waiting[n]!.state.reduce((sum, one) => sum + (one === free ? 1 : 0), 0);
    if (count < fewest) [at, fewest] = [n, count];
  }
  return at;
}

/** Bounds a part and, where the bound does not close it, cuts it in two by one site: open, or closed. */
function expand(search: Search, node: Node): Node[] {
  search.nodes++;
  const { state: before, isDone } = search.settle?.(search.p, node.state) ?? { state: node.state, isDone: null };
  const { problem, siteOf } = reduce(isDone ? without(search.p, isDone) : search.p, before);
  if (problem.maxOpen < 0) return [];
  const relaxation = startRelaxation(problem, Float64Array.from(node.price));
  const at = Math.min(problem.maxOpen, problem.sites) === 0 ? null : climbNode(search, relaxation, before, siteOf);
  if (at === null) {
    // Nothing is left to choose, or what is left does not pay.
    keep(search, chosenOf(before, relaxation.chosen, siteOf));
    return [];
  }
  const bound = Math.max(node.bound, relaxation.bound);
  if (bound >= cutoff(search)) return [];
  const state = settledOf(relaxation, before, siteOf);
  const price = Float32Array.from(relaxation.price);
  const site = siteOf[at]!;
  if (state[site] !== free) return [{ state, bound, price }];
  return [opened, closed].map((choice) => {
    const child = state.slice();
    child[site] = choice;
    return { state: child, bound, price };
  });
}

/** The same problem in which some clients need nothing. */
function without(p: Placement, isDone: Uint8Array): Placement {
  return { ...p, unserved: p.unserved.map((cost, c) => (isDone[c] ? 0 : cost)) };
}

/** Climbs; returns the free site that it is best to decide on, null when no site is left to decide. */
function climbNode(search: Search, r: Relaxation, before: Uint8Array, siteOf: Int32Array): number | null {
  climb(r, { target: search.total, cutoff: cutoff(search), iterations: nodeIterations, step: 0.6, patience: 8 });
  keep(search, chosenOf(before, r.chosen, siteOf));
  if (r.bound >= cutoff(search)) return 0;
  return mostOpen(r);
}

function chosenOf(state: Uint8Array, chosen: Uint8Array, siteOf: Int32Array): Uint8Array {
  const open = state.map((one) => (one === opened ? 1 : 0));
  for (let at = 0; at < chosen.length; at++) if (chosen[at]) open[siteOf[at]!] = 1;
  return open;
}

/** The free site that linear solutions open most: to close it costs most, to open it settles most. */
function mostOpen({ settled, share, worth }: Relaxation): number | null {
  let best = -1;
  for (let s = 0; s < settled.length; s++)
    if (
      settled[s] === free &&
      (best < 0 || share[s]! - share[best]! > 1e-9 || (share[s] === share[best] && worth[s]! < worth[best]!))
    )
      best = s;
  return best < 0 ? null : best;
}

/** One more descent from a shaken best. */
function wander(search: Search): void {
  startFrom(search.swaps, indices(search.best));
  shake(search.swaps, Math.max(2, Math.ceil(search.swaps.siteAt.length / 10)), search.random);
  descend(search.swaps);
  keep(search, openSites(search.swaps));
}
