import fc from 'fast-check';
import type { Reach } from './reduce.ts';

/** Any small network with risks that take several parts down; probabilities are eighths, so that sums of products are exact. */
export function anyReach({ nodes = 6, edges = 9, risks = 8 }: { nodes?: number; edges?: number; risks?: number } = {}) {
  return fc
    .record({ nodes: fc.integer({ min: 2, max: nodes }), risks: fc.integer({ min: 1, max: risks }) })
    .chain(({ nodes: n, risks: m }): fc.Arbitrary<Reach> => {
      const someRisks = fc.uniqueArray(fc.nat(m - 1), { maxLength: 3 });
      const few = fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: someRisks });
      return fc.record({
        nodes: fc.constant(n),
        source: fc.nat(n - 1),
        targets: fc.uniqueArray(fc.nat(n - 1), { minLength: 1, maxLength: 2 }),
        edges: fc.array(fc.record({ a: fc.nat(n - 1), b: fc.nat(n - 1), risks: someRisks }), { maxLength: edges }),
        risksOfNode: fc.array(few, { minLength: n, maxLength: n }),
        down: fc.array(fc.constantFrom(0, 0.125, 0.25, 0.5, 0.875, 1), { minLength: m, maxLength: m }),
      });
    });
}

/** Whether the source reaches a target when exactly the risks of `happened` (bits) are down. */
export function reaches({ source, targets, edges, risksOfNode }: Reach, happened: number): boolean {
  const isUp = (risks: readonly number[]) => risks.every((r) => ((happened >> r) & 1) === 0);
  if (!isUp(risksOfNode[source]!)) return false;
  const reached = new Set([source]);
  for (const v of reached)
    for (const { a, b, risks } of edges) {
      if (!isUp(risks) || !isUp(risksOfNode[a]!) || !isUp(risksOfNode[b]!)) continue;
      if (a === v) reached.add(b);
      if (b === v) reached.add(a);
    }
  return targets.some((t) => reached.has(t));
}

/** The share of time that no target is reached, by trying every combination of risks. */
export function downtimeByTrying(reach: Reach): number {
  const { length } = reach.down;
  let sum = 0;
  for (let happened = 0; happened < 1 << length; happened++) {
    if (reaches(reach, happened)) continue;
    let p = 1;
    for (let r = 0; r < length; r++) p *= (happened >> r) & 1 ? reach.down[r]! : 1 - reach.down[r]!;
    sum += p;
  }
  return sum;
}
