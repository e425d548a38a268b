/**
 * Binomial, beta, Student and normal distributions to about 1e-10: enough for every interval here, for n up to ten million.
 * Source of the formulas: NIST Digital Library of Mathematical Functions §5.11, §7.6, §8.17.
 */

/** log Γ(x) for x > 0: Stirling's series (DLMF 5.11.1), shifted up by the recurrence until the series is exact enough. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`Cannot take logGamma of ${x}: x must be above 0`);
  let shift = 0;
  let z = x;
  while (z < 15) {
    shift += Math.log(z);
    z += 1;
  }
  const r = 1 / (z * z);
  const tail = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + tail - shift;
}

/** Regularised incomplete beta I_x(a, b) by its continued fraction (DLMF 8.17.22), evaluated by the modified Lentz method. */
export function betaRegularised(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only left of the mean; mirror otherwise.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaRegularised(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  return Math.min(1, front * lentz((m, odd) => coefficient(m, odd, x, a, b)));
}

function coefficient(m: number, odd: boolean, x: number, a: number, b: number): number {
  return odd
    ? (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    : (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
}

const tiny = 1e-300;

function lentz(term: (m: number, odd: boolean) => number): number {
  let c = 1;
  let d = 1 / away(1 + term(0, true));
  let f = d;
  // Terms grow with the square root of the parameters: 20 000 rounds cover ten million samples many times over.
  for (let m = 1; m < 20_000; m++) {
    for (const odd of [false, true]) {
      const t = term(m, odd);
      d = 1 / away(1 + t * d);
      c = away(1 + t / c);
      f *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return f;
}

function away(v: number): number {
  return Math.abs(v) < tiny ? tiny : v;
}

/** P(B ≤ k) for B the number of successes in n trials of probability p. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return betaRegularised(1 - p, n - k, k + 1);
}

/** P(Z ≤ x) of the standard normal distribution. */
export function normalCdf(x: number): number {
  if (x < 0) return 1 - normalCdf(-x);
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x > 6) {
    let fraction = x;
    for (let k = 60; k >= 1; k--) fraction = x + k / fraction;
    return 1 - density / fraction;
  }
  let term = x;
  let sum = x;
  for (let k = 3; term > sum * 1e-17; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + density * sum;
}

/** P(T ≤ t) of Student's distribution. */
export function studentCdf(t: number, freedom: number): number {
  const tail = 0.5 * betaRegularised(freedom / (freedom + t * t), freedom / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** x with cdf(x) = p for a rising cdf, by bisection between the bounds. */
export function invert(cdf: (x: number) => number, p: number, low: number, high: number): number {
  let a = low;
  let b = high;
  for (let i = 0; i < 200; i++) {
    const mid = (a + b) / 2;
    if (mid === a || mid === b) break;
    if (cdf(mid) < p) a = mid;
    else b = mid;
  }
  return (a + b) / 2;
}

/** Standard normal quantile: 0.975 → 1.95996…; p in (0, 1). */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`Cannot take the normal quantile of ${p}: p must be in (0, 1)`);
  return p < 0.5 ? -normalQuantile(1 - p) : invert(normalCdf, p, 0, 9);
}
