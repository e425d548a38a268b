import {
  asPair,
  type Pair,
  type PairQuestion,
  type Path,
  pathAvoiding,
  risksOn,
  sharedRisks,
} from './pair-question.ts';

export interface Shared {
  pair: Pair;
  /** What the two paths share although they should not. */
  risks: number[];
  cost: number;
}

/** As for conflicts, with what the two may share after all and what that costs. */
interface Case {
  barred: [readonly number[], readonly number[]];
  shared: readonly number[];
  paths: [Path, Path];
  cost: number;
  km: number;
}

/**
 * Two paths whose shared risks cost least, and of those the shortest: the search over conflicts with a third case for each, in which
 * both paths keep the risk and it is paid for. Cheapest case first, so that the first without a conflict is the best.
 * @returns `open` where the cases did not come to an end; what it had found until then may not be the least
 */
export function searchLeastShared(
  question: PairQuestion,
  costOf: (risk: number) => number,
  maxCases: number,
): { best: Shared | null; isOpen: boolean } {
  const search = pathAvoiding(question);
  const shortest = search([]);
  if (!shortest) return { best: null, isOpen: false };
  const open: Case[] = [
    { barred: [[], []], shared: [], paths: [shortest, shortest], cost: 0, km: 2 * shortest.lengthKm },
  ];
  let best: Shared | null = null;
  const offer = (a: Path, b: Path | null) => {
    if (!b) return;
    const pair = asPair(a, b);
    const risks = sharedRisks(question, pair);
    const cost = risks.reduce((sum, r) => sum + costOf(r), 0);
    if (!best || isBetter({ cost, km: pair.lengthKm }, { cost: best.cost, km: best.pair.lengthKm }))
      best = { pair, risks, cost };
  };
  const isHopeless = (cost: number, km: number) =>
    best !== null && !isBetter({ cost, km }, { cost: best.cost, km: best.pair.lengthKm });
  for (let looked = 0; open.length > 0; looked++) {
    const now = takeLeast(open);
    if (isHopeless(now.cost, now.km)) break;
    if (looked >= maxCases) return { best, isOpen: true };
    const conflict = worstConflict(question, now);
    if (conflict === null) {
      offer(...now.paths);
      continue;
    }
    const keep = { ...now, shared: [...now.shared, conflict], cost: now.cost + costOf(conflict) };
    if (!isHopeless(keep.cost, keep.km)) open.push(keep);
    for (const side of [0, 1] as const) {
      // Until one of them is barred from something, the two are mirror images.
      if (side === 1 && now.barred[0].length === 0 && now.barred[1].length === 0) break;
      const barred = [...now.barred[side], conflict];
      const path = search(barred);
      if (!path) continue;
      const other = now.paths[1 - side]!;
      const km = path.lengthKm + other.lengthKm;
      if (isHopeless(now.cost, km)) continue;
      const mayShare = new Set(now.shared);
      offer(path, search([...risksOn(question, path.links)].filter((r) => !mayShare.has(r))));
      open.push({
        barred: side === 0 ? [barred, now.barred[1]] : [now.barred[0], barred],
        shared: now.shared,
        paths: side === 0 ? [path, other] : [other, path],
        cost: now.cost,
        km,
      });
    }
  }
  return { best, isOpen: false };
}

/** Cheaper, or as cheap and shorter; sums in different orders differ in the last digits. */
function isBetter(a: { cost: number; km: number }, b: { cost: number; km: number }): boolean {
  const same = 1e-9 * Math.max(1e-3, a.cost, b.cost);
  if (Math.abs(a.cost - b.cost) > same) return a.cost < b.cost;
  return a.km < b.km * (1 - 1e-12);
}

function worstConflict(question: PairQuestion, { paths: [a, b], shared }: Case): number | null {
  const first = risksOn(question, a.links);
  const mayShare = new Set(shared);
  let [worst, most] = [-1, 0];
  for (const r of risksOn(question, b.links)) {
    const { links, nodes } = question.map.risks[r]!;
    const size = links.length + 3 * nodes.length;
    if (first.has(r) && !mayShare.has(r) && size > most) [worst, most] = [r, size];
  }
  return worst < 0 ? null : worst;
}

function takeLeast(open: Case[]): Case {
  let least = 0;
  for (let i = 1; i < open.length; i++) if (!isBetter(open[least]!, open[i]!)) least = i;
  return open.splice(least, 1)[0]!;
}
