/**
 * The candidate nearest to what was typed, for "did you mean" hints.
 * @returns undefined when nothing is near enough to be a slip of the finger: more than a third of the letters differ.
 */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const bounded = typed.slice(0, 64);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(bounded.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(bounded.toLowerCase(), candidate.toLowerCase());
    // Something has to be shared: "x" is no slip for "y".
    if (distance >= Math.max(bounded.length, candidate.length)) continue;
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) d = Math.min(d, beforeLast[j - 2]! + 1);
      row.push(d);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
