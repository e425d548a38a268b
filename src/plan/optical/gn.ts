import type { Comb } from './comb.ts';
import { dot } from './dot.ts';
import type { GlassTable, GnKernel } from './glass-table.ts';

/** Weights of a channel on itself and on another (two polarisations). */
export const SELF_WEIGHT: number = 16 / 27;
export const CROSS_WEIGHT: number = 32 / 27;

/**
 * Nonlinear interference of one span by the closed form of the Gaussian-noise model (Poggiolini 2012, arXiv:1209.0394, equations
 * 120 and 123), at the input of the fibre; spans add up incoherently. Cost: n²/2 logarithms per glass (n on an even grid), then n²
 * multiplications per span.
 */
export function gnNli(comb: Comb, table: GlassTable, lengthM: number): Float64Array {
  const kernel = (table.gn ??= gnKernel(comb, table));
  const n = comb.count;
  const { powerW } = comb;
  const { alpha, gamma } = table;
  const pump = new Float64Array(n);
  let effectiveLengthM = 0;
  for (let j = 0; j < n; j++) {
    if (j === 0 || alpha[j] !== alpha[j - 1]) effectiveLengthM = -Math.expm1(-alpha[j]! * lengthM) / alpha[j]!;
    pump[j] = (powerW[j]! * effectiveLengthM) ** 2;
  }
  const nliW = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const from = kernel.even ? n - 1 - i : i * n;
    nliW[i] = powerW[i]! * gamma[i]! ** 2 * dot(kernel.value, from, pump, 0, n);
  }
  return nliW;
}

function gnKernel(comb: Comb, table: GlassTable): GnKernel {
  return isEven(comb, table)
    ? { even: true, value: evenKernel(comb, table) }
    : { even: false, value: fullKernel(comb, table) };
}

/** Equal within rounding: far below what shows in a result. */
const ROUNDING = 1e-12;

function isEven({ count: n, frequencyHz, baudHz }: Comb, { alpha, beta2 }: GlassTable): boolean {
  const spacing = (frequencyHz[n - 1]! - frequencyHz[0]!) / Math.max(1, n - 1);
  for (let i = 1; i < n; i++) {
    if (baudHz[i] !== baudHz[0] || alpha[i] !== alpha[0]) return false;
    if (Math.abs(beta2[i]! - beta2[0]!) > ROUNDING * Math.abs(beta2[0]!)) return false;
    if (Math.abs(frequencyHz[i]! - frequencyHz[0]! - i * spacing) > 1) return false;
  }
  return true;
}

function evenKernel({ count: n, frequencyHz, baudHz }: Comb, { alpha, beta2 }: GlassTable): Float64Array {
  const value = new Float64Array(2 * n - 1);
  const b2 = Math.abs(beta2[0]!);
  for (let d = 0; d < n; d++) {
    const there = psi(frequencyHz[d]! - frequencyHz[0]!, b2, alpha[0]!, baudHz[0]!, baudHz[0]!);
    const weighted = ((d === 0 ? SELF_WEIGHT : CROSS_WEIGHT) * there) / baudHz[0]! ** 2;
    value[n - 1 + d] = weighted;
    value[n - 1 - d] = weighted;
  }
  return value;
}

function fullKernel(comb: Comb, { alpha, beta2 }: GlassTable): Float64Array {
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
      kernel[i * n + j] = (weight * there) / baudHz[j]! ** 2;
      kernel[j * n + i] = (weight * back) / baudHz[i]! ** 2;
    }
  return kernel;
}

/** ψ over the square of the effective length; even in the distance. */
function psi(distanceHz: number, b2: number, pumpAlpha: number, cutBaudHz: number, pumpBaudHz: number): number {
  const asymptoticM = 1 / pumpAlpha;
  const k = Math.PI ** 2 * asymptoticM * b2 * cutBaudHz;
  return (
    asinhDifference(k * (distanceHz + pumpBaudHz / 2), k * (distanceHz - pumpBaudHz / 2)) /
    2 /
    (2 * Math.PI * b2 * asymptoticM)
  );
}

/** asinh(a) − asinh(b) for a > |b|: one logarithm where both are positive. */
function asinhDifference(a: number, b: number): number {
  if (b <= 0) return Math.asinh(a) - Math.asinh(b);
  return Math.log((a + Math.sqrt(a * a + 1)) / (b + Math.sqrt(b * b + 1)));
}
