import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { MilpBuilder } from './milp.ts';
import { startSolver } from './solver.ts';

const solver = startSolver();
afterAll(() => solver.close());

test('a linear program comes with its optimum, its point and what each limit is worth', async () => {
  const builder = new MilpBuilder();
  const x = builder.variable({ cost: 3 });
  const y = builder.variable({ cost: 2 });
  builder.row(-Infinity, 4, [x, y], [1, 1]);
  builder.row(-Infinity, 3, [x], [1]);
  const solution = await solver.solve(builder.build('maximise'));
  expect(solution).toMatchObject({ status: 'optimal', objective: 11, bound: 11 });
  expect([...solution.values!]).toEqual([3, 1]);
  expect([...solution.rowDuals!]).toEqual([2, 1]);
});

test('what cannot be is proved to be so, and what has no end is told apart from it', async () => {
  const none = new MilpBuilder();
  const x = none.binary();
  none.row(2, Infinity, [x], [1]);
  expect(await solver.solve(none.build())).toEqual({ status: 'infeasible', bound: Infinity });
  const endless = new MilpBuilder();
  endless.variable({ cost: 1 });
  expect(await solver.solve(endless.build('maximise'))).toMatchObject({ status: 'unbounded' });
});

test('knapsacks are as good as trying every subset', async () => {
  const item = fc.record({ gain: fc.integer({ min: 1, max: 50 }), weight: fc.integer({ min: 1, max: 30 }) });
  const knapsack = fc.record({
    items: fc.array(item, { minLength: 1, maxLength: 9 }),
    room: fc.integer({ min: 1, max: 99 }),
  });
  await fc.assert(
    fc.asyncProperty(knapsack, async ({ items, room }) => {
      const builder = new MilpBuilder();
      const variables = items.map(({ gain }) => builder.binary(gain));
      builder.row(
        -Infinity,
        room,
        variables,
        items.map(({ weight }) => weight),
      );
      let best = 0;
      for (let chosen = 0; chosen < 1 << items.length; chosen++) {
        const [gain, weight] = items.reduce<[number, number]>(
          ([g, w], one, i) => ((chosen >> i) & 1 ? [g + one.gain, w + one.weight] : [g, w]),
          [0, 0],
        );
        if (weight <= room) best = Math.max(best, gain);
      }
      const solution = await solver.solve(builder.build('maximise'));
      expect(solution.status).toBe('optimal');
      expect(solution.objective).toBeCloseTo(best, 6);
      expect(solution.bound).toBeCloseTo(best, 6);
    }),
    { numRuns: 60, seed: 5 },
  );
});

/** Market split: few rows, no slack; too hard to finish, so that there is something to stop. */
function hardProgram() {
  const builder = new MilpBuilder();
  const variables = Array.from({ length: 40 }, () => builder.binary());
  let state = 1;
  for (let row = 0; row < 5; row++) {
    const values = variables.map(() => (state = (state * 48_271) % 2_147_483_647) % 100);
    const half = Math.floor(values.reduce((sum, v) => sum + v, 0) / 2);
    const [over, under] = [builder.variable({ cost: 1 }), builder.variable({ cost: 1 })];
    builder.row(half, half, [...variables, over, under], [...values, 1, -1]);
  }
  return builder.build();
}

test('a search that is stopped gives what it has with a bound, and calls it stopped', async () => {
  const asked = new AbortController();
  const solution = await solver.solve(hardProgram(), {}, asked.signal, ({ objective }) => {
    if (Number.isFinite(objective)) asked.abort();
  });
  expect(solution.status).toBe('stopped');
  expect(solution.objective).toBeGreaterThanOrEqual(solution.bound);
  expect(solution.values).toHaveLength(50);
});

test('a time limit ends a search', async () => {
  const solution = await solver.solve(hardProgram(), { timeLimitS: 0.2 });
  expect(solution.status).toBe('stopped');
  expect(solution.bound).toBeLessThan(Infinity);
});

test('a solver that is closed fails what waits, and a new program starts it again', async () => {
  const own = startSolver();
  const waiting = own.solve(hardProgram());
  await own.close();
  await expect(waiting).rejects.toThrow('the thread of the solver ended');
  const builder = new MilpBuilder();
  builder.variable({ cost: 1, lower: 7 });
  expect((await own.solve(builder.build())).objective).toBe(7);
  await own.close();
});
