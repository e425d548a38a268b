import fc from 'fast-check';
import { expect, test } from 'vitest';
import { erlangServers, poissonDensity, poissonQuantile } from '../../stats/erlang.ts';
import { exponential, seededRandom } from '../../stats/random.ts';
import { meanRate, neededRate, quantileOfSum, type Source } from './load.ts';

/** The twin: every combination of counts, with its probability, sorted by rate. */
function bruteQuantile(sources: readonly Source[], p: number): number {
  let states: [number, number][] = [[0, 1]];
  for (const { law, busy, rate } of sources) {
    const own: [number, number][] =
      law === 'steady'
        ? [[busy * rate, 1]]
        : law === 'onOff'
          ? [[0, 1 - busy], [rate, busy]] // prettier-ignore
          : Array.from({ length: 25 }, (_, k) => [k * rate, poissonDensity(k, busy)]);
    states = states.flatMap(([x, q]) => own.map(([y, r]): [number, number] => [x + y, q * r]));
  }
  states.sort((a, b) => a[0] - b[0]);
  let sum = 0;
  for (const [rate, q] of states) {
    sum += q;
    if (sum >= p) return rate;
  }
  return Infinity;
}

const source = fc.record<Source>({
  law: fc.constantFrom('poisson', 'onOff', 'steady'),
  busy: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  rate: fc.double({ min: 1, max: 100, noNaN: true }),
});

test('the quantile of a few sources is that of all combinations counted out, to a few cells of the grid', () => {
  fc.assert(
    fc.property(fc.array(source, { minLength: 1, maxLength: 3 }), (sources) => {
      const found = quantileOfSum(sources, 0.99);
      const cell = (meanRate(sources) + 800) / 2048;
      // Where the distribution jumps right at 0.99, rounding decides which side: the neighbours bound it.
      expect(found).toBeGreaterThanOrEqual(bruteQuantile(sources, 0.988) - 4 * cell);
      expect(found).toBeLessThanOrEqual(bruteQuantile(sources, 0.992) + 4 * cell);
    }),
    { numRuns: 150 },
  );
});

test('one kind of source alone comes out exactly: a whole number of them', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 400, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      (busy, rate) => {
        const found = quantileOfSum([{ law: 'poisson', busy, rate }], 0.99) / rate;
        expect(Math.abs(found - poissonQuantile(busy, 0.99))).toBeLessThan(1e-6);
      },
    ),
    { numRuns: 200 },
  );
});

test('many small streams come to what the Poisson law says, to a thousandth', () => {
  for (const busy of [2000, 50_000, 1e7]) {
    const found = quantileOfSum([{ law: 'poisson', busy, rate: 168e3 }], 0.99) / 168e3;
    expect(Math.abs(found / poissonQuantile(busy, 0.99) - 1)).toBeLessThan(1e-3);
  }
});

test('what a transfer with a deadline needs agrees with Erlang B to one channel, and is never nothing', () => {
  for (const busy of [1e-6, 0.01, 0.1, 0.5, 2, 10, 40]) {
    const needed = Math.round(neededRate([{ law: 'poisson', busy, rate: 107, deadline: true }], 0.99) / 107);
    expect(needed).toBeGreaterThanOrEqual(erlangServers(busy, 0.01));
    expect(needed - erlangServers(busy, 0.01)).toBeLessThanOrEqual(Math.max(1, 0.2 * busy));
  }
  expect(quantileOfSum([{ law: 'poisson', busy: 1e-6, rate: 107 }], 0.99)).toBe(0);
});

test('a checkpoint that runs a thousandth of the time still has to fit in beside the rest', () => {
  const steady: Source = { law: 'steady', busy: 1, rate: 5 };
  const checkpoint: Source = { law: 'onOff', busy: 0.001, rate: 80, deadline: true };
  expect(neededRate([steady, { ...checkpoint, deadline: false }], 0.99)).toBeCloseTo(5.08, 9); // the mean
  expect(neededRate([steady, checkpoint], 0.99)).toBe(85);
  // At half of the time it is in the quantile already, and is not counted twice.
  expect(neededRate([steady, { ...checkpoint, busy: 0.5 }], 0.99)).toBeCloseTo(85, 6);
});

test('a seeded simulation of streams, uploads and KV transfers stays within the rate at 99 % of moments', () => {
  const random = seededRandom(11);
  const kinds = [
    { perS: 40, holdS: 4, rate: 0.2 },
    { perS: 40, holdS: 0.05, rate: 100 },
    { perS: 3, holdS: 0.1, rate: 400 },
  ];
  const sources: Source[] = kinds.map(({ perS, holdS, rate }) => ({ law: 'poisson', busy: perS * holdS, rate }));
  const needed = quantileOfSum(sources, 0.99);
  // Changes of the rate, from arrivals with exponential times; then the share of time above `needed`.
  const changes: [number, number][] = [];
  const lastS = 8000;
  for (const { perS, holdS, rate } of kinds)
    for (let at = exponential(random, 1 / perS); at < lastS; at += exponential(random, 1 / perS))
      changes.push([at, rate], [at + exponential(random, holdS), -rate]);
  changes.sort((a, b) => a[0] - b[0]);
  let now = 0;
  let rate = 0;
  let aboveS = 0;
  for (const [at, change] of changes) {
    if (at > lastS) break;
    if (rate > needed + 1e-6) aboveS += at - now;
    now = at;
    rate += change;
  }
  expect(aboveS / now).toBeLessThan(0.012);
  expect(aboveS / now).toBeGreaterThan(0.006);
});

test('nothing needs nothing', () => {
  expect(neededRate([], 0.99)).toBe(0);
  expect(neededRate([{ law: 'poisson', busy: 0, rate: 5, deadline: true }], 0.99)).toBe(0);
});
