import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Schedule } from './schedule.ts';

const job = (id: string, everyMs: number) => ({ id, everyMs });
const seeded = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};

describe('schedule', () => {
  test('starts every job at its phase and then at whole intervals, however late it is looked at', () => {
    const schedule = new Schedule();
    schedule.replace([job('a', 1000)], 5000, () => 0.25);
    expect(schedule.nextMs()).toBe(5250);
    const starts: number[] = [];
    for (let nowMs = 5000; nowMs < 10_000; nowMs += 30)
      for (const { intendedMs, done } of schedule.due(nowMs)) {
        starts.push(intendedMs);
        done();
      }
    expect(starts).toEqual([5250, 6250, 7250, 8250, 9250]);
    expect(schedule.skipped).toEqual({ running: 0, late: 0 });
  });

  test('a first round starts what is new at once, and leaves each its place in the interval', () => {
    const schedule = new Schedule();
    schedule.replace([job('slow', 60_000), job('quick', 800)], 0, () => 0.75, 1000);
    const starts = (untilMs: number) =>
      schedule.due(untilMs).map(({ job, intendedMs, done }) => {
        done();
        return [job.id, intendedMs];
      });
    expect(starts(800)).toEqual([
      ['quick', 600],
      ['slow', 750],
    ]);
    expect(starts(1399)).toEqual([]);
    schedule.replace([job('slow', 60_000), job('new', 60_000)], 2000, () => 0.5, 1000);
    expect(starts(2600)).toEqual([['new', 2500]]);
    expect(starts(45_000)).toEqual([
      ['new', 32_000],
      ['slow', 45_000],
    ]);
    expect(schedule.skipped).toEqual({ running: 0, late: 0 });
  });

  test('a start that meets its predecessor is skipped and counted', () => {
    const schedule = new Schedule();
    schedule.replace([job('a', 100)], 0, () => 0);
    const [first] = schedule.due(0);
    expect(schedule.due(100)).toEqual([]);
    expect(schedule.due(200)).toEqual([]);
    first!.done();
    expect(schedule.due(300)).toHaveLength(1);
    expect(schedule.skipped).toEqual({ running: 2, late: 0 });
  });

  test('starts that nobody was there for are counted, and one of them is made', () => {
    const schedule = new Schedule();
    schedule.replace([job('a', 100)], 0, () => 0);
    schedule.due(0)[0]!.done();
    const late = schedule.due(1050);
    expect(late.map(({ intendedMs }) => intendedMs)).toEqual([1000]);
    expect(schedule.skipped).toEqual({ running: 0, late: 9 });
  });

  test('a new list keeps the place in time of what it keeps, also while that is under way', () => {
    const schedule = new Schedule();
    schedule.replace([job('a', 1000), job('b', 1000)], 0, () => 0.5);
    const [a] = schedule.due(500).filter(({ job }) => job.id === 'a');
    schedule.replace([job('c', 1000), job('a', 1000)], 800, () => 0.9);
    expect(schedule.size).toBe(2);
    expect(schedule.due(1500).map(({ job }) => job.id)).toEqual([]);
    expect(schedule.skipped.running).toBe(1);
    a!.done();
    expect(schedule.due(2500).map(({ job, intendedMs }) => [job.id, intendedMs])).toEqual([
      ['c', 1700],
      ['a', 2500],
    ]);
  });

  test('jobs of one interval are spread over it, not started together', () => {
    const schedule = new Schedule();
    schedule.replace(
      Array.from({ length: 1000 }, (_, i) => job(String(i), 10_000)),
      0,
      seeded(7),
    );
    const perTenth = Array.from({ length: 10 }, (_, i) => schedule.due((i + 1) * 1000 - 1e-6).length);
    for (const count of perTenth) expect(count).toBeGreaterThan(60);
    expect(perTenth.reduce((a, b) => a + b)).toBe(1000);
  });

  test('every intended start is either made or counted as skipped: nothing in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.record({ afterMs: fc.nat(120), ends: fc.nat(10) }), { maxLength: 40 }),
        fc.nat(1e6),
        (intervals, looks, seed) => {
          const schedule = new Schedule();
          const random = seeded(seed);
          const phases: number[] = [];
          const jobs = intervals.map((everyMs, i) => job(String(i), everyMs));
          schedule.replace(jobs, 0, () => {
            const drawn = random();
            phases.push(drawn);
            return drawn;
          });
          const underWay: { id: string; done: () => void }[] = [];
          let [nowMs, made] = [0, 0];
          for (const { afterMs, ends } of looks) {
            nowMs += afterMs;
            for (const { job, done } of schedule.due(nowMs)) {
              expect(underWay.some(({ id }) => id === job.id)).toBe(false);
              underWay.push({ id: job.id, done });
              made++;
            }
            for (const { done } of underWay.splice(0, ends)) done();
          }
          const meant = intervals.reduce((sum, everyMs, i) => {
            const phaseMs = phases[i]! * everyMs;
            return (
              sum + (nowMs < phaseMs || looks.length === 0 ? 0 : Math.floor((nowMs - phaseMs) / everyMs + 1e-9) + 1)
            );
          }, 0);
          const { running, late } = schedule.skipped;
          expect(Math.abs(made + running + late - meant)).toBeLessThanOrEqual(0);
        },
      ),
    );
  });
});
