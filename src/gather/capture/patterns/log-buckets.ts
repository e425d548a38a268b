/**
 * Counts by size in a part of a larger array, two buckets per power of two: a median of them is right to a quarter of itself, which is
 * finer than any threshold here, and a flow pays 8 octets per power of two. Bucket 0 is zero.
 */

/** Buckets that hold whole numbers below 2^bits. */
export function bucketsFor(bits: number): number {
  return 1 + 2 * bits;
}

/** Bucket of a whole number from 0 to 2³¹ − 1. */
export function halfOctave(value: number): number {
  if (value < 1) return 0;
  const exponent = 31 - Math.clz32(value);
  const half = exponent === 0 ? 0 : (value >>> (exponent - 1)) & 1;
  return 1 + 2 * exponent + half;
}

/** By bucket its smallest value; one more than there are, for where the last one ends. */
const edges = Float64Array.from({ length: bucketsFor(32) + 1 }, (_, bucket) =>
  bucket === 0 ? 0 : 2 ** ((bucket - 1) >> 1) * (1 + ((bucket - 1) & 1) / 2),
);

/** Smallest value of a bucket. */
export function lowerEdge(bucket: number): number {
  return edges[bucket]!;
}

/** The p-quantile of `buckets` counts from `at` on, evenly spread inside a bucket; null of none. */
export function bucketQuantile(counts: Uint32Array, at: number, buckets: number, p: number): number | null {
  let all = 0;
  for (let i = 0; i < buckets; i++) all += counts[at + i]!;
  if (all === 0) return null;
  const rank = p * all;
  let before = 0;
  for (let i = 0; i < buckets; i++) {
    const count = counts[at + i]!;
    if (before + count >= rank && count > 0) {
      const low = lowerEdge(i);
      return low + (lowerEdge(i + 1) - low) * Math.max(0, Math.min(1, (rank - before) / count));
    }
    before += count;
  }
  return lowerEdge(buckets);
}

/** How many lie in buckets wholly below `limit`. */
export function countBelow(counts: Uint32Array, at: number, buckets: number, limit: number): number {
  let all = 0;
  for (let i = 0; i < buckets && lowerEdge(i + 1) <= limit; i++) all += counts[at + i]!;
  return all;
}
