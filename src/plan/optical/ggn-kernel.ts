/**
 * |Σ over the span|² of the generalised Gaussian-noise model as a function of the phase mismatch Δβ: ρ² is taken as straight
 * lines between the places of a power profile (against undisturbed attenuation), which makes the integral along the fibre a sum.
 */
export interface SpanIntegral {
  zM: Float64Array;
  /** Power over undisturbed attenuation at each place, of one channel. */
  rho2: Float64Array;
  alpha: number;
}

export function spanIntegral(zM: Float64Array, loss: Float64Array, channel: number, alpha: number): SpanIntegral {
  const rho2 = zM.map((z, k) => loss[channel * zM.length + k]! * Math.exp(alpha * z));
  return { zM, rho2, alpha };
}

/** Value at one phase mismatch, m². */
export function mixingAt({ zM, rho2, alpha }: SpanIntegral, deltaBeta: number): number {
  const last = zM.length - 1;
  // w = −α + iΔβ; every term is over w, or over w².
  const square = alpha * alpha + deltaBeta * deltaBeta;
  const [inverseRe, inverseIm] = [-alpha / square, -deltaBeta / square];
  const [inverse2Re, inverse2Im] = [inverseRe ** 2 - inverseIm ** 2, 2 * inverseRe * inverseIm];
  let [slopesRe, slopesIm] = [0, 0];
  const z0 = zM[0]!;
  const size0 = Math.exp(-alpha * z0);
  const [firstRe, firstIm] = [size0 * Math.cos(deltaBeta * z0), size0 * Math.sin(deltaBeta * z0)];
  let [beforeRe, beforeIm] = [firstRe, firstIm];
  for (let k = 1; k <= last; k++) {
    const size = Math.exp(-alpha * zM[k]!);
    const re = size * Math.cos(deltaBeta * zM[k]!);
    const im = size * Math.sin(deltaBeta * zM[k]!);
    const slope = (rho2[k]! - rho2[k - 1]!) / (zM[k]! - zM[k - 1]!);
    slopesRe += slope * (re - beforeRe);
    slopesIm += slope * (im - beforeIm);
    [beforeRe, beforeIm] = [re, im];
  }
  const endsRe = rho2[last]! * beforeRe - rho2[0]! * firstRe;
  const endsIm = rho2[last]! * beforeIm - rho2[0]! * firstIm;
  const re = endsRe * inverseRe - endsIm * inverseIm - (slopesRe * inverse2Re - slopesIm * inverse2Im);
  const im = endsRe * inverseIm + endsIm * inverseRe - (slopesRe * inverse2Im + slopesIm * inverse2Re);
  return re * re + im * im;
}

/** Points of the table in one period 2π/L of the fastest oscillation. With six-point interpolation the error is below 1e-9 of the peak. */
const POINTS_PER_PERIOD = 96;

/**
 * The same for millions of mismatches: tabulated from 0 to `most` and interpolated (Lagrange, six points). The value is even in Δβ.
 * The double integral then costs some nanoseconds per point in place of a sum of exponentials.
 */
export function mixingTable(span: SpanIntegral, most: number): { value: Float64Array; perStep: number } {
  const lengthM = span.zM.at(-1)!;
  const step = Math.min((2 * Math.PI) / lengthM / POINTS_PER_PERIOD, span.alpha / 24);
  const count = Math.ceil(most / step) + 8;
  const value = new Float64Array(count + 2);
  // Two points below zero, so that the six around a place always exist.
  for (let k = -2; k < count; k++) value[k + 2] = mixingAt(span, k * step);
  return { value, perStep: 1 / step };
}
