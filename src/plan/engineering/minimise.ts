import { setImmediate } from 'node:timers/promises';
import type { Solver } from '../milp/solver.ts';
import { masterProgram } from './columns.ts';
import type { Gone } from './ecmp.ts';
import { problemsOf } from './problem.ts';
import { keepTree, largest, raiseBound, type Search, startSearch, sweep } from './sweep.ts';
import { type Demands, maxUtilisation, type TrafficNetwork } from './traffic.ts';

/** The best there is when traffic may be split at will, and how well that is proved. */
export interface LeastUtilisation {
  /** Of a routing that was found: `arcLoad` is that routing. */
  maxUtilisation: number;
  /** No routing does better. */
  lowerBound: number;
  arcLoad: Float64Array;
  /**
   * Of each pool: its part in the proof of the lower bound; they sum to one. Where the bound is the optimum, this is the share by
   * which the optimum falls per share of capacity added there, as long as no other bottleneck takes over.
   */
  worth: Float64Array;
  unroutedVolume: number;
}

export interface MinimiseOptions {
  solver: Solver;
  /** Relative distance of bound and routing at which the search ends; default 1e-7. */
  gap?: number;
  /** Ends the search with what there is. */
  signal?: AbortSignal;
  gone?: Gone;
  onProgress?: (maxUtilisation: number, lowerBound: number) => void;
  /** Rounds of the potential method, which are all there is when `isRough`, and else come before the linear program; default 6. */
  sweeps?: number;
  isRough?: boolean;
}

/**
 * Least maximum utilisation of a fractional multicommodity flow. The network is cut into its blocks; in each, a few rounds of an
 * exponential potential method collect good trees, and a linear program mixes them, asking for more trees until the bound
 * meets it (column generation). Both ends are computed from the flows and lengths themselves, not taken from the solver's word.
 */
export async function minimiseMaxUtilisation(
  network: TrafficNetwork,
  demands: Demands,
  options: MinimiseOptions,
): Promise<LeastUtilisation> {
  const { problems, unroutedVolume } = problemsOf(network, demands, options.gone ?? {});
  const searches = problems.map(startSearch).sort((a, b) => largest(b.share) - largest(a.share));
  const worth = new Float64Array(network.capacity.length);
  const arcLoad = new Float64Array(network.graph.links);
  const boundOf = () => searches.reduce((most, { bound }) => Math.max(most, bound), 0);
  for (const search of searches) {
    const tell = () =>
      options.onProgress?.(
        searches.reduce((most, { share }) => Math.max(most, largest(share)), 0),
        boundOf(),
      );
    await solveBlock(search, boundOf(), options, tell);
    search.problem.arcs.forEach((arc, i) => (arcLoad[arc] = search.arcLoad[i]!));
  }
  const lowerBound = boundOf();
  const tightest = searches.find(({ bound }) => bound === lowerBound);
  tightest?.problem.pools.forEach((p, i) => (worth[p] = tightest.worth[i]!));
  return { maxUtilisation: maxUtilisation(network, arcLoad), lowerBound, arcLoad, worth, unroutedVolume };
}

/** The potential starts coarse: α of a third, then finer by a fifth each round. */
const firstEpsilon = 0.3;
const finer = 0.8;

/** @param enough a utilisation which some block cannot get below: getting there is good enough here */
async function solveBlock(
  search: Search,
  enough: number,
  { solver, gap = 1e-7, signal, sweeps = 6, isRough = false }: MinimiseOptions,
  tell: () => void,
): Promise<void> {
  const isDone = () => signal?.aborted || largest(search.share) <= Math.max(enough, search.bound) * (1 + gap);
  for (let round = 0, epsilon = firstEpsilon; round < sweeps && !isDone(); round++, epsilon *= finer) {
    sweep(search, epsilon);
    tell();
    // Lets a time limit or Ctrl-C be heard.
    await setImmediate();
  }
  if (isRough) return;
  while (!isDone()) {
    const newTrees = await improve(search, solver, signal);
    tell();
    if (newTrees === 0) return;
  }
}

/** Solves the master program over the trees so far, takes its mix, and asks for the trees that its prices want. */
async function improve(search: Search, solver: Solver, signal: AbortSignal | undefined): Promise<number> {
  const { problem, trees } = search;
  const solution = await solver.solve(masterProgram(trees, problem), {}, signal);
  if (solution.status !== 'optimal' || !solution.values || !solution.rowDuals) return 0;
  takeMix(search, solution.values);
  const sources = problem.sources.length;
  const prices = problem.capacity.map((_, p) => Math.max(0, -solution.rowDuals![sources + p]!));
  // Free arcs would be used at random: a length of a billionth prefers the short way round, and costs the bound as little.
  const length = Float64Array.from(problem.pool, (p) => (prices[p]! + 1e-9 / prices.length) / problem.capacity[p]!);
  const wanted = raiseBound(search, length);
  let newTrees = 0;
  wanted.forEach(({ tree, cost }, s) => {
    if (cost < solution.rowDuals![s]! * (1 - 1e-10) && keepTree(search, s, tree)) newTrees++;
  });
  return newTrees;
}

/** Loads of a mix of trees. Shares are made to sum to one, so that every volume is carried whole whatever the solver's tolerance. */
function takeMix(search: Search, values: Float64Array): void {
  const { problem, trees, share, arcLoad } = search;
  const whole = new Float64Array(problem.sources.length);
  trees.forEach(({ source }, c) => (whole[source]! += Math.max(0, values[c]!)));
  const mixed = new Float64Array(arcLoad.length);
  trees.forEach(({ source, tree: { arcs, loads } }, c) => {
    const part = Math.max(0, values[c]!) / whole[source]!;
    if (part > 0) arcs.forEach((arc, i) => (mixed[arc]! += part * loads[i]!));
  });
  const mixedShare = new Float64Array(share.length);
  mixed.forEach((load, arc) => (mixedShare[problem.pool[arc]!]! += load / problem.capacity[problem.pool[arc]!]!));
  if (largest(mixedShare) >= largest(share)) return;
  arcLoad.set(mixed);
  share.set(mixedShare);
}
