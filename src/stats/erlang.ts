import { logGamma, normalQuantile } from './binomial.ts';

/**
 * Teletraffic: how many of many independent users are busy at once. Arrivals by a Poisson process that each stay for a time of any
 * distribution (M/G/∞) give a number in service that is Poisson with the mean load = arrivals per second × mean time (Erlang 1917;
 * it does not matter how the times scatter).
 */

/** P(N = k) of a Poisson distribution. */
export function poissonDensity(k: number, mean: number): number {
  if (k < 0 || !Number.isInteger(k)) return 0;
  if (mean === 0) return k === 0 ? 1 : 0;
  return Math.exp(k * Math.log(mean) - mean - logGamma(k + 1));
}

/** The smallest n with P(N ≤ n) ≥ p for N Poisson: so many are busy at once at most, for a share p of the time. */
export function poissonQuantile(mean: number, p: number): number {
  if (!(mean >= 0 && mean < 1e15)) throw new RangeError(`Cannot take the Poisson quantile of the mean ${mean}`);
  if (!(p > 0 && p < 1)) throw new RangeError(`Cannot take the Poisson quantile of ${p}: p must be in (0, 1)`);
  if (mean > 1e9) return Math.ceil(mean + normalQuantile(p) * Math.sqrt(mean)); // the skew is no whole count any more
  // What lies 12 standard deviations below the mean is less than the rounding of the sum; further out terms lose their digits.
  const from = Math.max(0, Math.floor(mean - 12 * Math.sqrt(mean)));
  let term = poissonDensity(from, mean);
  let sum = term;
  let n = from;
  const last = mean + 40 * Math.sqrt(mean) + 60;
  while (sum < p && n < last) {
    n++;
    term *= mean / n;
    sum += term;
  }
  return n;
}

/** Erlang's B formula: share of arrivals that find all of `servers` busy, where who finds none free goes away. Recursion, stable. */
export function erlangB(load: number, servers: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  return blocked;
}

/** Fewest servers with which at most the share `blocking` of arrivals finds none free. */
export function erlangServers(load: number, blocking: number): number {
  if (!(load >= 0 && load < 1e8)) throw new RangeError(`Cannot size servers for a load of ${load}`);
  if (!(blocking > 0 && blocking < 1)) throw new RangeError(`Cannot size servers for a blocking of ${blocking}`);
  if (load === 0) return 0;
  let blocked = 1;
  let n = 0;
  while (blocked > blocking) {
    n++;
    blocked = (load * blocked) / (n + load * blocked);
  }
  return n;
}
