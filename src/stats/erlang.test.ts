import fc from 'fast-check';
import { expect, test } from 'vitest';
import { erlangB, erlangServers, poissonDensity, poissonQuantile } from './erlang.ts';
import { exponential, seededRandom } from './random.ts';

test('Erlang B gives the values of the printed tables', () => {
  // Load at 1 % blocking for 1, 5, 10, 20, 50 and 100 trunks (ITU-D, Teletraffic Engineering Handbook).
  for (const [trunks, load] of [
    [1, 0.0101],
    [5, 1.36],
    [10, 4.46],
    [20, 12.03],
    [50, 37.9],
    [100, 84.06],
  ] as const) {
    expect(erlangB(load, trunks)).toBeCloseTo(0.01, 3);
    expect(erlangServers(load * 0.999, 0.01)).toBe(trunks);
  }
});

test('Erlang B is the truncated Poisson distribution', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 60, noNaN: true }), fc.integer({ min: 0, max: 80 }), (load, servers) => {
      let all = 0;
      for (let k = 0; k <= servers; k++) all += poissonDensity(k, load);
      const expected = poissonDensity(servers, load) / all;
      expect(Math.abs(erlangB(load, servers) - expected)).toBeLessThan(1e-9);
    }),
    { numRuns: 300 },
  );
});

test('the Poisson quantile is the smallest count that reaches the share', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 3000, noNaN: true }),
      fc.double({ min: 0.01, max: 0.999, noNaN: true }),
      (mean, p) => {
        const n = poissonQuantile(mean, p);
        let sum = 0;
        for (let k = 0; k < n; k++) sum += poissonDensity(k, mean);
        expect(sum).toBeLessThan(p + 1e-9);
        expect(sum + poissonDensity(n, mean)).toBeGreaterThan(p - 1e-9);
      },
    ),
    { numRuns: 300 },
  );
});

test('a million busy at once needs no more than the normal law says', () => {
  expect(Math.abs(poissonQuantile(1e6, 0.99) - (1e6 + 2.3263 * 1e3))).toBeLessThan(3);
  expect(poissonQuantile(0, 0.99)).toBe(0);
});

test('in a seeded simulation with times of any kind the number busy is what the formulas say', () => {
  const random = seededRandom(7);
  for (const service of [() => 2, () => exponential(random, 2), () => (random() < 0.1 ? 20 : 0)]) {
    const load = 8; // 4 arrivals per second, 2 s each on average
    const quantile = poissonQuantile(load, 0.99);
    const ends: number[] = [];
    let now = 0;
    let within = 0;
    const arrivals = 60_000;
    for (let i = 0; i < arrivals; i++) {
      now += exponential(random, 1 / 4);
      let busy = 0;
      for (let j = ends.length - 1; j >= 0; j--)
        if (ends[j]! <= now) ends.splice(j, 1);
        else busy++;
      if (i > 1000 && busy <= quantile) within++;
      ends.push(now + service());
    }
    const share = within / (arrivals - 1001);
    expect(share).toBeGreaterThan(0.985);
    expect(share).toBeLessThan(0.999);
  }
});

test('what cannot be is refused', () => {
  expect(() => poissonQuantile(-1, 0.5)).toThrow('Cannot take the Poisson quantile of the mean -1');
  expect(() => poissonQuantile(1, 1)).toThrow('p must be in (0, 1)');
  expect(() => erlangServers(NaN, 0.01)).toThrow('load of NaN');
  expect(() => erlangServers(1, 0)).toThrow('blocking of 0');
});
