/**
 * A seeded generator of numbers in [0, 1): a 32-bit counter through a mixing function. Same seed, same sequence, everywhere.
 * For simulations and tests; never for secrets. Period 2³².
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** An exponential sample of the given mean. */
export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log1p(-random());
}

/** A normal sample (Box and Muller 1958). */
export function normal(random: () => number, mean: number, deviation: number): number {
  return mean + deviation * Math.sqrt(-2 * Math.log1p(-random())) * Math.cos(2 * Math.PI * random());
}
