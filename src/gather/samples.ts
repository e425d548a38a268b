import { addSample, type Histogram, histogramQuantile, makeHistogram } from '../stats/histogram.ts';
import { quantile, sorted } from '../stats/quantile.ts';

/** Samples kept one by one; beyond, quantiles come from a histogram whose buckets are 3 % wide. */
const KEPT = 2048;

/** Round trips in bounded memory: exact while there are few, as most tools' output is short. */
export interface Samples {
  exact: number[];
  histogram: Histogram;
}

export function makeSamples(): Samples {
  return { exact: [], histogram: makeHistogram() };
}

export function addMs({ exact, histogram }: Samples, valueMs: number | null): void {
  if (valueMs === null) return;
  addSample(histogram, valueMs);
  if (exact.length <= KEPT) exact.push(valueMs);
}

/** Null of none. */
export function quantileMs({ exact, histogram }: Samples, p: number): number | null {
  if (histogram.count === 0) return null;
  return histogram.count <= KEPT ? quantile(sorted(exact), p) : histogramQuantile(histogram, p);
}
