/** Bars of one cell, from the lowest to the full one. */
const BARS = '▁▂▃▄▅▆▇█';

/** A scale of equal ratios for histograms that are to be compared, so that 0.1 ms and 100 ms both show a shape. */
export interface SparkScale {
  low: number;
  high: number;
}

/** The scale that holds all values; null when there is none above 0. */
export function sparkScale(values: Iterable<number>): SparkScale | null {
  let [low, high] = [Infinity, 0];
  for (const value of values) {
    if (!(value > 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high === 0 ? null : { low, high };
}

/**
 * A histogram in `width` cells: where on the scale the samples lie, the fullest cell being a full bar. What is there is never
 * invisible: one sample is at least the lowest bar.
 */
export function sparkHistogram(
  samples: Iterable<readonly [value: number, count: number]>,
  scale: SparkScale,
  width: number,
): string {
  const cells = Array.from({ length: width }, () => 0);
  const span = Math.log(scale.high / scale.low);
  for (const [value, count] of samples) {
    const share = span > 0 && value > scale.low ? Math.log(value / scale.low) / span : 0;
    cells[Math.min(width - 1, Math.floor(share * width))]! += count;
  }
  const most = Math.max(...cells);
  if (!(most > 0)) return ' '.repeat(width);
  return cells.map((n) => (n === 0 ? ' ' : BARS[Math.ceil((n / most) * BARS.length) - 1]!)).join('');
}
