import { normalQuantile } from './binomial.ts';

/** A total that was estimated from a sample of its parts. */
export interface SampledTotal {
  estimate: number;
  low: number;
  high: number;
}

/** 95 %, two-sided. */
const z = normalQuantile(0.975);

/**
 * Sums of which only one part in so many was looked at, each by chance: packets of a flow, or octets of packets. What was counted times
 * the rate is the estimate without bias (Horvitz and Thompson 1952), Σ N(N−1)x² that of its variance, where N is the rate and x one part.
 *
 * The interval is that of a count whose relative error is the same (Poisson, Garwood 1936), which holds also for few samples, where plus
 * and minus two standard deviations do not; and it never ends below what was counted itself.
 */
export function sampledSum(): {
  /**
   * @param counted sum of the parts that were looked at
   * @param squares sum of their squares; where only the sum is known, the most that it can be
   * @param every one part in so many
   */
  add(counted: number, squares: number, every: number): void;
  total(): SampledTotal;
} {
  let [seen, estimate, variance] = [0, 0, 0];
  return {
    add: (counted, squares, every) => {
      seen += counted;
      estimate += counted * every;
      variance += every * (every - 1) * squares;
    },
    total: () => {
      if (variance === 0) return { estimate, low: estimate, high: estimate };
      // So many samples alike would have this relative error.
      const count = estimate ** 2 / variance;
      const each = estimate / count;
      return { estimate, low: Math.max(seen, each * countLow(count)), high: each * countHigh(count) };
    },
  };
}

/**
 * The most that the squares of `parts` numbers can add up to whose sum is known and of which none is above `largest`. Not less where
 * they are few: large parts that were not looked at count as well, and so the total of numbers between 0 and `largest` is held like
 * that of a count of the largest (a sum of bounded numbers is below a Poisson count of its mean in convex order).
 */
export function mostSquares(sum: number, parts: number, largest: number): number {
  return sum * Math.max(largest, parts > 0 ? sum / parts : 0);
}

/** Quantiles of the gamma distribution by Wilson and Hilferty (1931): within 1 % from one sample on. */
function countLow(count: number): number {
  return count * Math.max(0, 1 - 1 / (9 * count) - z / (3 * Math.sqrt(count))) ** 3;
}

function countHigh(count: number): number {
  const next = count + 1;
  return next * (1 - 1 / (9 * next) + z / (3 * Math.sqrt(next))) ** 3;
}
