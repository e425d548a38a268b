/**
 * The stopping rule of multipath detection (Augustin, Friedman, Teixeira 2007; Veitch et al. 2009): how many flows must have
 * been sent through a balancer of which `found` next hops are known, so that one more would have been seen with the given
 * confidence. Assumes that the balancer spreads flows evenly.
 * @returns the smallest n for which n even draws out of found + 1 see all of them with probability ≥ confidence
 */
export function flowsNeeded(found: number, confidence: number): number {
  const known = tables.get(confidence) ?? [];
  tables.set(confidence, known);
  for (let branches = known.length + 2; branches <= Math.max(found, 1) + 1; branches++) {
    known.push(drawsToSeeAll(branches, confidence));
  }
  return known[Math.max(found, 1) - 1]!;
}

/** By confidence: flows needed with 1, 2, 3 … next hops found. */
const tables = new Map<number, number[]>();

/** Walks the distribution of distinct branches seen after each draw: the closed sum alternates and loses its digits. */
function drawsToSeeAll(branches: number, confidence: number): number {
  let seen = [1, ...Array<number>(branches).fill(0)];
  for (let draws = 1; ; draws++) {
    seen = seen.map((stay, count) => (stay * count + (seen[count - 1] ?? 0) * (branches - count + 1)) / branches);
    if (seen[branches]! >= confidence) return draws;
  }
}
