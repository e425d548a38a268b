import type { Verdict } from '../model/finding.ts';
import { binomialCdf } from '../stats/binomial.ts';
import { trialsNeeded, wilson } from '../stats/interval.ts';
import { type Interval, quantile, quantileBounds, samplesNeeded } from '../stats/quantile.ts';

/** Each end of every judged interval holds by itself with this confidence: at most one wrong pass and one wrong fail in twenty. */
export const confidence = 0.95;
const twoSided = 2 * confidence - 1;
/** Nobody collects more samples than this to decide one question. */
const reasonable = 1_000_000;

/** Samples held against a limit. */
export interface Judged {
  verdict: Verdict;
  value: number;
  n: number;
  /** Both ends, where the samples suffice for both. */
  interval: Interval | null;
  lower: number | null;
  upper: number | null;
  /** Samples still missing for a decision if they go on like this: 0 when decided, null when no reasonable number decides. */
  missing: number | null;
  /** Share of the needed samples that is there; 1 when decided. */
  coverage: number;
}

/** Is the given percentile of rising samples at or below `max`? Decided only where the whole confidence interval says the same. */
export function againstQuantile(rising: ArrayLike<number>, limit: { max: number; percentile: number }): Judged {
  const p = limit.percentile / 100;
  const n = rising.length;
  const { lower, upper } = quantileBounds(rising, p, confidence);
  const verdict =
    upper !== null && upper <= limit.max ? 'pass' : lower !== null && lower > limit.max ? 'fail' : 'unknown';
  const interval: Interval | null = lower === null || upper === null ? null : [lower, upper];
  const missing = verdict === 'unknown' ? missingSamples(n, countAbove(rising, limit.max), p) : 0;
  return { verdict, value: quantile(rising, p), n, interval, lower, upper, ...progress(verdict, n, missing) };
}

/** Is the true share behind these hits at or below `max`? By the Wilson interval. */
export function againstShare(claimedHits: number, claimedTrials: number, max: number): Judged {
  // Counts come from other machines' kernels and from files: a share needs them to make sense together.
  const n = Math.max(0, claimedTrials);
  const hits = Math.min(n, Math.max(0, claimedHits));
  const interval = wilson(hits, n, twoSided);
  const verdict = interval === null ? 'unknown' : interval[1] <= max ? 'pass' : interval[0] > max ? 'fail' : 'unknown';
  const missing = verdict === 'unknown' ? missingTrials(hits, n, max) : 0;
  const [lower, upper] = interval ?? [null, null];
  return { verdict, value: n === 0 ? 0 : hits / n, n, interval, lower, upper, ...progress(verdict, n, missing) };
}

function progress(verdict: Verdict, n: number, missing: number | null): { missing: number | null; coverage: number } {
  if (verdict !== 'unknown') return { missing: 0, coverage: 1 };
  if (n === 0) return { missing, coverage: 0 };
  return { missing, coverage: Math.min(0.99, missing === null ? 0.99 : n / (n + missing)) };
}

function countAbove(rising: ArrayLike<number>, max: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (rising[mid]! <= max) low = mid + 1;
    else high = mid;
  }
  return rising.length - low;
}

function missingSamples(n: number, above: number, p: number): number | null {
  if (above === 0) return samplesNeeded(p, confidence) - n;
  return grow(n, (size) => {
    const expected = Math.round((above / n) * size);
    const passes = 1 - binomialCdf(size - expected - 1, size, p) <= 1 - confidence;
    const fails = binomialCdf(size - expected, size, p) <= 1 - confidence;
    return passes || fails;
  });
}

function missingTrials(hits: number, n: number, max: number): number | null {
  if (max <= 0 || max >= 1) return null;
  if (hits === 0) return Math.max(1, trialsNeeded(max, twoSided) - n);
  return grow(n, (size) => {
    const [low, high] = wilson(Math.round((hits / n) * size), size, twoSided)!;
    return low > max || high <= max;
  });
}

/** Samples to add to `n` until `decided`, beyond a hundred in steps of a tenth: an estimate, not a promise. */
function grow(n: number, decided: (size: number) => boolean): number | null {
  for (let size = n + 1; size <= reasonable; size = size < 100 ? size + 1 : Math.ceil(size * 1.1))
    if (decided(size)) return size - n;
  return null;
}
