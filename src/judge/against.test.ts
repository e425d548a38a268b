import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponential, seededRandom } from '../stats/random.ts';
import { sorted } from '../stats/quantile.ts';
import { againstQuantile, againstShare } from './against.ts';

const limit = { max: 50, percentile: 99 };

describe('againstQuantile()', () => {
  it('passes, fails and stays unknown where the whole interval says so', () => {
    expect(againstQuantile(new Float64Array(299).fill(20), limit)).toMatchObject({
      verdict: 'pass',
      coverage: 1,
      missing: 0,
    });
    expect(againstQuantile(new Float64Array(298).fill(20), limit)).toMatchObject({ verdict: 'unknown', missing: 1 });
    expect(againstQuantile(new Float64Array(2).fill(90), limit)).toMatchObject({ verdict: 'fail' });
    expect(againstQuantile([], limit)).toMatchObject({ verdict: 'unknown', coverage: 0, missing: 299 });
  });

  it('is wrong in at most one of twenty runs when the truth is at the limit', () => {
    const random = seededRandom(21);
    const atLimit = { max: -Math.log(0.01), percentile: 99 };
    const verdicts = { pass: 0, fail: 0, unknown: 0 };
    for (let run = 0; run < 2000; run++)
      verdicts[againstQuantile(sorted(Array.from({ length: 800 }, () => exponential(random, 1))), atLimit).verdict]++;
    // Three standard errors of 5 % in 2000 runs are 1.5 %.
    expect(verdicts.pass / 2000).toBeLessThan(0.065);
    expect(verdicts.fail / 2000).toBeLessThan(0.065);
  });

  it('the samples that it says are missing decide, if they go on like the ones that are there', () => {
    const rising = sorted(Array.from({ length: 150 }, (_, i) => (i % 50 === 0 ? 90 : 20)));
    const { verdict, missing } = againstQuantile(rising, limit);
    expect(verdict).toBe('unknown');
    const more = sorted(Array.from({ length: 150 + missing! }, (_, i) => (i % 50 === 0 ? 90 : 20)));
    expect(againstQuantile(more, limit).verdict).toBe('fail');
  });
});

describe('againstShare()', () => {
  it('decides by the Wilson interval', () => {
    expect(againstShare(0, 268, 0.01)).toMatchObject({ verdict: 'pass' });
    expect(againstShare(0, 267, 0.01)).toMatchObject({ verdict: 'unknown', missing: 1 });
    expect(againstShare(5, 100, 0.01)).toMatchObject({ verdict: 'fail', value: 0.05 });
    expect(againstShare(0, 1e6, 0)).toMatchObject({ verdict: 'unknown', missing: null });
  });

  it('never throws for counts that make no sense, and is unknown without trials', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (hits, n, max) => {
        const judged = againstShare(hits, n, max);
        if (n <= 0) expect(judged.verdict).toBe('unknown');
        expect(judged.coverage).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
