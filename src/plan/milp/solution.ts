import type { Milp } from './milp.ts';

export interface SolveOptions {
  /** Longest time, seconds; what was found until then comes with its bound. */
  timeLimitS?: number;
  /** Ends once |objective − bound| ≤ this share of |objective|; default 1e-9, not HiGHS's 1e-4: "optimal" has to mean it. */
  relativeGap?: number;
  /** Ends once |objective − bound| ≤ this; default 1e-6. Objectives in whole steps may say just under 1. */
  absoluteGap?: number;
  /** A point to start from, best a feasible one. */
  start?: Float64Array;
  /** How linear programs are solved; a program with whole variables ignores it. */
  method?: 'choose' | 'simplex' | 'ipm';
}

/** How far a search for whole numbers has come. */
export interface Progress {
  /** Best objective so far; infinite (the bad way) while there is none. */
  objective: number;
  /** No solution can be better than this. */
  bound: number;
  elapsedS: number;
}

/**
 * What came out. `optimal` and `infeasible` are proved; `stopped` is neither: the time was over or somebody asked to stop, and
 * `values` are there only if something feasible had been found.
 */
export interface Solution {
  status: 'optimal' | 'infeasible' | 'unbounded' | 'stopped';
  /** Value of the objective at `values`. */
  objective?: number;
  /** Proven bound of the objective; infinite (the good way) if nothing is proved. */
  bound: number;
  values?: Float64Array;
  /** Change of the objective per unit of each row's limit; of linear programs solved to the end. */
  rowDuals?: Float64Array;
}

/** To the thread that solves. */
export interface SolveRequest {
  id: number;
  milp: Milp;
  options: SolveOptions;
  /** Set to 1 to stop. */
  stop: Int32Array;
}

/** From it. */
export type SolveReply = { id: number } & ({ progress: Progress } | { solution: Solution } | { error: string });
