import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyReader } from './keys.ts';

const esc = '\u001b';

describe('keyReader()', () => {
  test.each([
    ['q', ['q']],
    ['Qé世', ['Q', 'é', '世']],
    [`${esc}[A${esc}[B${esc}OC${esc}OD`, ['up', 'down', 'right', 'left']],
    [`${esc}[5~${esc}[6~${esc}[H${esc}[F`, ['pageup', 'pagedown', 'home', 'end']],
    ['\t\r\u007f\u0003\u001a ', ['tab', 'enter', 'backspace', 'ctrl-c', 'ctrl-z', 'space']],
    [esc, ['escape']],
    [`${esc}[Z`, ['shift-tab']],
    [`${esc}[1;5C${esc}[200~`, []],
    ['\u0000\u0001', []],
  ])('reads %j', (text, keys) => {
    expect(keyReader()(text)).toEqual(keys);
  });

  test('puts a sequence together that came in two reads', () => {
    const read = keyReader();
    expect(read(`a${esc}[`)).toEqual(['a']);
    expect(read('Ab')).toEqual(['up', 'b']);
    expect(keyReader()(`${esc}[${'1;'.repeat(50)}`).length).toBeGreaterThan(0);
  });

  test('whatever comes, it returns at most 64 keys per read and no key holds a control character', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 5 }), (chunks) => {
        const read = keyReader();
        for (const chunk of chunks) {
          const keys = read(chunk);
          expect(keys.length).toBeLessThanOrEqual(64);
          // oxlint-disable-next-line no-control-regex -- exactly those
          for (const key of keys) expect(key).not.toMatch(/[\u0000-\u001f]/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('reads a sequence the same, cut or not', () => {
    const names = fc.constantFrom('[A', '[B', 'OC', '[5~', '[Z');
    fc.assert(
      fc.property(names, fc.nat(3), (name, cut) => {
        const text = `${esc}${name}x`;
        // A lone escape at the end of a read is the escape key, so cuts come after the second character.
        const at = Math.min(text.length, 2 + cut);
        const read = keyReader();
        expect([...read(text.slice(0, at)), ...read(text.slice(at))]).toEqual(keyReader()(text));
      }),
    );
  });
});
