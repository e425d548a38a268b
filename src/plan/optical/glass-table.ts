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

/** Tables by glass, for one set of frequencies and symbol rates. */
export type GlassTables = Map<Glass, GlassTable>;

export function glassTable(tables: GlassTables, glass: Glass, comb: Comb): GlassTable {
  const known = tables.get(glass);
  if (known) return known;
  const column = (of: (glass: Glass, atHz: number) => number) => {
    const values = new Float64Array(comb.count);
    for (let i = 0; i < comb.count; i++) values[i] = of(glass, comb.frequencyHz[i]!);
    return values;
  };
  const table: GlassTable = {
    alpha: column(alphaAt),
    beta2: column(beta2At),
    gamma: column(gammaAt),
    dispersionPerM: column(dispersionPerMetre),
  };
  tables.set(glass, table);
  return table;
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
