import { asPair, type Pair, type PairQuestion, type Path, pathAvoiding, risksOn } from './pair-question.ts';

export type ConflictResult =
  /** The shortest pair that there is. */
  | { status: 'optimal'; pair: Pair; looked: number }
  /** Every case was looked at: there is no such pair. */
  | { status: 'none'; looked: number }
  /** The cases did not come to an end; no pair is shorter than `atLeastKm`. */
  | { status: 'open'; pair: Pair | null; atLeastKm: number; looked: number };

/** A case: what each of the two paths has been forbidden, and its shortest path under that. */
interface Case {
  barred: [readonly number[], readonly number[]];
  paths: [Path, Path];
  atLeastKm: number;
}

/**
 * Branch and bound over conflicts: two shortest paths that share a risk lead to two cases, in each of which one of them has to do
 * without it. Every pair that shares nothing is in one of the cases, and two shortest paths are no longer than any pair in theirs, so
 * the first case without a conflict, shortest first, is the best pair; and when cases run out, there is none. At the root the two
 * cases are mirror images, and one is enough.
 * @param atLeastKm length that no pair can be below (Bhandari's)
 * @param maxCases after so many cases it gives up with what it knows
 */
export function searchConflicts(question: PairQuestion, atLeastKm: number, maxCases: number): ConflictResult {
  const search = pathAvoiding(question);
  const shortest = search([]);
  if (!shortest) return { status: 'none', looked: 0 };
  const open: Case[] = [{ barred: [[], []], paths: [shortest, shortest], atLeastKm }];
  let best: Pair | null = null;
  let looked = 0;
  const offer = (a: Path, b: Path | null) => {
    if (b && (!best || a.lengthKm + b.lengthKm < best.lengthKm)) best = asPair(a, b);
  };
  while (open.length > 0) {
    const now = takeLeast(open);
    if (best && notShorter(now.atLeastKm, best)) return { status: 'optimal', pair: best, looked };
    if (looked >= maxCases) return { status: 'open', pair: best, atLeastKm: now.atLeastKm, looked };
    looked++;
    const conflict = worstConflict(question, now.paths);
    if (conflict === null) {
      offer(...now.paths);
      continue;
    }
    for (const side of [0, 1] as const) {
      if (side === 1 && now.barred[0].length === 0 && now.barred[1].length === 0) break;
      const barred = [...now.barred[side], conflict];
      const path = search(barred);
      if (!path) continue;
      const other = now.paths[1 - side]!;
      const bound = Math.max(now.atLeastKm, path.lengthKm + other.lengthKm);
      if (best && notShorter(bound, best)) continue;
      offer(path, search(risksOn(question, path.links)));
      open.push({
        barred: side === 0 ? [barred, now.barred[1]] : [now.barred[0], barred],
        paths: side === 0 ? [path, other] : [other, path],
        atLeastKm: bound,
      });
    }
  }
  return best ? { status: 'optimal', pair: best, looked } : { status: 'none', looked };
}

/** Lengths are sums in different orders: what differs in the last digits is the same. */
const notShorter = (km: number, best: Pair) => km >= best.lengthKm * (1 - 1e-12);

/** The shared risk that takes most with it, so that a case decides much; null where nothing is shared. */
function worstConflict(question: PairQuestion, [a, b]: readonly [Path, Path]): number | null {
  const first = risksOn(question, a.links);
  let [worst, most] = [-1, 0];
  for (const r of risksOn(question, b.links)) {
    const { links, nodes } = question.map.risks[r]!;
    const size = links.length + 3 * nodes.length;
    if (first.has(r) && size > most) [worst, most] = [r, size];
  }
  return worst < 0 ? null : worst;
}

function takeLeast(open: Case[]): Case {
  let least = 0;
  // Of equals the newest: it is deepest, and nearest to a pair.
  for (let i = 1; i < open.length; i++) if (open[i]!.atLeastKm <= open[least]!.atLeastKm) least = i;
  return open.splice(least, 1)[0]!;
}
