import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cells, clip, hang, wrap } from './ansi.ts';

describe('cells()', () => {
  test('counts wide characters twice, marks and colour not at all', () => {
    expect(cells('abc')).toBe(3);
    expect(cells('日本')).toBe(4);
    expect(cells('e\u0301')).toBe(1);
    expect(cells('\u001b[1;31mFAIL\u001b[0m')).toBe(4);
  });
});

describe('wrap()', () => {
  test('keeps a number with its unit', () => {
    expect(wrap('a gain of 26 ms here', 13)).toEqual(['a gain of', '26 ms here']);
  });

  test('breaks words longer than a line', () => {
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  });

  test('loses nothing but spaces and never exceeds the width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite' }), fc.integer({ min: 4, max: 60 }), (text, width) => {
        const lines = wrap(text, width);
        for (const l of lines) expect(cells(l)).toBeLessThanOrEqual(width);
        const solid = (t: string) => t.replace(/[ \u00a0]/g, '');
        expect(solid(lines.join(''))).toBe(solid(text));
      }),
    );
  });
});

test('clip() marks what it cuts', () => {
  expect(clip('abcdef', 4)).toBe('abc…');
  expect(clip('abcd', 4)).toBe('abcd');
});

test('hang() indents what follows the first line', () => {
  expect(hang('FAIL ', 'one two three', 12)).toEqual(['FAIL one two', '     three']);
  expect(hang('unknown ', 'one two three', 14, 2)).toEqual(['unknown one', '  two three']);
});
