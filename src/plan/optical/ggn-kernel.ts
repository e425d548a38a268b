/**
 * |Σ over the span|² of the generalised Gaussian-noise model as a function of the phase mismatch Δβ: ρ² is taken as straight
 * lines between the places of a power profile (against undisturbed attenuation), which makes the integral along the fibre a sum.
 */
export interface SpanIntegral {
  lengthM: number;
  alpha: number;
  /** Distance of the places, where all but the last are evenly spread from 0; 0 where they are not. */
  stepM: number;
  zM: Float64Array;
  /** Change of the slope of ρ² at each place times the attenuation to it. */
  bend: Float64Array;
  /** ρ² at both ends, the far one times the attenuation to it. */
  start: number;
  end: number;
}

export function spanIntegral(zM: Float64Array, loss: Float64Array, channel: number, alpha: number): SpanIntegral {
  const last = zM.length - 1;
  const rho2 = zM.map((z, k) => loss[channel * zM.length + k]! * Math.exp(alpha * z));
  const slope = (k: number) => (k < 1 || k > last ? 0 : (rho2[k]! - rho2[k - 1]!) / (zM[k]! - zM[k - 1]!));
  const bend = zM.map((z, k) => (slope(k) - slope(k + 1)) * Math.exp(-alpha * z));
  const even = zM.every((z, k) => k === last || Math.abs(z - k * zM[1]!) < 1e-6);
  const stepM = even ? zM[1]! : 0;
  return {
    lengthM: zM[last]!,
    alpha,
    stepM,
    zM,
    bend,
    start: rho2[0]!,
    end: rho2[last]! * Math.exp(-alpha * zM[last]!),
  };
}

/**
 * With w = −α + iΔβ and E_k = e^(iΔβ z_k) the value is |(end·E_N − start)/w − S/w²|², S = Σ bend_k E_k; over w² at once it needs one
 * division.
 */
function square(
  { alpha, start, end }: SpanIntegral,
  deltaBeta: number,
  sRe: number,
  sIm: number,
  lastRe: number,
  lastIm: number,
): number {
  const re = end * lastRe - start;
  const im = end * lastIm;
  const top = re * -alpha - im * deltaBeta - sRe;
  const side = re * deltaBeta + im * -alpha - sIm;
  const w2 = alpha * alpha + deltaBeta * deltaBeta;
  return (top * top + side * side) / (w2 * w2);
}

/** Value at one phase mismatch, m². */
export function mixingAt(span: SpanIntegral, deltaBeta: number): number {
  const { zM, bend } = span;
  let sRe = 0;
  let sIm = 0;
  let re = 1;
  let im = 0;
  for (let k = 0; k < zM.length; k++) {
    re = Math.cos(deltaBeta * zM[k]!);
    im = Math.sin(deltaBeta * zM[k]!);
    sRe += bend[k]! * re;
    sIm += bend[k]! * im;
  }
  return square(span, deltaBeta, sRe, sIm, re, im);
}

/** After so many steps a phase is computed afresh, so that rounding does not add up. */
const FRESH_EVERY = 256;

/**
 * Values at Δβ = linear·k + quadratic·k² for k = 0 … count − 1, into `out`. Phases turn by multiplication in place of sines, and the sum over evenly
 * spread places is Clenshaw's recurrence: three operations per place.
 */
export function mixingAlong(
  span: SpanIntegral,
  linear: number,
  quadratic: number,
  count: number,
  out: Float64Array,
): void {
  const { stepM, lengthM, bend } = span;
  if (stepM === 0) {
    for (let k = 0; k < count; k++) out[k] = mixingAt(span, k * (linear + quadratic * k));
    return;
  }
  const last = bend.length - 1;
  // One phase turns with the distance of the places, the other with the length of the span, whose last piece may be shorter.
  const moreRe = Math.cos(2 * quadratic * stepM);
  const moreIm = Math.sin(2 * quadratic * stepM);
  const endMoreRe = Math.cos(2 * quadratic * lengthM);
  const endMoreIm = Math.sin(2 * quadratic * lengthM);
  for (let from = 0; from < count; from += FRESH_EVERY) {
    const to = Math.min(count, from + FRESH_EVERY);
    const begin = from * (linear + quadratic * from);
    const turn = linear + quadratic * (2 * from + 1);
    let re = Math.cos(begin * stepM);
    let im = Math.sin(begin * stepM);
    let turnRe = Math.cos(turn * stepM);
    let turnIm = Math.sin(turn * stepM);
    let endRe = Math.cos(begin * lengthM);
    let endIm = Math.sin(begin * lengthM);
    let endTurnRe = Math.cos(turn * lengthM);
    let endTurnIm = Math.sin(turn * lengthM);
    for (let k = from; k < to; k++) {
      const twice = 2 * re;
      let b1 = 0;
      let b2 = 0;
      for (let j = last - 1; j >= 1; j--) {
        const b0 = bend[j]! + twice * b1 - b2;
        b2 = b1;
        b1 = b0;
      }
      const sRe = bend[0]! + re * b1 - b2 + bend[last]! * endRe;
      const sIm = im * b1 + bend[last]! * endIm;
      out[k] = square(span, k * (linear + quadratic * k), sRe, sIm, endRe, endIm);
      const nextRe = re * turnRe - im * turnIm;
      im = re * turnIm + im * turnRe;
      re = nextRe;
      const nextEndRe = endRe * endTurnRe - endIm * endTurnIm;
      endIm = endRe * endTurnIm + endIm * endTurnRe;
      endRe = nextEndRe;
      if (quadratic === 0) continue;
      const nextTurnRe = turnRe * moreRe - turnIm * moreIm;
      turnIm = turnRe * moreIm + turnIm * moreRe;
      turnRe = nextTurnRe;
      const nextEndTurnRe = endTurnRe * endMoreRe - endTurnIm * endMoreIm;
      endTurnIm = endTurnRe * endMoreIm + endTurnIm * endMoreRe;
      endTurnRe = nextEndTurnRe;
    }
  }
}

/** Points of the table in one period 2π/L of the fastest oscillation. Interpolation by four points is then good to 1e-9 of the peak. */
const POINTS_PER_PERIOD = 192;

/**
 * The same for millions of mismatches: tabulated from 0 to `most`, and one point below, for interpolation by four points. The value is even in Δβ. The
 * double integral then costs some nanoseconds per point in place of a sum of exponentials.
 */
export function mixingTable(span: SpanIntegral, most: number): { value: Float64Array; perStep: number } {
  const step = Math.min((2 * Math.PI) / span.lengthM / POINTS_PER_PERIOD, span.alpha / 48);
  const count = Math.ceil(most / step) + 4;
  const value = new Float64Array(count + 1);
  mixingAlong(span, step, 0, count, value.subarray(1));
  value[0] = value[2]!;
  return { value, perStep: 1 / step };
}
