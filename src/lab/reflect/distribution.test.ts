import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constantDistribution, distribution, maxDelayMs, parseDistribution } from './distribution.ts';
import { seededUniform } from './random.ts';

function draws(text: string, n = 20_000, seed = 7): number[] {
  const uniform = seededUniform(seed);
  const d = parseDistribution(text);
  return Array.from({ length: n }, () => d.draw(uniform)).sort((a, b) => a - b);
}
const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const median = (values: number[]) => values[values.length >> 1]!;

describe('parseDistribution()', () => {
  test('reads a number as a constant', () => {
    expect(parseDistribution(' 20 ')).toMatchObject({ text: '20', constant: true });
    expect(parseDistribution('0.5').draw(() => 0.9)).toBe(0.5);
  });

  test('draws with the parameters that were asked for', () => {
    expect(mean(draws('normal:20,2'))).toBeCloseTo(20, 0);
    expect(median(draws('lognormal:50,0.5'))).toBeGreaterThan(48);
    expect(median(draws('lognormal:50,0.5'))).toBeLessThan(52);
    expect(mean(draws('exp:30'))).toBeGreaterThan(29);
    expect(mean(draws('exp:30'))).toBeLessThan(31);
    expect(mean(draws('uniform:10,30'))).toBeCloseTo(20, 0);
    expect(draws('pareto:10,3')[0]).toBeGreaterThanOrEqual(10);
    expect(mean(draws('pareto:10,3'))).toBeCloseTo(15, 0);
  });

  test('never draws below zero or above one hour', () => {
    const names = fc.constantFrom('normal', 'lognormal', 'uniform', 'pareto');
    const value = fc.double({ min: 0.001, max: 1000, noNaN: true });
    fc.assert(
      fc.property(names, value, value, fc.integer(), (name, a, b, seed) => {
        const [lo, hi] = name === 'uniform' && a > b ? [b, a] : [a, b];
        const ms = parseDistribution(`${name}:${lo},${hi}`).draw(seededUniform(seed));
        return ms >= 0 && ms <= maxDelayMs;
      }),
    );
  });

  test('refuses anything else with a RangeError that quotes it, and never otherwise throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseDistribution(text);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect((error as Error).message).toContain(`Cannot read "${text.slice(0, 80)}" as a duration`);
        }
      }),
    );
  });

  test.each([
    ['norml:20,5', 'unknown distribution "norml"'],
    ['normal:20', 'normal takes MEAN,SD, found 1 value(s)'],
    ['uniform:30,10', 'LO has to be at most HI'],
    ['lognormal:0,1', 'MEDIAN has to be above 0'],
    ['-5', '"-5" is not a number of 0 or above'],
    ['', '"" is not a number of 0 or above'],
    ['20ms', '"20ms" is not a number of 0 or above'],
    ['exp:NaN', '"NaN" is not a number of 0 or above'],
    ['99999999', '99999999 is above one hour (3600000 ms)'],
    ['constructor:1,2', 'unknown distribution "constructor"'],
  ])('%s is refused: %s', (text, why) => {
    expect(() => parseDistribution(text)).toThrow(why);
  });
});

test('distribution schema accepts numbers and texts, and puts the message into the issue', () => {
  expect(distribution.parse(20).draw(() => 0)).toBe(constantDistribution(20).draw(() => 0));
  expect(distribution.safeParse('x').error?.issues[0]?.message).toMatch(
    /^"x" is not a number of 0 or above; allowed: a number of ms, normal:MEAN,SD/,
  );
});

test('seededUniform() repeats for a seed, differs between streams, and stays in [0, 1)', () => {
  const take = (seed: number, stream: number) => {
    const next = seededUniform(seed, stream);
    return [next(), next(), next()];
  };
  expect(take(1, 1)).toEqual(take(1, 1));
  expect(take(1, 1)).not.toEqual(take(1, 2));
  fc.assert(fc.property(fc.integer(), fc.nat(), (seed, stream) => take(seed, stream).every((u) => u >= 0 && u < 1)));
});
