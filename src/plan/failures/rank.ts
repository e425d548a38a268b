import { type Effect, effectOf, type Effects, pairIndex } from './effects.ts';

/** One failure, by the numbers of its elements. */
export interface Case {
  elements: readonly [number] | readonly [number, number];
  effect: Effect;
}

/** All cases of one order added up: equal sums are the proof that two ways of working them out agree. */
export interface Totals {
  cases: number;
  /** Cases that leave some pair without a path. */
  breaking: number;
  broken: bigint;
  extra: bigint;
  late: bigint;
}

export interface Ranking {
  singles: Totals & { worst: Case[] };
  doubles:
    | (Totals & {
        worst: Case[];
        /** Pairs that break more together than the two do each alone: what no list of single failures shows. */
        together: Totals['cases'];
        worstTogether: Case[];
      })
    | null;
}

/** @param keep how many of the worst are kept */
export function rank(effects: Effects, keep: number): Ranking {
  const singles = { ...noTotals(), worst: worstOf(keep, byEffect) };
  for (let i = 0; i < effects.count; i++) {
    const effect = effectOf(effects, i);
    count(singles, effect);
    singles.worst.offer({ elements: [i], effect });
  }
  return {
    singles: { ...singles, worst: singles.worst.list() },
    doubles: effects.doubles ? rankDoubles(effects, keep) : null,
  };
}

function rankDoubles(effects: Effects, keep: number): NonNullable<Ranking['doubles']> {
  const totals = noTotals();
  const worst = worstOf(keep, byEffect);
  const worstTogether = worstOf(keep, (a, b) => beyond(effects, b) - beyond(effects, a) || byEffect(a, b));
  let together = 0;
  for (let i = 0; i < effects.count; i++)
    for (let j = i + 1; j < effects.count; j++) {
      const one: Case = { elements: [i, j], effect: effectOf(effects, i, j) };
      count(totals, one.effect);
      worst.offer(one);
      if (beyond(effects, one) <= 0) continue;
      together++;
      worstTogether.offer(one);
    }
  return { ...totals, worst: worst.list(), together, worstTogether: worstTogether.list() };
}

/** Pairs that a double failure breaks beyond the sum of its parts. */
function beyond({ count, broken }: Effects, { elements: [i, j] }: Case): number {
  return j === undefined ? 0 : broken[pairIndex(count, i, j)]!;
}

/** Worst first: broken pairs, then late ones, then longer paths, then the order of the elements. */
function byEffect(a: Case, b: Case): number {
  return (
    b.effect.broken - a.effect.broken ||
    b.effect.late - a.effect.late ||
    b.effect.extra - a.effect.extra ||
    a.elements[0] - b.elements[0] ||
    (a.elements[1] ?? 0) - (b.elements[1] ?? 0)
  );
}

function noTotals(): Totals {
  return { cases: 0, breaking: 0, broken: 0n, extra: 0n, late: 0n };
}

function count(totals: Totals, { broken, extra, late }: Effect): void {
  totals.cases++;
  if (broken > 0) totals.breaking++;
  totals.broken += BigInt(broken);
  totals.extra += BigInt(extra);
  totals.late += BigInt(late);
}

/** The first few of any number, in order; those that do nothing are left out. */
function worstOf(keep: number, compare: (a: Case, b: Case) => number) {
  const list: Case[] = [];
  return {
    offer: (one: Case) => {
      const { broken, late, extra } = one.effect;
      if (broken <= 0 && late <= 0 && extra <= 0) return;
      if (list.length === keep && compare(one, list.at(-1)!) >= 0) return;
      const at = list.findIndex((other) => compare(one, other) < 0);
      list.splice(at < 0 ? list.length : at, 0, one);
      if (list.length > keep) list.pop();
    },
    list: () => list,
  };
}
