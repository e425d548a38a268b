import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { assignSlots, type SlotDemand } from './spectrum-assignment.ts';

/** Demands on a line or ring of six links: those that share a link clash. */
const demands = (most: number) =>
  fc.array(
    fc.record({
      links: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
      slots: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: most },
  );

function clashes(a: SlotDemand, b: SlotDemand): boolean {
  return a.links.some((link) => b.links.includes(link));
}

function expectValid(list: readonly SlotDemand[], start: Int32Array, used: number): void {
  for (const [i, a] of list.entries()) {
    expect(start[i]).toBeGreaterThanOrEqual(0);
    expect(start[i]! + a.slots).toBeLessThanOrEqual(used);
    for (const [j, b] of list.entries())
      if (j < i && clashes(a, b))
        expect(start[i]! + a.slots <= start[j]! || start[j]! + b.slots <= start[i]!).toBe(true);
  }
}

/** The least, by trying every place of every demand. */
function leastByForce(list: readonly SlotDemand[]): number {
  const start: number[] = [];
  const fits = (limit: number, i: number): boolean => {
    const own = list[i];
    if (!own) return true;
    for (let at = 0; at + own.slots <= limit; at++) {
      const free = start.every(
        (other, j) => !clashes(own, list[j]!) || at + own.slots <= other || other + list[j]!.slots <= at,
      );
      if (!free) continue;
      start.push(at);
      if (fits(limit, i + 1)) return true;
      start.pop();
    }
    return false;
  };
  for (let limit = 1; ; limit++) {
    start.length = 0;
    if (fits(limit, 0)) return limit;
  }
}

test('up to six demands: as few slots as a search of all places finds, and a bound that holds', () => {
  fc.assert(
    fc.property(demands(6), (list) => {
      const plan = assignSlots(list, seededRandom(1));
      expectValid(list, plan.start, plan.used);
      const least = leastByForce(list);
      expect(plan.used).toBe(least);
      expect(plan.lowerBound).toBeLessThanOrEqual(least);
    }),
    { numRuns: 150, seed: 5 },
  );
});

test('many demands: nothing overlaps, and the bound is not above what is used', () => {
  fc.assert(
    fc.property(demands(40), (list) => {
      const plan = assignSlots(list, seededRandom(2), 50);
      expectValid(list, plan.start, plan.used);
      expect(plan.lowerBound).toBeLessThanOrEqual(plan.used);
    }),
    { numRuns: 60, seed: 6 },
  );
});

test('three demands that clash in pairs on three links need their sum, which no single link shows', () => {
  const list = [
    { links: [0, 1], slots: 2 },
    { links: [1, 2], slots: 2 },
    { links: [2, 0], slots: 2 },
  ];
  expect(assignSlots(list, seededRandom(1))).toMatchObject({ used: 6, lowerBound: 6 });
});

test('the same seed gives the same plan', () => {
  const list = fc.sample(demands(30), { numRuns: 1, seed: 9 })[0]!;
  expect(assignSlots(list, seededRandom(3))).toEqual(assignSlots(list, seededRandom(3)));
});
