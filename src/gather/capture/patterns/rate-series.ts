import { findPeriod, type Period } from '../../../stats/autocorrelation.ts';

/** Widths of bins: fine for steps of a tenth of a second, coarse for those of a minute. */
const widthsMs = [10, 80, 640] as const;
/** A power of two; the three windows are 5 s, 41 s and 5.5 minutes. */
const bins = 512;

/** Octets per bin of the newest time, at three widths. Fixed memory: 6 KiB. */
export class RateSeries {
  readonly #octets = widthsMs.map(() => new Float32Array(bins));
  readonly #newest = new Float64Array(widthsMs.length);
  readonly #oldest = new Float64Array(widthsMs.length);
  #isEmpty = true;

  add(timeMs: number, octets: number): void {
    for (let level = 0; level < widthsMs.length; level++) {
      const bin = Math.floor(timeMs / widthsMs[level]!);
      const series = this.#octets[level]!;
      if (this.#isEmpty) this.#oldest[level] = this.#newest[level] = bin;
      else if (bin > this.#newest[level]!) {
        const from = Math.max(this.#newest[level]! + 1, bin - bins + 1);
        for (let i = from; i <= bin; i++) series[i & (bins - 1)] = 0;
        this.#newest[level] = bin;
      } else if (bin <= this.#newest[level]! - bins || bin < this.#oldest[level]!) continue;
      series[bin & (bins - 1)]! += octets;
    }
    this.#isEmpty = false;
  }

  /** For the next flow. */
  clear(): void {
    for (const series of this.#octets) series.fill(0);
    this.#isEmpty = true;
  }

  /** Octets per bin in the order of time. */
  series(level: number): Float64Array {
    if (this.#isEmpty) return new Float64Array(0);
    const newest = this.#newest[level]!;
    const oldest = Math.max(this.#oldest[level]!, newest - bins + 1);
    const found = new Float64Array(newest - oldest + 1);
    for (let i = 0; i < found.length; i++) found[i] = this.#octets[level]![(oldest + i) & (bins - 1)]!;
    return found;
  }

  /** The clearest period at any width; of nearly equal ones that of the finest. Null: there is none. */
  period(): RatePeriod | null {
    let best: RatePeriod | null = null;
    for (const [level, binMs] of widthsMs.entries()) {
      const series = this.series(level);
      const found = findPeriod(series);
      if (found && found.strength > 1.1 * (best?.strength ?? 0))
        best = {
          periodMs: found.lag * binMs,
          binMs,
          strength: found.strength,
          again: found.again,
          depth: depthOf(series),
        };
    }
    return best;
  }
}

export interface RatePeriod extends Omit<Period, 'lag'> {
  periodMs: number;
  binMs: number;
  /** Deviation of the rate over its mean: bursts with pauses as long as themselves have 1, an even rate next to none. */
  depth: number;
}

function depthOf(series: Float64Array): number {
  let [sum, squares] = [0, 0];
  for (const octets of series) {
    sum += octets;
    squares += octets * octets;
  }
  const mean = sum / series.length;
  return mean > 0 ? Math.sqrt(Math.max(0, squares / series.length - mean * mean)) / mean : 0;
}

/** Series for the flows that are large enough to ask for one: a bounded number, used again. */
export class SeriesPool {
  readonly #free: RateSeries[] = [];
  #left: number;
  /** Flows that asked for one when none was left. */
  refused = 0;

  constructor(most = 2048) {
    this.#left = most;
  }

  take(): RateSeries | null {
    const used = this.#free.pop();
    if (used) return used;
    if (this.#left === 0) {
      this.refused++;
      return null;
    }
    this.#left--;
    return new RateSeries();
  }

  giveBack(series: RateSeries): void {
    series.clear();
    this.#free.push(series);
  }
}
