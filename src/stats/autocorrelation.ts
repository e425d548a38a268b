/** A repetition inside a series of equal steps. */
export interface Period {
  /** Steps after which it looks like itself again. */
  lag: number;
  /** Autocorrelation there: 1 repeats exactly, 0 not at all. */
  strength: number;
  /** Autocorrelation two periods later than itself: what only fits by chance does not fit twice. */
  again: number;
}

/**
 * Autocorrelation of a series at lags 0 to `most`: the mean product of what is `lag` apart, less the mean, over the variance. The
 * divisor is the number of pairs (the unbiased form: a long lag does not look weaker for having fewer pairs). All 0 where the series
 * is constant.
 */
export function autocorrelation(series: ArrayLike<number>, most: number): Float64Array {
  const n = series.length;
  const lags = Math.max(0, Math.min(most, n - 1));
  const found = new Float64Array(lags + 1);
  if (n === 0) return found;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += series[i]!;
  const mean = sum / n;
  const centred = new Float64Array(n);
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const value = series[i]! - mean;
    centred[i] = value;
    squares += value * value;
  }
  if (!(squares > n * (1e-12 * mean) ** 2)) return found;
  const variance = squares / n;
  for (let lag = 0; lag <= lags; lag++) {
    let products = 0;
    for (let i = lag; i < n; i++) products += centred[i]! * centred[i - lag]!;
    found[lag] = products / (n - lag) / variance;
  }
  return found;
}

/**
 * The period of a series: the shortest lag whose peak is nearly the highest behind the first trough. Null where the series never turns,
 * or is too short to hold `periods` of them.
 */
export function findPeriod(series: ArrayLike<number>, { periods = 5 } = {}): Period | null {
  const most = Math.floor(series.length / periods);
  const r = autocorrelation(series, 2 * most);
  // What lies within the width of one burst is the burst itself: a period is looked for behind the first trough.
  let from = 1;
  while (from <= most && r[from]! > 0) from++;
  let highest = 0;
  for (let lag = from; lag <= most; lag++) highest = Math.max(highest, r[lag]!);
  if (highest === 0) return null;
  for (let lag = from; lag <= most; lag++) {
    const strength = r[lag]!;
    if (strength < 0.9 * highest || strength < r[lag - 1]! || strength < (r[lag + 1] ?? 0)) continue;
    // Twice a period that is no whole number of steps may lie one beside.
    const again = Math.max(r[2 * lag - 1] ?? 0, r[2 * lag] ?? 0, r[2 * lag + 1] ?? 0);
    return { lag, strength, again };
  }
  return null;
}
