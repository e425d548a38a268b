import { binomialCdf } from './binomial.ts';

/** Two ends of a confidence interval, in the unit of the samples. */
export type Interval = [low: number, high: number];

/** One-sided confidence bounds of a quantile; null where the samples are too few to have one. */
export interface QuantileBounds {
  lower: number | null;
  upper: number | null;
}

/** Samples in rising order, as a new typed array; NaN and infinities are left out. */
export function sorted(samples: ArrayLike<number>): Float64Array {
  const plain = Float64Array.from(samples);
  // Compacted by hand: millions of gaps come through here, and a filter with a callback costs more than the sort.
  let kept = 0;
  for (let i = 0; i < plain.length; i++) {
    const v = plain[i]!;
    if (v - v === 0) plain[kept++] = v;
  }
  return plain.subarray(0, kept).sort();
}

/** The p-quantile (p in [0, 1]) of rising samples, linear between order statistics (type 7 of Hyndman and Fan 1996); NaN of none. */
export function quantile(rising: ArrayLike<number>, p: number): number {
  const n = rising.length;
  if (n === 0) return NaN;
  const position = (n - 1) * Math.min(1, Math.max(0, p));
  const below = Math.floor(position);
  const low = rising[below]!;
  const high = rising[Math.min(n - 1, below + 1)]!;
  return low === high ? low : low + (high - low) * (position - below);
}

/** The median of rising samples; NaN of none. */
export function median(rising: ArrayLike<number>): number {
  return quantile(rising, 0.5);
}

/** Median absolute deviation from the median, unscaled; times 1.4826 it estimates σ of normal samples. NaN of none. */
export function medianAbsoluteDeviation(rising: ArrayLike<number>): number {
  const middle = median(rising);
  return median(Float64Array.from(rising, (v) => Math.abs(v - middle)).sort());
}

/**
 * Distribution-free bounds of the p-quantile by order statistics: the number of samples at or below the true quantile is
 * binomial (n, p), whatever the distribution (David and Nagaraja, Order Statistics, §7.1). Each end by itself holds with
 * `confidence`.
 */
export function quantileBounds(rising: ArrayLike<number>, p: number, confidence = 0.95): QuantileBounds {
  const n = rising.length;
  const alpha = 1 - confidence;
  if (n === 0) return { lower: null, upper: null };
  // lower: the largest rank l with P(B ≤ l − 1) ≤ α; upper: the smallest rank u with P(B ≥ u) ≤ α. Ranks count from 1.
  const l = firstWhere(1, n, (rank) => binomialCdf(rank - 1, n, p) > alpha) - 1;
  const u = firstWhere(1, n, (rank) => 1 - binomialCdf(rank - 1, n, p) <= alpha);
  return { lower: l >= 1 ? rising[l - 1]! : null, upper: u <= n ? rising[u - 1]! : null };
}

/** Two-sided distribution-free confidence interval of the p-quantile; null where n is too small to have one. */
export function quantileInterval(rising: ArrayLike<number>, p: number, confidence = 0.95): Interval | null {
  const { lower, upper } = quantileBounds(rising, p, (1 + confidence) / 2);
  return lower === null || upper === null ? null : [lower, upper];
}

/**
 * Samples needed before the p-quantile can have an upper bound that holds with `confidence` although `above` of them lie
 * above that bound. With none above: the smallest n with pⁿ ≤ 1 − confidence, 299 for p = 0.99 and 0.95.
 */
export function samplesNeeded(p: number, confidence = 0.95, above = 0): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`Cannot count samples for quantile ${p}: p must be in (0, 1)`);
  const enough = (n: number) => 1 - binomialCdf(n - above - 1, n, p) <= 1 - confidence;
  let high = above + 1;
  while (!enough(high)) high *= 2;
  return firstWhere(above + 1, high, enough);
}

/** Smallest integer in [low, high] for which `holds`, which is false up to some point and true after it; high + 1 if never. */
function firstWhere(low: number, high: number, holds: (n: number) => boolean): number {
  let a = low;
  let b = high + 1;
  while (a < b) {
    const mid = Math.floor((a + b) / 2);
    if (holds(mid)) b = mid;
    else a = mid + 1;
  }
  return a;
}
