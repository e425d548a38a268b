import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCflp } from './cflp.ts';
import { mistakeText } from './parsed.ts';

const lines = (text: string): string[] => {
  const parsed = parseCflp(text);
  return parsed.ok ? [] : parsed.mistakes.map((one) => mistakeText('a.txt', one));
};

describe('parseCflp()', () => {
  it('reads numbers wherever the lines break', () => {
    const parsed = parseCflp(' 2 1 \n 10 7500. \n 5 0. \n 3 \n 1.5\n2 \n');
    expect(parsed.ok && parsed.value).toEqual({
      sites: 2,
      clients: 1,
      capacity: Float64Array.of(10, 5),
      siteCost: Float64Array.of(7500, 0),
      demand: Float64Array.of(3),
      cost: Float64Array.of(1.5, 2),
    });
  });

  it('puts the given capacity where cases a to c have the word', () => {
    const parsed = parseCflp('1 1\ncapacity 5\n1 2', 8000);
    expect(parsed.ok && parsed.value.capacity).toEqual(Float64Array.of(8000));
    expect(lines('1 1\ncapacity 5\n1 2')).toEqual(['a.txt:2: capacity: found "capacity"; allowed: a number ≥ 0']);
  });

  it('names the first mistake with its line, as all after it would be shifted', () => {
    expect(lines('1 1\n10 x\n3 y')).toEqual(['a.txt:2: fixed cost: found "x"; allowed: a number ≥ 0']);
    expect(lines('0 1')).toEqual(['a.txt:1: sites: found "0"; allowed: a whole number ≥ 1']);
    expect(lines('1 1\n10 1\n3')).toEqual(['a.txt:3: cost: found nothing; allowed: a number ≥ 0']);
    expect(lines('1 1\n10 1\n3 4\n5')).toEqual(['a.txt:4: file: found "5" after the last cost; allowed: the end']);
    expect(lines('100000 100000')).toEqual(['a.txt:1: sites: found 100000 × 100000; allowed: 10000000 costs']);
  });

  it('takes whatever text without throwing', () => {
    const word = fc.oneof(
      fc.nat(4).map(String),
      fc.constantFrom('-1', '1e9', 'capacity', '7500.', '\u0000'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), (words) => {
        const parsed = parseCflp(words.join(' '));
        if (!parsed.ok) expect(parsed.mistakes.length).toBeGreaterThan(0);
      }),
      { numRuns: 5000 },
    );
  });
});
