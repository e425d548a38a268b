/**
 * Bounds of the histograms, in seconds. Fixed, so that series of different servers add up. Those of tokens and requests are the
 * ones that the OpenTelemetry conventions for generative AI advise, which inference servers use, too: both can be laid over each other.
 */
export const bounds = {
  rtt: [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  ttft: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  tokenGap: [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
  request: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
} as const;

const merged = (...all: (readonly number[])[]): readonly number[] => [...new Set(all.flat())].sort((a, b) => a - b);

/**
 * What is counted of tokens. The conventions advise other bounds for what a client sees than for what a server says of itself;
 * with all of both, either histogram is a sum of these counts.
 */
export const countedBounds = {
  ttft: merged(bounds.ttft, bounds.request),
  tokenGap: merged(bounds.tokenGap, bounds.request),
} as const;

/** Counts by bound, and the sum: what is added up while samples come in. */
export interface Tally {
  bounds: readonly number[];
  counts: Float64Array;
  sum: number;
}

export function makeTally(bounds: readonly number[]): Tally {
  return { bounds, counts: new Float64Array(bounds.length + 1), sum: 0 };
}

/** A value at a bound counts as below it (`le`). */
export function observe(tally: Tally, value: number): void {
  const { bounds, counts } = tally;
  let i = 0;
  while (i < bounds.length && value > bounds[i]!) i++;
  counts[i]!++;
  tally.sum += value;
}

/** The same counts between fewer of their bounds. */
export function coarser(tally: Tally, wanted: readonly number[]): Tally {
  if (tally.bounds === wanted) return tally;
  const counts = new Float64Array(wanted.length + 1);
  let i = 0;
  for (const [at, count] of tally.counts.entries()) {
    while (i < wanted.length && !(at < tally.bounds.length && tally.bounds[at]! <= wanted[i]!)) i++;
    counts[i]! += count;
  }
  return { bounds: wanted, counts, sum: tally.sum };
}
