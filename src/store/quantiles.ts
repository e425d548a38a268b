import { bucketMiddle, MAX_BUCKET, signedBucketOf } from './signed-bucket.ts';

/** Values of one point by bucket. */
export interface Spread {
  n: number;
  low: number;
  high: number;
  /** Bucket and count, in turns; a bucket may come several times. */
  cells: readonly number[];
}

/** Counts by bucket, from the lowest negative one on; all zero between two uses. */
const tally = new Float64Array(2 * MAX_BUCKET + 1);

/** Nearest rank; the ends are known exactly. */
export function quantilesOf({ n, low, high, cells }: Spread, quantiles: readonly number[]): (number | null)[] {
  if (n === 0) return quantiles.map(() => null);
  for (let i = 0; i < cells.length; i += 2) tally[cells[i]! + MAX_BUCKET]! += cells[i + 1]!;
  const values = quantiles.map((p) => {
    const rank = Math.min(n, Math.max(1, Math.ceil(p * n)));
    if (rank === 1) return low;
    if (rank === n) return high;
    let at = signedBucketOf(low) + MAX_BUCKET;
    for (let seen = tally[at]!; seen < rank && at < 2 * MAX_BUCKET;) seen += tally[++at]!;
    return Math.min(high, Math.max(low, bucketMiddle(at - MAX_BUCKET)));
  });
  for (let i = 0; i < cells.length; i += 2) tally[cells[i]! + MAX_BUCKET] = 0;
  return values;
}
