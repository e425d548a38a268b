import { expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { virtualClock } from '../../../test/fakes/virtual-clock.ts';
import { Scheduler } from './scheduler.ts';

function start(concurrency: number, takesMs: (id: string) => number) {
  const clock = virtualClock();
  const io = fakeIo({ seed: 3 });
  const runs: { id: string; atMs: number; lagMs: number }[] = [];
  let [underWay, most] = [0, 0];
  const scheduler = new Scheduler<{ id: string; everyMs: number }>({
    clock,
    random: io.random,
    log: io.log,
    concurrency,
    run: async ({ id }, lagMs, signal) => {
      runs.push({ id, atMs: clock.monoMs(), lagMs });
      most = Math.max(most, ++underWay);
      if (id === 'broken') {
        underWay--;
        throw new TypeError('a mistake of ours');
      }
      await clock.sleep(takesMs(id), signal).finally(() => underWay--);
    },
  });
  const stop = new AbortController();
  const done = scheduler.run(stop.signal);
  return { clock, scheduler, runs, io, most: () => most, end: () => (stop.abort(), done) };
}

test('starts come at exact intervals by the monotonic clock, whatever the wall clock does', async () => {
  const { clock, scheduler, runs, end } = start(10, () => 20);
  scheduler.replace([{ id: 'a', everyMs: 1000 }]);
  await clock.run(5000);
  clock.step(-3_600_000);
  await clock.run(5000);
  clock.step(7_200_000);
  await clock.run(5000);
  await end();
  expect(runs).toHaveLength(15);
  const gaps = runs.slice(1).map(({ atMs }, i) => atMs - runs[i]!.atMs);
  for (const gap of gaps) expect(gap).toBeCloseTo(1000, 6);
  for (const { lagMs } of runs) expect(lagMs).toBeCloseTo(0, 6);
});

test('no more run at once than allowed; who waits is late, and says by how much', async () => {
  const { clock, scheduler, runs, most, end } = start(2, () => 300);
  scheduler.replace(Array.from({ length: 6 }, (_, i) => ({ id: String(i), everyMs: 1000 })));
  await clock.run(20_000);
  expect(most()).toBe(2);
  expect(runs.filter(({ lagMs }) => lagMs > 1).length).toBeGreaterThan(0);
  expect(scheduler.takeLags()).toHaveLength(runs.length);
  expect(scheduler.takeLags()).toEqual([]);
  await end();
});

test('a run longer than its interval skips starts, counted, and never runs beside itself', async () => {
  const { clock, scheduler, runs, end } = start(10, () => 250);
  scheduler.replace([{ id: 'slow', everyMs: 100 }]);
  await clock.run(10_000);
  const { started, skipped } = scheduler.figures();
  expect(started).toBe(runs.length);
  expect(started + skipped.running).toBeGreaterThanOrEqual(99);
  expect(skipped.running).toBeGreaterThan(60);
  const gaps = runs.slice(1).map(({ atMs }, i) => atMs - runs[i]!.atMs);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(249.9);
  await end();
});

test('after a standstill there is one start and a count, no burst', async () => {
  const { clock, scheduler, runs, end } = start(10, () => 1);
  scheduler.replace([{ id: 'a', everyMs: 100 }]);
  await clock.run(1000);
  const before = runs.length;
  clock.freeze(60_000);
  await clock.run(50);
  expect(runs.length - before).toBe(1);
  expect(scheduler.figures().skipped.late).toBeGreaterThan(590);
  await end();
});

test('a run that throws is counted and does not stop the others', async () => {
  const { clock, scheduler, runs, io, end } = start(10, () => 1);
  scheduler.replace([
    { id: 'broken', everyMs: 100 },
    { id: 'good', everyMs: 100 },
  ]);
  await clock.run(1000);
  expect(scheduler.figures().failed).toBeGreaterThan(8);
  expect(runs.filter(({ id }) => id === 'good').length).toBeGreaterThan(8);
  expect(io.stderr()).toContain('job broken failed: TypeError: a mistake of ours');
  await end();
});
