import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_LINE, splitLines } from './text.ts';

function linesOf(bytes: Uint8Array, pieces: readonly number[] = []) {
  const lines: string[] = [];
  const splitter = splitLines((line) => lines.push(line));
  let at = 0;
  for (const length of pieces) {
    splitter.push(bytes.subarray(at, at + length));
    at += length;
  }
  splitter.push(bytes.subarray(at));
  splitter.end();
  return { lines, encoding: splitter.encoding() };
}

const utf16 = (text: string, mark = '\ufeff') => Buffer.from(mark + text, 'utf16le');

describe('splitLines()', () => {
  test.each([
    ['UTF-8', Buffer.from('Zeitüberschreitung\nä'), 'utf-8'],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeffZeitüberschreitung\r\nä\r\n'), 'utf-8'],
    ['UTF-16, little-endian', utf16('Zeitüberschreitung\r\nä\r\n'), 'utf-16le'],
    ['UTF-16, big-endian', utf16('Zeitüberschreitung\nä').swap16(), 'utf-16be'],
    ['code page 850', Buffer.from('Zeit\u0081berschreitung\r\n\u0084', 'latin1'), 'cp850'],
  ])('reads %s', (_, bytes, encoding) => {
    expect(linesOf(bytes)).toEqual({ lines: ['Zeitüberschreitung', 'ä'], encoding });
  });

  test('UTF-16 without a mark is known by its zeros', () => {
    expect(linesOf(utf16('ping\r\npong\r\n', ''))).toEqual({ lines: ['ping', 'pong'], encoding: 'utf-16le' });
  });

  test('a line feed, a carriage return and both are each one end', () => {
    expect(linesOf(Buffer.from('a\nb\r\nc\rd\r')).lines).toEqual(['a', 'b', 'c', 'd']);
    expect(linesOf(Buffer.from('a\n\n\nb')).lines).toEqual(['a', '', '', 'b']);
  });

  test('gives the same lines wherever the bytes are cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '\r\n', '\n', ' '), maxLength: 60 });
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 }),
        fc.boolean(),
        (t, pieces, wide) => {
          const bytes = wide ? utf16(t) : Buffer.from(t);
          const expected = t.split(/\r\n|\n/);
          if (expected.at(-1) === '') expected.pop();
          // The mark that says UTF-16 must come in the first piece.
          expect(linesOf(bytes, [4, ...pieces]).lines).toEqual(expected);
        },
      ),
    );
  });

  test('a line longer than is kept is cut and said to be', () => {
    const cuts: [number, boolean][] = [];
    const splitter = splitLines((line, cut) => cuts.push([line.length, cut]));
    const piece = Buffer.alloc(1_000_000, 'x');
    for (let i = 0; i < 20; i++) splitter.push(piece);
    splitter.push(Buffer.from('\nshort\n'));
    splitter.end();
    expect(cuts).toEqual([
      [MAX_LINE, true],
      [5, false],
    ]);
  });
});
