import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { betaRegularised, binomialCdf, logGamma, normalCdf, normalQuantile, studentCdf } from './binomial.ts';

/** P(B ≤ k) summed term by term: slow, plain, independent of the beta function. */
function summed(k: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let sum = term;
  for (let i = 1; i <= k; i++) {
    term *= ((n - i + 1) / i) * (p / (1 - p));
    sum += term;
  }
  return sum;
}

describe('binomialCdf()', () => {
  it('agrees with the plain sum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0.01, max: 0.9, noNaN: true }),
        fc.nat(300),
        (n, p, at) => {
          const k = at % n;
          expect(binomialCdf(k, n, p)).toBeCloseTo(summed(k, n, p), 9);
        },
      ),
    );
  });

  it('is 0 below the first and 1 at the last outcome', () => {
    expect(binomialCdf(-1, 10, 0.3)).toBe(0);
    expect(binomialCdf(10, 10, 0.3)).toBe(1);
  });

  it('stays right for ten million trials', () => {
    // Normal approximation with continuity correction, good to 1e-4 here.
    const n = 1e7;
    const sd = Math.sqrt(n * 0.99 * 0.01);
    expect(binomialCdf(n * 0.99 + sd, n, 0.99)).toBeCloseTo(normalCdf(1 + 0.5 / sd), 3);
  });
});

describe('special functions', () => {
  it('logGamma() gives log factorials and the square root of pi', () => {
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 11);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 11);
    expect(() => logGamma(0)).toThrow(RangeError);
  });

  it('betaRegularised() is symmetric and x for a = b = 1', () => {
    expect(betaRegularised(0.3, 1, 1)).toBeCloseTo(0.3, 12);
    expect(betaRegularised(0.2, 3, 7) + betaRegularised(0.8, 7, 3)).toBeCloseTo(1, 12);
  });

  it('normalQuantile() gives the printed table values and undoes normalCdf()', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 6);
    expect(normalQuantile(0.95)).toBeCloseTo(1.644854, 6);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 9);
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (x) => {
        expect(normalCdf(normalQuantile(normalCdf(x)))).toBeCloseTo(normalCdf(x), 12);
      }),
    );
    expect(() => normalQuantile(1)).toThrow(RangeError);
  });

  it('normalCdf() has a small exact tail', () => {
    expect(1 - normalCdf(6.5)).toBeCloseTo(4.016e-11, 13);
    expect(normalCdf(-1.959964)).toBeCloseTo(0.025, 7);
  });

  it('studentCdf() gives the printed table value', () => {
    expect(studentCdf(2.262157, 9)).toBeCloseTo(0.975, 6);
    expect(studentCdf(-2.262157, 9)).toBeCloseTo(0.025, 6);
  });
});
