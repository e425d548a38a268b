/**
 * A log-linear histogram: every power of two is cut into equal steps, so that the relative width of a bucket never exceeds
 * 1/STEPS whatever the magnitude, and two histograms add by adding counts (Tene's HdrHistogram has the same shape). Buckets are
 * fixed by the format, not by the data: any two can be merged. Exact are `count`, `sum`, `min` and `max`; a quantile is right to
 * RELATIVE_ERROR. Memory is bounded by the buckets between 2^-20 and 2^40 of the unit, and only used ones are kept.
 */
export interface Histogram {
  /** Bucket index → samples in it, both integers. Sparse, so that 100,000 targets of one sample each stay small. */
  buckets: Map<number, number>;
  count: number;
  sum: number;
  /** Infinity and -Infinity while there are none. */
  min: number;
  max: number;
}

/** Steps per power of two. */
const STEPS = 32;
const LOWEST_EXPONENT = -20;
const HIGHEST_EXPONENT = 40;
const LOWEST = 2 ** LOWEST_EXPONENT;
const HIGHEST = 2 ** HIGHEST_EXPONENT;
/** A quantile differs from the sample it stands for by at most this share of it: half a bucket. */
export const RELATIVE_ERROR = 1 / (2 * STEPS);

export function makeHistogram(): Histogram {
  return { buckets: new Map(), count: 0, sum: 0, min: Infinity, max: -Infinity };
}

/** Adds one sample; negative ones count as 0, NaN and infinities are ignored. */
export function addSample(histogram: Histogram, sample: number): void {
  if (sample - sample !== 0) return;
  const value = Math.max(0, sample);
  const index = bucketOf(value);
  histogram.buckets.set(index, (histogram.buckets.get(index) ?? 0) + 1);
  histogram.count++;
  histogram.sum += value;
  histogram.min = Math.min(histogram.min, value);
  histogram.max = Math.max(histogram.max, value);
}

/** Adds all of `from` to `into`. Associative and commutative in everything but the last bits of `sum`. */
export function mergeHistogram(into: Histogram, from: Histogram): void {
  for (const [index, n] of from.buckets) into.buckets.set(index, (into.buckets.get(index) ?? 0) + n);
  into.count += from.count;
  into.sum += from.sum;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
}

/** The p-quantile (nearest rank, p in [0, 1]): the middle of the bucket of that rank, never outside [min, max]; NaN of none. */
export function histogramQuantile(histogram: Histogram, p: number): number {
  return histogramQuantiles(histogram, [p])[0]!;
}

/** Several at once, p rising: the buckets are put in order once. */
export function histogramQuantiles(histogram: Histogram, rising: readonly number[]): number[] {
  const { count, min, max, buckets } = histogram;
  if (count === 0) return rising.map(() => NaN);
  const indexes = new Int32Array(buckets.size);
  let n = 0;
  for (const index of buckets.keys()) indexes[n++] = index;
  indexes.sort();
  let at = 0;
  let seen = buckets.get(indexes[0]!)!;
  return rising.map((p) => {
    const rank = Math.min(count, Math.max(1, Math.ceil(p * count)));
    // The ends are known exactly.
    if (rank === 1) return min;
    if (rank === count) return max;
    while (seen < rank) seen += buckets.get(indexes[++at]!)!;
    const index = indexes[at]!;
    return Math.min(max, Math.max(min, (lowerEdge(index) + lowerEdge(index + 1)) / 2));
  });
}

/** The used buckets in rising order, each [low, high). */
export function bucketsOf(histogram: Histogram): { low: number; high: number; count: number }[] {
  return [...histogram.buckets]
    .sort((a, b) => a[0] - b[0])
    .map(([index, count]) => ({ low: lowerEdge(index), high: lowerEdge(index + 1), count }));
}

/** Samples at or below `limit`, counting a bucket that the limit cuts as wholly below: for `le` buckets of Prometheus. */
export function countAtMost(histogram: Histogram, limit: number): number {
  const last = bucketOf(Math.max(0, limit));
  let n = 0;
  for (const [index, count] of histogram.buckets) if (index <= last) n += count;
  return n;
}

/** One number as its bits (IEEE 754): 11 of the exponent, and of the fraction the first are the step. */
const asNumber = new Float64Array(1);
const asWords = new Uint32Array(asNumber.buffer);
asNumber[0] = 1;
/** Where the upper half stands in this machine's order of octets: the lower one of 1 is zero. */
const UPPER = asWords[0] === 0 ? 1 : 0;
const STEP_BITS = Math.log2(STEPS);

/** Bucket of a value of at least 0. Bucket 0 is [0, 2^LOWEST_EXPONENT); then STEPS per power of two. */
export function bucketOf(value: number): number {
  if (value < LOWEST) return 0;
  asNumber[0] = Math.min(value, HIGHEST);
  // Exponent and step stand side by side, as they do in the number of the bucket.
  return 1 + (asWords[UPPER]! >>> (20 - STEP_BITS)) - (1023 + LOWEST_EXPONENT) * STEPS;
}

/** Smallest value of a bucket; its end is the one of the next. */
export function lowerEdge(index: number): number {
  if (index === 0) return 0;
  const exponent = Math.floor((index - 1) / STEPS) + LOWEST_EXPONENT;
  return 2 ** exponent * (1 + ((index - 1) % STEPS) / STEPS);
}
