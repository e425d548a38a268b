/** A seeded source of uniform numbers in [0, 1). Not for secrets. */
export type Uniform = () => number;

/**
 * Seeded generator (mulberry32: 32 bits of state, period 2^32): the same seed gives the same delays on every machine, which
 * is all that a reproducible server needs. `stream` separates the requests of one seed, so that concurrency does not mix them.
 */
export function seededUniform(seed: number, stream = 0): Uniform {
  let state = mix32((seed | 0) ^ mix32((stream | 0) + 0x9e3779b9));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A standard normal value by the Box–Muller transform; the pair's second half is dropped to stay free of state. */
export function standardNormal(uniform: Uniform): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Finaliser of MurmurHash3: every input bit changes about half of the output bits. */
function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
