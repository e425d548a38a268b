/** What a look for a comb in the gaps between arrivals found. */
export interface Comb {
  /** Gaps looked at. */
  n: number;
  /** Gaps that are no longer than `nearZeroMs`: arrivals that came together. */
  together: number;
  /** Gaps long enough to be on or off a tooth. */
  apart: number;
  /** Of those, gaps within the tolerance of a multiple of the period. */
  onTeeth: number;
  /** True when arrivals come in pairs or bursts that are whole periods apart. */
  found: boolean;
}

export interface CombOptions {
  /** Distance of the teeth; 40 ms is the shortest delayed-ACK timer of Linux (TCP_DELACK_MIN = HZ/25). */
  periodMs?: number;
  /** How far from a tooth still counts. */
  toleranceMs?: number;
  /** Highest tooth looked at. */
  teeth?: number;
  nearZeroMs?: number;
}

/**
 * Looks for gaps at multiples of the delayed-ACK timer. A model that happens to write every 40 ms has gaps at 40 ms too, but
 * then nothing arrives together: what Nagle's algorithm holds back is sent in one piece, so a comb needs both.
 */
export function findComb(gaps: ArrayLike<number>, options: CombOptions = {}): Comb {
  const { periodMs = 40, toleranceMs = 3, teeth = 5, nearZeroMs = 2 } = options;
  let together = 0;
  let apart = 0;
  let onTeeth = 0;
  const n = gaps.length;
  for (let i = 0; i < n; i++) {
    const gapMs = gaps[i]!;
    if (gapMs <= nearZeroMs) together++;
    if (gapMs < periodMs / 4) continue;
    apart++;
    const tooth = Math.round(gapMs / periodMs);
    if (tooth >= 1 && tooth <= teeth && Math.abs(gapMs - tooth * periodMs) <= toleranceMs) onTeeth++;
  }
  // By chance 2·3/40 = 15 % of gaps lie on a tooth; half of at least 20 is far outside chance (binomial p < 1e-4).
  const found = apart >= 20 && onTeeth >= apart / 2 && together >= n / 5;
  return { n, together, apart, onTeeth, found };
}
