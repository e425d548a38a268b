import { exactProportion } from '../../stats/interval.ts';
import { seededRandom } from '../../stats/random.ts';
import type { Reach } from './reduce.ts';

export interface Simulated {
  /** Share of time that no target is reached, as tries and draws say. */
  share: number;
  /** Holds the truth with at least the confidence asked for. */
  interval: readonly [low: number, high: number];
  /** Combinations of failures that were tried one by one, and drawn ones. */
  tried: number;
  drawn: number;
}

/** Strata of so many combinations are tried to the end. */
const maxTries = 3000;
const mostFailures = 8;

/**
 * The same share of time by trying and drawing what fails, as a check that shares nothing with the exact way but the input. Stratified
 * by how many risks have happened, whose probability is known exactly (Poisson's binomial): strata with few combinations are tried to
 * the end, of the others `draws` are drawn from each, with the exact binomial interval. Plain draws would need 1e10 of them for 1e-8;
 * importance sampling needs fewer, but says nothing about the failures that it did not draw, and its intervals lie.
 */
export function simulate(reach: Reach, draws: number, seed: number, confidence = 0.99): Simulated {
  const risks = Array.from(reach.down, (_, r) => r).filter((r) => reach.down[r]! > 0);
  const tail = poissonBinomial(risks.map((r) => reach.down[r]!));
  const isCutOff = makeTest(reach);
  const random = seededRandom(seed);
  const most = Math.min(mostFailures, risks.length);
  let [low, high, share, tried, drawn] = [0, 0, 0, 0, 0];
  let beyond = 1;
  for (let failures = 0; failures <= most; failures++) {
    const weight = tail[0]![failures]!;
    beyond -= weight;
    if (weight === 0) continue;
    if (combinations(risks.length, failures) <= maxTries) {
      const exact = tryAll(risks, failures, reach.down, isCutOff);
      tried += exact.tried;
      [low, high, share] = [low + exact.share, high + exact.share, share + exact.share];
      continue;
    }
    let hits = 0;
    for (let draw = 0; draw < draws; draw++) if (isCutOff(drawOf(failures, risks, reach.down, tail, random))) hits++;
    drawn += draws;
    const [from, to] = exactProportion(hits, draws, 1 - (1 - confidence) / (most + 1))!;
    [low, high, share] = [low + weight * from, high + weight * to, share + (weight * hits) / draws];
  }
  // More failures than that: anything may be, and rounding must not make it less than nothing.
  return { share, interval: [low, Math.min(1, high + Math.max(1e-15, beyond))], tried, drawn };
}

/** [i][k]: probability that exactly k of the risks from the i-th on happen; k up to one more than is asked for. */
function poissonBinomial(down: readonly number[]): number[][] {
  const rows: number[][] = [Array.from({ length: mostFailures + 2 }, (_, k) => (k === 0 ? 1 : 0))];
  for (const p of down.toReversed()) {
    const behind = rows[0]!;
    rows.unshift(behind.map((same, k) => same * (1 - p) + (k > 0 ? behind[k - 1]! * p : 0)));
  }
  return rows;
}

function combinations(n: number, k: number): number {
  let count = 1;
  for (let i = 0; i < k; i++) count = (count * (n - i)) / (i + 1);
  return count;
}

function tryAll(
  risks: readonly number[],
  failures: number,
  down: ArrayLike<number>,
  isCutOff: (failed: readonly number[]) => boolean,
): { share: number; tried: number } {
  let [share, tried] = [0, 0];
  const failed: number[] = [];
  const go = (at: number, p: number) => {
    if (p === 0) return;
    if (at === risks.length) {
      tried++;
      if (isCutOff(failed)) share += p;
      return;
    }
    const r = risks[at]!;
    const missing = failures - failed.length;
    if (missing < risks.length - at) go(at + 1, p * (1 - down[r]!));
    if (missing === 0) return;
    failed.push(r);
    go(at + 1, p * down[r]!);
    failed.pop();
  };
  go(0, 1);
  return { share, tried };
}

/** Which risks happened, given how many did: one after the other, with what is left for the others. */
function drawOf(
  failures: number,
  risks: readonly number[],
  down: ArrayLike<number>,
  tail: readonly number[][],
  random: () => number,
): number[] {
  const failed: number[] = [];
  for (let i = 0; failed.length < failures; i++) {
    const missing = failures - failed.length;
    const p = (down[risks[i]!]! * tail[i + 1]![missing - 1]!) / tail[i]![missing]!;
    if (random() < p) failed.push(risks[i]!);
    else if (i === risks.length - 1) break;
  }
  return failed;
}

function makeTest({ nodes, source, targets, edges, risksOfNode, down }: Reach): (failed: readonly number[]) => boolean {
  const linksAt: number[][] = Array.from({ length: nodes }, () => []);
  for (const [i, { a, b }] of edges.entries()) {
    linksAt[a]!.push(i);
    linksAt[b]!.push(i);
  }
  const happened = new Uint8Array(down.length);
  const isTarget = new Uint8Array(nodes);
  for (const t of targets) isTarget[t] = 1;
  const isUp = (list: readonly number[]) => !list.some((r) => happened[r]);
  const isReached = (): boolean => {
    if (!isUp(risksOfNode[source]!)) return false;
    const reached = new Set([source]);
    for (const v of reached) {
      if (isTarget[v]) return true;
      for (const i of linksAt[v]!) {
        const { a, b, risks } = edges[i]!;
        const next = a === v ? b : a;
        if (!reached.has(next) && isUp(risks) && isUp(risksOfNode[next]!)) reached.add(next);
      }
    }
    return false;
  };
  return (failed) => {
    for (const r of failed) happened[r] = 1;
    const answer = !isReached();
    for (const r of failed) happened[r] = 0;
    return answer;
  };
}
