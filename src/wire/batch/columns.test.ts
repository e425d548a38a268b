import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Columns, Counter, halfOf, joinHalves, makeColumns } from './columns.ts';

const arrays = (columns: Columns) =>
  Object.entries(columns).filter(
    (entry): entry is [string, Uint8Array] =>
      ArrayBuffer.isView(entry[1]) && !['counters', 'control'].includes(entry[0]),
  );

describe('halfOf()', () => {
  test('gives every target and cell to one half, and none to both', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 1, max: 4 }), (targets, rounds) => {
        const whole = makeColumns(targets, rounds);
        const halves = [halfOf(whole, 0), halfOf(whole, 1)] as const;
        expect(halves[0].targets + halves[1].targets).toBe(targets);
        for (const [half, columns] of halves.entries())
          for (const [, array] of arrays(columns)) for (let i = 0; i < array.length; i++) array[i]! += half + 1;
        for (const [name, array] of arrays(whole)) {
          const per = array.length / targets;
          const expected = Array.from(array, (_, i) => (i < halves[0].targets * per ? 1 : 2));
          expect([name, ...array]).toEqual([name, ...expected]);
        }
      }),
    );
  });

  test('counts apart until joined, and is stopped by the same hand', () => {
    const whole = makeColumns(5, 1);
    const halves = [halfOf(whole, 0), halfOf(whole, 1)] as const;
    for (const [half, { counters }] of halves.entries()) {
      counters[Counter.sent] = half + 1;
      counters[Counter.lagMaxMs] = half + 1;
    }
    expect(whole.counters[Counter.sent]).toBe(1);
    joinHalves(whole);
    expect(whole.counters[Counter.sent]).toBe(3);
    expect(whole.counters[Counter.lagMaxMs]).toBe(2);
    whole.control[0] = 1;
    expect(halves.map(({ control }) => control[0])).toEqual([1, 1]);
  });
});
