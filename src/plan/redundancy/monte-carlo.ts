import { normalQuantile } from '../../stats/binomial.ts';
import { seededRandom } from '../../stats/random.ts';
import type { Reach } from './reduce.ts';

export interface Simulated {
  /** Share of time that no target is reached, as the draws say. */
  share: number;
  /** Normal interval of the weighted draws. */
  interval: readonly [low: number, high: number];
  draws: number;
  /** Draws in which no target was reached: few mean that the interval is rough. */
  cutOff: number;
}

/**
 * The same share of time by drawing what fails, as a check that shares nothing with the exact way but the input. Rare failures are
 * drawn more often than they happen, and each draw is weighed by how much (importance sampling with failure biasing: Lewis and Böhm
 * 1984): plain draws would need 1e10 of them for 1e-8.
 */
export function simulate(reach: Reach, draws: number, seed: number, confidence = 0.99): Simulated {
  const { nodes, source, targets, edges, risksOfNode, down } = reach;
  const random = seededRandom(seed);
  const risks = Array.from({ length: down.length }, (_, r) => r).filter((r) => down[r]! > 0);
  // About three failures a draw: enough to cut pairs of ways, few enough that weights stay alike.
  const bias = Math.min(0.5, 3 / Math.max(1, risks.length));
  const drawn = risks.map((r) => Math.max(down[r]!, bias));
  const linksAt: number[][] = Array.from({ length: nodes }, () => []);
  for (const [i, { a, b }] of edges.entries()) {
    linksAt[a]!.push(i);
    linksAt[b]!.push(i);
  }
  const happened = new Uint8Array(down.length);
  const isUp = (list: readonly number[]) => list.every((r) => !happened[r]);
  const isReached = (): boolean => {
    if (!isUp(risksOfNode[source]!)) return false;
    const reached = new Set([source]);
    for (const v of reached) {
      if (targets.includes(v)) return true;
      for (const i of linksAt[v]!) {
        const { a, b, risks: list } = edges[i]!;
        const next = a === v ? b : a;
        if (!reached.has(next) && isUp(list) && isUp(risksOfNode[next]!)) reached.add(next);
      }
    }
    return false;
  };
  let [sum, squares, cutOff] = [0, 0, 0];
  for (let draw = 0; draw < draws; draw++) {
    let weight = 1;
    for (const [i, r] of risks.entries()) {
      const fails = random() < drawn[i]!;
      happened[r] = fails ? 1 : 0;
      weight *= fails ? down[r]! / drawn[i]! : (1 - down[r]!) / (1 - drawn[i]! || 1);
    }
    if (isReached()) continue;
    cutOff++;
    sum += weight;
    squares += weight * weight;
  }
  const share = sum / draws;
  const half = normalQuantile((1 + confidence) / 2) * Math.sqrt(Math.max(0, squares / draws - share * share) / draws);
  return { share, interval: [Math.max(0, share - half), Math.min(1, share + half)], draws, cutOff };
}
