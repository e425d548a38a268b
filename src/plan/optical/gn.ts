import type { Comb } from './comb.ts';
import type { GlassTable } from './glass-table.ts';

/** Weights of a channel on itself and on another (two polarisations). */
export const SELF_WEIGHT: number = 16 / 27;
export const CROSS_WEIGHT: number = 32 / 27;

/**
 * Nonlinear interference of one span by the closed form of the Gaussian-noise model (Poggiolini 2012, arXiv:1209.0394, equations
 * 120 and 123), at the input of the fibre; spans add up incoherently. Cost: n²/2 logarithms per glass, then n² multiplications
 * per span.
 */
export function gnNli(comb: Comb, table: GlassTable, lengthM: number): Float64Array {
  const kernel = (table.gn ??= gnKernel(comb, table));
  const n = comb.count;
  const { powerW } = comb;
  const pump = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    const effectiveLengthM = -Math.expm1(-table.alpha[j]! * lengthM) / table.alpha[j]!;
    pump[j] = (powerW[j]! * effectiveLengthM) ** 2;
  }
  const nliW = new Float64Array(n);
  for (let i = 0, at = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++, at++) sum += kernel[at]! * pump[j]!;
    nliW[i] = powerW[i]! * sum;
  }
  return nliW;
}

/** η of channel j on i without the effective length of the span, 1/(W²·m²). */
function gnKernel(comb: Comb, { alpha, beta2, gamma }: GlassTable): Float64Array {
  const n = comb.count;
  const kernel = new Float64Array(n * n);
  const { frequencyHz, baudHz } = comb;
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      const distanceHz = frequencyHz[j]! - frequencyHz[i]!;
      const b2 = Math.abs(beta2[i]! + beta2[j]!) / 2;
      const there = psi(distanceHz, b2, alpha[j]!, baudHz[i]!, baudHz[j]!);
      const same = i === j || (alpha[i] === alpha[j] && baudHz[i] === baudHz[j]);
      const back = same ? there : psi(distanceHz, b2, alpha[i]!, baudHz[j]!, baudHz[i]!);
      const weight = i === j ? SELF_WEIGHT : CROSS_WEIGHT;
      kernel[i * n + j] = (gamma[i]! ** 2 * weight * there) / baudHz[j]! ** 2;
      kernel[j * n + i] = (gamma[j]! ** 2 * weight * back) / baudHz[i]! ** 2;
    }
  return kernel;
}

/** ψ over the square of the effective length; even in the distance. */
function psi(distanceHz: number, b2: number, pumpAlpha: number, cutBaudHz: number, pumpBaudHz: number): number {
  const asymptoticM = 1 / pumpAlpha;
  const k = Math.PI ** 2 * asymptoticM * b2 * cutBaudHz;
  const [right, left] = [k * (distanceHz + pumpBaudHz / 2), k * (distanceHz - pumpBaudHz / 2)];
  return asinhDifference(right, left) / 2 / (2 * Math.PI * b2 * asymptoticM);
}

/** asinh(a) − asinh(b) for a > |b|: one logarithm where both are positive. */
function asinhDifference(a: number, b: number): number {
  if (b <= 0) return Math.asinh(a) - Math.asinh(b);
  return Math.log((a + Math.sqrt(a * a + 1)) / (b + Math.sqrt(b * b + 1)));
}
