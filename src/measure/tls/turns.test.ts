import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inOrder, Turns } from './turns.ts';

const pause = (turns: number): Promise<void> =>
  turns === 0 ? Promise.resolve() : Promise.resolve().then(() => pause(turns - 1));

describe('Turns', () => {
  test('never lets more in than allowed, and nobody beside one who is alone; all come in', async () => {
    const visit = fc.record({ isAlone: fc.boolean(), comesAfter: fc.nat(20), staysFor: fc.nat(20) });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(visit, { maxLength: 20 }), async (atOnce, visits) => {
        const turns = new Turns(atOnce);
        const inside = new Set<number>();
        let loners = 0;
        await Promise.all(
          visits.map(async ({ isAlone, comesAfter, staysFor }, i) => {
            await pause(comesAfter);
            let met = false;
            const stay = async () => {
              met ||= inside.size > 0;
              inside.add(i);
              if (isAlone) loners++;
              for (let left = staysFor; left > 0; left--) {
                expect(inside.size).toBeLessThanOrEqual(atOnce);
                if (loners > 0) expect(inside.size).toBe(1);
                await pause(1);
                met ||= inside.size > 1;
              }
              if (isAlone) loners--;
              inside.delete(i);
            };
            if (isAlone) await turns.alone(stay);
            else {
              const { hadCompany } = await turns.together(stay);
              // It may see somebody who came and went between two looks of ours; it may not miss one.
              if (met) expect(hadCompany).toBe(true);
              if (atOnce === 1) expect(hadCompany).toBe(false);
            }
          }),
        );
        expect(inside.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('an error inside lets the next one in', async () => {
    const turns = new Turns(1);
    await expect(turns.alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turns.together(() => Promise.resolve(1))).toEqual({ value: 1, hadCompany: false });
  });
});

test('inOrder() begins in order and keeps it, however long each takes', async () => {
  const begun: number[] = [];
  const tasks = [30, 1, 20, 0, 5].map((turns, i) => async () => {
    begun.push(i);
    await pause(turns);
    return i;
  });
  for (const atOnce of [1, 2, 9]) expect(await inOrder(tasks, atOnce)).toEqual([0, 1, 2, 3, 4]);
  expect(begun.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
});
