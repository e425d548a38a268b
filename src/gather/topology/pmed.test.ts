import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { mistakeText } from './parsed.ts';
import { parsePmed } from './pmed.ts';

const folder = sharedData('planning/pmed');

const lines = (text: string): string[] => {
  const parsed = parsePmed(text);
  return parsed.ok ? [] : parsed.mistakes.map((one) => mistakeText('a.txt', one));
};

describe('parsePmed()', () => {
  it('reads nodes from 1 as indices from 0', () => {
    const parsed = parsePmed(' 3 2 1 \n 1 2 30 \n 2 3 4.5 \n');
    expect(parsed.ok && parsed.value).toMatchObject({
      nodes: 3,
      medians: 1,
      from: Int32Array.of(0, 1),
      to: Int32Array.of(1, 2),
    });
    expect(parsed.ok && parsed.value.length).toEqual(Float64Array.of(30, 4.5));
  });

  it('takes the last of the lines that name a pair, whichever way round, and says so', () => {
    const parsed = parsePmed('3 4 1\n1 2 30\n2 3 1\n2 1 7\n1 2 40\n');
    expect(parsed.ok && [...parsed.value.length]).toEqual([1, 40]);
    expect(parsed.ok && parsed.notes).toEqual([
      { line: 1, message: '2 edges come again further down; the last of each counts' },
    ]);
  });

  it('names every mistake with its line', () => {
    expect(lines('3 2 1\n1 4 x\n0 2 -1 9\n')).toEqual([
      'a.txt:2: to: found "4"; allowed: a node from 1 to 3',
      'a.txt:2: length: found "x"; allowed: a number ≥ 0',
      'a.txt:3: from: found "0"; allowed: a node from 1 to 3',
      'a.txt:3: length: found "-1"; allowed: a number ≥ 0',
      'a.txt:3: edge: found "9" after the third; allowed: from to length',
    ]);
    expect(lines('')).toContain('a.txt:1: nodes: found nothing; allowed: a whole number from 1 to 5000');
    expect(lines('2 1 3\n1 2 1\n')).toEqual(['a.txt:1: medians: found "3"; allowed: a whole number from 1 to 2']);
    expect(lines('2 1 1\n1 2 1\n2 1 1\n')).toEqual(['a.txt:3: edge: found one more than the 1 edges of line 1']);
    expect(lines('2 2 1\n1 2 1\n')).toEqual(['a.txt:3: file: found 1 edges at its end; allowed: the 2 of line 1']);
  });

  it('takes whatever text without throwing', () => {
    const word = fc.oneof(
      fc.nat(9).map(String),
      fc.constantFrom('-1', '1e3', '0x1', 'NaN', '9'.repeat(50), '\u0000', ','),
      fc.string(),
    );
    const text = fc.array(
      fc.array(word, { maxLength: 5 }).map((words) => words.join(' ')),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(text, (rows) => {
        const parsed = parsePmed(rows.join('\n'));
        if (!parsed.ok) expect(parsed.mistakes.length).toBeGreaterThan(0);
        else expect(parsed.value.from.every((node) => node >= 0 && node < parsed.value.nodes)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it.skipIf(folder === null)('reads the cases of OR-Library', () => {
    const parsed = parsePmed(readFileSync(`${folder}/pmed1.txt`, 'utf8'));
    expect(parsed.ok && [parsed.value.nodes, parsed.value.medians, parsed.value.length.length]).toEqual([100, 5, 198]);
  });
});
