import type { Solver } from '../milp/solver.ts';
import { searchConflicts } from './conflict-search.ts';
import { bhandariPair, type Pair, type PairQuestion, pathAvoiding, risksOn, sharedRisks } from './pair-question.ts';
import { minutesPerYear } from './failing.ts';
import { pairProgram, type Sharing } from './pair-program.ts';
import { searchLeastShared } from './share-search.ts';

/** What a search for a pair came to. `none` is proved; `unknown` is not: neither a pair nor a proof was found in the time. */
export type PairAnswer =
  | {
      status: 'found';
      pair: Pair;
      /** Whether no other pair is shorter; else none is below `atLeastKm`. */
      isShortest: boolean;
      atLeastKm: number;
      by: 'bhandari' | 'conflicts' | 'program';
    }
  | { status: 'none'; because: WhyNone }
  | { status: 'unknown'; atLeastKm: number };

export type WhyNone =
  /** There is not even one path. */
  | { kind: 'unconnected' }
  /** Each of these is on every path. */
  | { kind: 'risks'; risks: number[] }
  /** No single one is, but every case was looked at, or the program has no solution. */
  | { kind: 'cases' | 'program' };

export interface PairEffort {
  /** Null: without it, what the conflicts leave open stays open. */
  solver: Solver | null;
  timeLimitS?: number;
  signal?: AbortSignal;
  /** Cases of conflicts to look at before the solver is asked. */
  maxCases?: number;
}

/**
 * The shortest two paths that share nothing they must not: Bhandari's pair if it happens to share nothing, else by conflicts, and
 * what they leave open by the program. Risk-disjoint pairs are NP-hard in general (Hu 2003), so that a limit can leave them unknown.
 */
export async function findPair(question: PairQuestion, effort: PairEffort): Promise<PairAnswer> {
  const search = pathAvoiding(question);
  const shortest = search([]);
  if (!shortest) return { status: 'none', because: { kind: 'unconnected' } };
  const onEvery = [...risksOn(question, shortest.links)].filter((r) => search([r]) === null).sort((a, b) => a - b);
  if (onEvery.length > 0) return { status: 'none', because: { kind: 'risks', risks: onEvery } };
  const bhandari = bhandariPair(question);
  // What no path can be without is known: by Menger's theorem there are two that share nothing of what it sees.
  if (bhandari && sharedRisks(question, bhandari).length === 0)
    return { status: 'found', pair: bhandari, isShortest: true, atLeastKm: bhandari.lengthKm, by: 'bhandari' };
  const found = searchConflicts(question, bhandari?.lengthKm ?? 0, effort.maxCases ?? 400);
  if (found.status === 'none') return { status: 'none', because: { kind: 'cases' } };
  if (found.status === 'optimal')
    return { status: 'found', pair: found.pair, isShortest: true, atLeastKm: found.pair.lengthKm, by: 'conflicts' };
  return byProgram(question, effort, found);
}

async function byProgram(
  question: PairQuestion,
  { solver, timeLimitS, signal }: PairEffort,
  { pair, atLeastKm }: { pair: Pair | null; atLeastKm: number },
): Promise<PairAnswer> {
  const open: PairAnswer = pair
    ? { status: 'found', pair, isShortest: false, atLeastKm, by: 'conflicts' }
    : { status: 'unknown', atLeastKm };
  if (!solver) return open;
  const { milp, pairOf } = pairProgram(question);
  const solution = await solver.solve(milp, timeLimitS === undefined ? {} : { timeLimitS }, signal);
  if (solution.status === 'infeasible') return { status: 'none', because: { kind: 'program' } };
  const bound = Math.max(atLeastKm, solution.bound);
  if (!solution.values) return { ...open, atLeastKm: bound };
  const its = pairOf(solution.values);
  const isShortest = solution.status === 'optimal';
  if (!isShortest && pair && pair.lengthKm <= its.lengthKm) return { ...open, atLeastKm: bound };
  return { status: 'found', pair: its, isShortest, atLeastKm: isShortest ? its.lengthKm : bound, by: 'program' };
}

/** Two paths that share as little as there has to be shared, and what that is. */
export interface LeastShared {
  pair: Pair;
  risks: number[];
  /** Whether less cannot be shared. */
  isLeast: boolean;
}

/** Minutes a year that a risk is down, and a little for being one at all, so that nothing is shared for nothing. */
const perRisk = 0.01;

/**
 * What to do where there is no disjoint pair: two paths that share the least downtime a year, and of those the shortest. What is on
 * every path is shared in any case; if nothing else has to be, that is already the least, and a search finds the pair.
 * @returns null where there is not even one path, or where neither a search nor the solver came to an end
 */
export async function leastShared(
  question: PairQuestion,
  because: WhyNone,
  effort: PairEffort,
): Promise<LeastShared | null> {
  if (because.kind === 'unconnected') return null;
  const costOf = (r: number) => question.map.risks[r]!.down * minutesPerYear + perRisk;
  // What is on every path is shared in any case: only what comes on top is a matter of choice.
  const apart = Uint8Array.from(question.apart);
  for (const r of because.kind === 'risks' ? because.risks : []) apart[r] = 0;
  const { best, isOpen } = searchLeastShared({ ...question, apart }, costOf, effort.maxCases ?? 1500);
  if (best && !isOpen) return { pair: best.pair, risks: sharedRisks(question, best.pair), isLeast: true };
  const byProgram = effort.solver && (await leastByProgram(question, costOf, effort.solver, effort));
  if (byProgram?.isLeast || !best) return byProgram;
  return { pair: best.pair, risks: sharedRisks(question, best.pair), isLeast: false };
}

async function leastByProgram(
  question: PairQuestion,
  costOf: (risk: number) => number,
  solver: Solver,
  { timeLimitS, signal }: PairEffort,
): Promise<LeastShared | null> {
  const options = timeLimitS === undefined ? {} : { timeLimitS };
  const first = pairProgram(question, { costOf, least: 'shared' });
  const least = await solver.solve(first.milp, options, signal);
  if (!least.values || least.objective === undefined) return null;
  const limited: Sharing = { costOf, least: 'length', atMost: least.objective * (1 + 1e-7) + 1e-6 };
  const second = pairProgram(question, limited);
  const shorter = await solver.solve(second.milp, { ...options, start: least.values }, signal);
  const pair = shorter.values ? second.pairOf(shorter.values) : first.pairOf(least.values);
  return { pair, risks: sharedRisks(question, pair), isLeast: least.status === 'optimal' };
}
