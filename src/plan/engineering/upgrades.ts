import type { Solver } from '../milp/solver.ts';
import { minimiseMaxUtilisation } from './minimise.ts';
import type { Demands, TrafficNetwork } from './traffic.ts';

/** One step: which link gets as much capacity again as it had at first, and what the optimum is then. */
export interface UpgradeStep {
  link: number;
  before: number;
  /** Maximum utilisation with the best routing after this step and those before it. */
  after: number;
  lowerBound: number;
}

export interface UpgradeOptions {
  solver: Solver;
  /** Steps end when the optimum is at or below this. */
  limit: number;
  maxSteps: number;
  /** Links that are tried in each step. */
  maxTried: number;
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
}

/**
 * Which link to widen first when traffic is routed as well as can be: the worth of capacity names the candidates, each is tried by
 * solving again, and the one that gains most is taken; then the next, on top of it. Greedy: each step is exact, the list as a whole
 * is not proved to be the shortest.
 */
export async function upgradeSteps(
  network: TrafficNetwork,
  demands: Demands,
  start: { maxUtilisation: number; lowerBound: number; worth: Float64Array },
  options: UpgradeOptions,
): Promise<UpgradeStep[]> {
  const { solver, limit, maxSteps, maxTried, signal, onProgress } = options;
  const steps: UpgradeStep[] = [];
  let [capacity, best] = [network.capacity, start];
  let tried = 0;
  const isDone = () => steps.length >= maxSteps || best.lowerBound <= limit || signal?.aborted;
  while (!isDone()) {
    const trials: { link: number; capacity: Float64Array; found: typeof best }[] = [];
    for (const link of candidates(network, best.worth, maxTried)) {
      const wider = widened(network, capacity, link);
      const found = await minimiseMaxUtilisation(
        { ...network, capacity: wider },
        demands,
        signal ? { solver, signal } : { solver },
      );
      if (signal?.aborted) return steps;
      trials.push({ link, capacity: wider, found });
      onProgress?.(++tried);
    }
    const chosen = trials.reduce<(typeof trials)[number] | null>(
      (a, b) => (a === null || b.found.maxUtilisation < a.found.maxUtilisation * (1 - 1e-9) ? b : a),
      null,
    );
    if (chosen === null) break;
    const { link, found } = chosen;
    steps.push({ link, before: best.maxUtilisation, after: found.maxUtilisation, lowerBound: found.lowerBound });
    [capacity, best] = [chosen.capacity, found];
  }
  return steps;
}

/** Links by what their capacity is worth together; the first of equal ones is the first of the network. */
function candidates({ pool, link }: TrafficNetwork, worth: Float64Array, most: number): number[] {
  const byLink = new Map<number, number>();
  const counted = new Set<number>();
  pool.forEach((p, a) => {
    if (counted.has(p)) return;
    counted.add(p);
    byLink.set(link[a]!, (byLink.get(link[a]!) ?? 0) + worth[p]!);
  });
  return [...byLink]
    .filter(([, much]) => much > 1e-6)
    .sort(([a, x], [b, y]) => y - x || a - b)
    .slice(0, most)
    .map(([id]) => id);
}

function widened({ pool, link, capacity: first }: TrafficNetwork, capacity: Float64Array, id: number): Float64Array {
  const wider = capacity.slice();
  for (const p of new Set(pool.filter((_, a) => link[a] === id))) wider[p]! += first[p]!;
  return wider;
}
