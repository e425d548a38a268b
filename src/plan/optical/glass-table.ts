import type { Comb } from './comb.ts';
import { alphaAt, areaAt, beta2At, dispersionPerMetre, gammaAt, type Glass } from './fibre.ts';

/** What one glass does to each channel of a comb; made once for all spans of it. */
export interface GlassTable {
  alpha: Float64Array;
  beta2: Float64Array;
  gamma: Float64Array;
  dispersionPerM: Float64Array;
  /** Kernels that are made when first asked for. */
  gn?: GnKernel;
  raman?: Float64Array;
}

/**
 * η of channel j on i without γᵢ² and the effective length of the span, 1/m. On an even grid of equal channels in glass of constant β₂ and loss it
 * depends on j − i alone: then 2n − 1 values, that of j − i at n − 1 + j − i.
 */
export interface GnKernel {
  even: boolean;
  value: Float64Array;
}

interface Known {
  frequencyHz: Float64Array;
  baudHz: Float64Array;
  table: GlassTable;
}

/** Of each glass the table of the comb that crossed it last: one lightpath has the same comb everywhere, and a search sends it again and again. */
const known = new WeakMap<Glass, Known>();

export function glassTable(glass: Glass, { frequencyHz, baudHz }: Comb): GlassTable {
  const last = known.get(glass);
  if (last && isSame(last.frequencyHz, frequencyHz) && isSame(last.baudHz, baudHz)) return last.table;
  const table = newTable(glass, frequencyHz);
  known.set(glass, { frequencyHz: frequencyHz.slice(), baudHz: baudHz.slice(), table });
  return table;
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function newTable(glass: Glass, frequencyHz: Float64Array): GlassTable {
  const column = (of: (glass: Glass, atHz: number) => number) => frequencyHz.map((atHz) => of(glass, atHz));
  return {
    alpha: column(alphaAt),
    beta2: column(beta2At),
    gamma: column(gammaAt),
    dispersionPerM: column(dispersionPerMetre),
  };
}

/**
 * Raman gain coefficients, 1/(W·m): row i gains from column j. Above its own frequency a channel gains; below, it loses, and of each
 * photon that it gives the other takes only the smaller energy.
 */
export function ramanMatrix(glass: Glass, frequencyHz: ArrayLike<number>): Float64Array {
  const n = frequencyHz.length;
  const { offsetHz, perPumpHz } = glass.raman;
  const area = Float64Array.from(frequencyHz, (f) => areaAt(glass, f));
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const [here, there] = [frequencyHz[i]!, frequencyHz[j]!];
      const gain = (oddInterpolate(offsetHz, perPumpHz, there - here) * there) / ((area[i]! + area[j]!) / 2);
      matrix[i * n + j] = gain >= 0 ? gain : (gain * here) / there;
    }
  return matrix;
}

/** A curve given for offsets from zero up, taken as odd; its end value beyond its end. */
function oddInterpolate(offsetHz: Float64Array, value: Float64Array, at: number): number {
  const distance = Math.abs(at);
  const last = offsetHz.length - 1;
  if (distance >= offsetHz[last]!) return Math.sign(at) * value[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (offsetHz[middle]! <= distance) low = middle;
    else high = middle;
  }
  const part = (distance - offsetHz[low]!) / (offsetHz[high]! - offsetHz[low]!);
  return Math.sign(at) * (value[low]! + (value[high]! - value[low]!) * part);
}
