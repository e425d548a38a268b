import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Clockwork } from './clockwork.ts';
import { DueQueue, type DueTask } from './due-queue.ts';
import { plainIo } from './test-io.case.ts';

const task = (dueMs: number, run: () => void = () => undefined): DueTask => ({ dueMs, slot: -1, run });

describe('DueQueue', () => {
  test('gives tasks back by due time, whatever was cancelled in between', () => {
    const entries = fc.array(fc.record({ due: fc.integer({ min: 0, max: 50 }), cancel: fc.boolean() }));
    fc.assert(
      fc.property(entries, (given) => {
        const queue = new DueQueue();
        const tasks = given.map(({ due }) => task(due));
        for (const one of tasks) queue.push(one);
        given.forEach(({ cancel }, i) => cancel && queue.remove(tasks[i]!));
        const kept = given.filter(({ cancel }) => !cancel).map(({ due }) => due);
        expect(queue.size).toBe(kept.length);
        const popped: number[] = [];
        for (let next = queue.pop(); next; next = queue.pop()) popped.push(next.dueMs);
        expect(popped).toEqual(kept.sort((a, b) => a - b));
        expect(tasks.every(({ slot }) => slot === -1)).toBe(true);
      }),
    );
  });

  test('refuses a task that is queued already', () => {
    const queue = new DueQueue();
    const one = task(1);
    queue.push(one);
    expect(() => queue.push(one)).toThrow(RangeError);
    expect(queue.nextDueMs).toBe(1);
  });
});

describe('Clockwork', () => {
  test('runs tasks in due order, never before their time, and those added from inside a task', async () => {
    const { clock } = plainIo();
    const clockwork = new Clockwork(clock);
    const startMs = clock.monoMs();
    const ran: string[] = [];
    const early: string[] = [];
    await new Promise<void>((done) => {
      const note = (name: string, after: number, then?: () => void) =>
        task(startMs + after, () => {
          ran.push(name);
          if (clock.monoMs() < startMs + after) early.push(name);
          then?.();
        });
      const cancelled = note('cancelled', 4);
      clockwork.add(note('c', 12, done));
      clockwork.add(cancelled);
      clockwork.add(note('a', 3, () => clockwork.add(note('b', 6))));
      clockwork.add(note('past', -5));
      clockwork.cancel(cancelled);
    });
    expect(ran).toEqual(['past', 'a', 'b', 'c']);
    expect(early).toEqual([]);
    expect(clockwork.size).toBe(0);
  });

  test('runs nothing after stop()', async () => {
    const { clock } = plainIo();
    const clockwork = new Clockwork(clock);
    let ran = false;
    clockwork.add(task(clock.monoMs() + 2, () => (ran = true)));
    clockwork.stop();
    await clock.sleep(10);
    expect(ran).toBe(false);
  });
});
