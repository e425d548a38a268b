import { betaRegularised, invert, normalQuantile, studentCdf } from './binomial.ts';
import type { Interval } from './quantile.ts';

/**
 * Wilson score interval of a proportion, `hits` of `n` (Wilson 1927): two-sided, never outside [0, 1], exactly 0 below when
 * there are no hits and exactly 1 above when all are. Null when n is 0.
 */
export function wilson(hits: number, n: number, confidence = 0.95): Interval | null {
  check(hits, n);
  if (n === 0) return null;
  const z = normalQuantile((1 + confidence) / 2);
  const share = hits / n;
  const shrink = 1 + (z * z) / n;
  const centre = (share + (z * z) / (2 * n)) / shrink;
  const half = (z / shrink) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [hits === 0 ? 0 : Math.max(0, centre - half), hits === n ? 1 : Math.min(1, centre + half)];
}

/** Exact two-sided interval of a proportion (Clopper and Pearson 1934): covers at least `confidence` for every true share. Null when n is 0. */
export function exactProportion(hits: number, n: number, confidence = 0.95): Interval | null {
  check(hits, n);
  if (n === 0) return null;
  const tail = (1 - confidence) / 2;
  const low = hits === 0 ? 0 : invert((x) => betaRegularised(x, hits, n - hits + 1), tail, 0, 1);
  const high = hits === n ? 1 : invert((x) => betaRegularised(x, hits + 1, n - hits), 1 - tail, 0, 1);
  return [low, high];
}

/**
 * Interval of the difference of two independent proportions, first minus second: Newcombe's hybrid of two Wilson intervals
 * (Newcombe 1998, method 10). Null when either n is 0.
 */
export function shareDifference(
  [hits1, n1]: readonly [hits: number, n: number],
  [hits2, n2]: readonly [hits: number, n: number],
  confidence = 0.95,
): Interval | null {
  const [first, second] = [wilson(hits1, n1, confidence), wilson(hits2, n2, confidence)];
  if (!first || !second) return null;
  const [p1, p2] = [hits1 / n1, hits2 / n2];
  return [
    Math.max(-1, p1 - p2 - Math.hypot(p1 - first[0], second[1] - p2)),
    Math.min(1, p1 - p2 + Math.hypot(first[1] - p1, p2 - second[0])),
  ];
}

/** Trials without a single hit after which the Wilson upper end falls to `max`; each end one-sided at 95 % when `confidence` is 0.9. */
export function trialsNeeded(max: number, confidence = 0.95): number {
  if (!(max > 0 && max < 1)) throw new RangeError(`Cannot count trials for share ${max}: it must be in (0, 1)`);
  const z = normalQuantile((1 + confidence) / 2);
  // Upper end at 0 of n is z² / (n + z²).
  return Math.ceil((z * z * (1 - max)) / max - 1e-9);
}

/** Student's two-sided interval of the mean; null for fewer than two samples. Rough where the samples are far from normal and few. */
export function meanInterval(samples: ArrayLike<number>, confidence = 0.95): Interval | null {
  const n = samples.length;
  if (n < 2) return null;
  const centre = mean(samples);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (samples[i]! - centre) ** 2;
  const t = invert((x) => studentCdf(x, n - 1), (1 + confidence) / 2, 0, 1e4);
  const half = t * Math.sqrt(squares / (n - 1) / n);
  return [centre - half, centre + half];
}

/** Arithmetic mean; NaN of none. */
export function mean(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]!;
  return sum / samples.length;
}

function check(hits: number, n: number): void {
  if (!(hits >= 0 && n >= hits)) throw new RangeError(`Cannot take the share of ${hits} in ${n}: needs 0 ≤ hits ≤ n`);
}
