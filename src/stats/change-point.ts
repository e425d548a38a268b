/** Where a series changed its level, by ranks. */
export interface ChangePoint {
  /** First value after the change. */
  index: number;
  /** Medians of both sides. */
  before: number;
  after: number;
  /** 1 − p of Pettitt's test: how sure it is that there is a change at all. */
  confidence: number;
}

/**
 * One change of level in a series of independent values (Pettitt 1979, "A non-parametric approach to the change-point problem"):
 * max over t of |Σ sign(x_i − x_j)| for i ≤ t < j, from ranks in O(n log n). Only the order of values counts, so that outliers do
 * not move it, however far out they lie. Null where all values are equal, or there are fewer than two on a side.
 */
export function changePoint(values: readonly number[]): ChangePoint | null {
  const n = values.length;
  if (n < 4) return null;
  const ranks = midRanks(values);
  let sum = 0;
  let [best, at] = [0, 0];
  for (let t = 1; t < n; t++) {
    sum += ranks[t - 1]!;
    // U_t = 2 Σ ranks of the first t − t (n + 1); its sign tells the direction.
    const statistic = Math.abs(2 * sum - t * (n + 1));
    if (statistic > best && t >= 2 && n - t >= 2) [best, at] = [statistic, t];
  }
  if (best === 0) return null;
  const p = Math.min(1, 2 * Math.exp((-6 * best * best) / (n * n * n + n * n)));
  return { index: at, before: middle(values.slice(0, at)), after: middle(values.slice(at)), confidence: 1 - p };
}

/** Rank of each value from 1; equal values share the mean of theirs. */
function midRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = Array.from({ length: values.length }, () => 0);
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j < order.length && values[order[j]!] === values[order[i]!]) j++;
    for (let k = i; k < j; k++) ranks[order[k]!] = (i + 1 + j) / 2;
    i = j;
  }
  return ranks;
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
