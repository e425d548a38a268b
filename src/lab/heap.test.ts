import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeHeap, popHeap, pushHeap } from './heap.ts';

test('the heap gives packets back by due time, equal ones in the order they came, however pushes and pops mix', () => {
  // A number is a push with that due time, null a pop.
  const steps = fc.array(fc.option(fc.integer({ min: 0, max: 6 }), { freq: 3 }), { maxLength: 400 });
  fc.assert(
    fc.property(steps, (list) => {
      const heap = makeHeap(400);
      const model: { dueMs: number; slot: number }[] = [];
      list.forEach((dueMs, slot) => {
        if (dueMs !== null) {
          pushHeap(heap, dueMs, slot);
          model.push({ dueMs, slot });
          model.sort((a, b) => a.dueMs - b.dueMs || a.slot - b.slot);
        } else if (model.length > 0) {
          expect(heap.dueMs[0]).toBe(model[0]!.dueMs);
          expect(popHeap(heap)).toBe(model.shift()!.slot);
        }
        expect(heap.size).toBe(model.length);
      });
      while (model.length > 0) expect(popHeap(heap)).toBe(model.shift()!.slot);
    }),
  );
});
