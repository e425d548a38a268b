import { normalCdf } from '../../stats/binomial.ts';

/**
 * The rate that many independent sources need together. Each source is one of:
 * - `poisson`: a mean of `busy` transfers or streams at once (M/G/∞), each at `rate`;
 * - `onOff`: one thing that runs for the share `busy` of the time at `rate`, at a moment nobody knows;
 * - `steady`: always `busy` × `rate`.
 */
export interface Source {
  law: 'poisson' | 'onOff' | 'steady';
  busy: number;
  rate: number;
  /** A transfer that has to finish in time finds no room when others have taken it: it has to fit in on top of them. */
  deadline?: boolean;
}

/** Cells of the grid on which large sources are added up; the answer is exact to the width of one cell. */
const CELLS = 2048;

export function meanRate(sources: readonly Source[]): number {
  return sources.reduce((sum, s) => sum + s.busy * s.rate, 0);
}

/**
 * The rate that suffices for the share `p` of moments, and in which the share `p` of transfers with a deadline find room at their
 * start beside everything else (arrivals of a Poisson process see time averages: PASTA, Wolff 1982).
 */
export function neededRate(sources: readonly Source[], p: number): number {
  const active = sources.filter((s) => s.busy > 0 && s.rate > 0);
  // Bursts rarer than 1 − p are not in the quantile, but their mean is carried all the same.
  let needed = Math.max(quantileOfSum(active, p), meanRate(active));
  const urgent = active.filter((s) => s.deadline);
  const largest = Math.max(0, ...urgent.filter((s) => s.law === 'poisson').map((s) => s.rate));
  if (largest > 0) needed += largest;
  for (const own of urgent)
    if (own.law === 'onOff')
      needed = Math.max(
        needed,
        own.rate +
          quantileOfSum(
            active.filter((s) => s !== own),
            p,
          ),
      );
  return needed;
}

/**
 * The p-quantile of the sum. Sources larger than a cell go on a grid: Poisson ones by Panjer's recursion (which is Kaufman's and
 * Roberts' without a limit), on-off ones by convolution. What is smaller than a cell is many and small, and enters as a normal
 * distribution of the same mean and variance.
 */
export function quantileOfSum(sources: readonly Source[], p: number): number {
  const top = bound(sources);
  const cell = cellFor(sources, top);
  let mean = 0;
  let variance = 0;
  const large: Source[] = [];
  for (const s of sources) {
    if (s.law === 'steady') mean += s.busy * s.rate;
    else if (s.rate >= cell) large.push(s);
    else {
      mean += s.busy * s.rate;
      variance += (s.law === 'poisson' ? s.busy : s.busy * (1 - s.busy)) * s.rate * s.rate;
    }
  }
  if (large.length === 0 && variance === 0) return mean;
  const density = onGrid(large, cell, Math.ceil(top / cell) + 1);
  return mean + quantileOnGrid(density, cell, Math.sqrt(variance), p);
}

/** A rate that the sum exceeds with a probability far below any that is asked for: ten standard deviations and a largest source above the mean. */
function bound(sources: readonly Source[]): number {
  let mean = 0;
  let variance = 0;
  let largest = 0;
  for (const s of sources) {
    if (s.law === 'steady') continue;
    mean += s.busy * s.rate;
    variance += (s.law === 'poisson' ? s.busy : s.busy * (1 - s.busy)) * s.rate * s.rate;
    largest = Math.max(largest, s.rate);
  }
  return Math.max(mean + 10 * Math.sqrt(variance) + 4 * largest, Number.MIN_VALUE);
}

/** The largest rate is a whole number of cells, so that one kind of source alone comes out exactly. */
function cellFor(sources: readonly Source[], top: number): number {
  const largest = sources.reduce((most, s) => (s.law === 'steady' ? most : Math.max(most, s.rate)), 0);
  const cell = top / CELLS;
  return largest < cell ? cell : largest / Math.ceil(largest / cell);
}

function onGrid(sources: readonly Source[], cell: number, cells: number): Float64Array {
  const poisson = sources.filter((s) => s.law === 'poisson');
  let density = panjer(poisson, cell, cells);
  for (const s of sources) if (s.law === 'onOff') density = switched(density, s, cell);
  return density;
}

/** A rate between two cells is shared between them so that its mean stays. */
function split(rate: number, cell: number): { below: number; above: number } {
  const inCells = rate / cell;
  const below = Math.abs(inCells - Math.round(inCells)) < 1e-9 ? Math.round(inCells) : Math.floor(inCells);
  return { below, above: Math.abs(inCells - below) < 1e-9 ? 0 : inCells - below };
}

function panjer(sources: readonly Source[], cell: number, cells: number): Float64Array {
  const perCell = new Float64Array(cells + 1);
  let total = 0;
  for (const s of sources) {
    const { below, above } = split(s.rate, cell);
    perCell[below] = perCell[below]! + s.busy * (1 - above);
    if (above > 0) perCell[below + 1] = perCell[below + 1]! + s.busy * above;
    total += s.busy;
  }
  const density = new Float64Array(cells + 1);
  const steps: number[] = [];
  for (let r = 1; r <= cells; r++) if (perCell[r]! > 0) steps.push(r);
  // e^-total may be too small for a double: then the start is 1, and dividing by the sum at the end makes it right.
  density[0] = total < 600 ? Math.exp(-total) : 1;
  for (let n = 1; n <= cells; n++) {
    let sum = 0;
    for (const r of steps) {
      if (r > n) break;
      sum += r * perCell[r]! * density[n - r]!;
    }
    density[n] = sum / n;
    if (density[n]! > 1e250) for (let k = 0; k <= n; k++) density[k] = density[k]! * 1e-250;
  }
  return normalise(density);
}

function normalise(density: Float64Array): Float64Array {
  let sum = 0;
  for (const d of density) sum += d;
  return density.map((d) => d / sum);
}

function switched(density: Float64Array, { busy, rate }: Source, cell: number): Float64Array {
  const { below, above } = split(rate, cell);
  const out = new Float64Array(density.length);
  for (let n = 0; n < density.length; n++) {
    const d = density[n]!;
    out[n] = out[n]! + d * (1 - busy);
    if (n + below < out.length) out[n + below] = out[n + below]! + d * busy * (1 - above);
    if (n + below + 1 < out.length) out[n + below + 1] = out[n + below + 1]! + d * busy * above;
  }
  return out;
}

function quantileOnGrid(density: Float64Array, cell: number, deviation: number, p: number): number {
  if (deviation === 0) {
    let sum = 0;
    for (let n = 0; n < density.length; n++) {
      sum += density[n]!;
      if (sum >= p) return n * cell;
    }
    return (density.length - 1) * cell;
  }
  const below = new Float64Array(density.length + 1);
  for (let n = 0; n < density.length; n++) below[n + 1] = below[n]! + density[n]!;
  const cdf = (x: number) => {
    // Beyond 9 deviations the normal law is 0 or 1: only a window of the grid has to be asked.
    const sure = Math.min(density.length, Math.max(0, Math.ceil((x - 9 * deviation) / cell)));
    const none = Math.min(density.length, Math.floor((x + 9 * deviation) / cell) + 1);
    let sum = below[sure]!;
    for (let n = sure; n < none; n++) sum += density[n]! * normalCdf((x - n * cell) / deviation);
    return sum;
  };
  let low = -10 * deviation;
  let high = density.length * cell + 10 * deviation;
  const exactEnough = Math.min(cell, deviation) * 1e-3;
  while (high - low > exactEnough) {
    const middle = (low + high) / 2;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return high;
}
