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
 * not move it, however far out they lie. Null where all values are equal, there are fewer than two on a side, or it is less sure
 * than `leastConfidence`.
 */
export function changePoint(values: readonly number[], leastConfidence = 0): ChangePoint | null {
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
  const confidence = 1 - Math.min(1, 2 * Math.exp((-6 * best * best) / (n * n * n + n * n)));
  if (confidence < leastConfidence) return null;
  return { index: at, before: middle(values.slice(0, at)), after: middle(values.slice(at)), confidence };
}

/** Rank of each value from 1; equal values share the mean of theirs. By search in the sorted ones: sorting places is twice the work. */
function midRanks(values: readonly number[]): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const ranksOfSorted = new Float64Array(n);
  for (let i = 0; i < n;) {
    let j = i;
    while (j < n && sorted[j] === sorted[i]) j++;
    ranksOfSorted.fill((i + 1 + j) / 2, i, j);
    i = j;
  }
  return Float64Array.from(values, (value) => ranksOfSorted[firstNotBelow(sorted, value)]!);
}

function firstNotBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function middle(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
