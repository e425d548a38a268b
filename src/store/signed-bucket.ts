import { bucketOf, lowerEdge } from '../stats/histogram.ts';

/** No bucket has a greater number, nor a smaller one than its negative. */
export const MAX_BUCKET = bucketOf(Number.MAX_VALUE);

/** Bucket of a value of either sign: that of its size, negative for negative values. Rising with the value. */
export function signedBucketOf(value: number): number {
  return value < 0 ? -bucketOf(-value) || 0 : bucketOf(value);
}

/** The middle of a bucket: what a quantile says that falls into it. */
export function bucketMiddle(bucket: number): number {
  const size = Math.abs(bucket);
  const middle = (lowerEdge(size) + lowerEdge(size + 1)) / 2;
  return bucket < 0 ? -middle : middle;
}
