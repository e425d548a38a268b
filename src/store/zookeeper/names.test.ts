import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostileText } from '../arbitrary.case.ts';
import { dataOf, textOfData } from './body.ts';
import { nodeName, textOf } from './names.ts';

test('every text has one name that ZooKeeper allows, and comes back from it', () => {
  fc.assert(
    fc.property(
      fc.oneof(hostileText, fc.string({ unit: 'binary' }), fc.constantFrom('', '.', '..', '%', '%002E', '\ud800')),
      (text) => {
        const name = nodeName(text);
        expect(name).toMatch(/^[A-Za-z0-9_.:%-]+$/);
        expect(['.', '..']).not.toContain(name);
        expect(textOf(name)).toBe(text);
      },
    ),
  );
  expect([nodeName('slo:chat-1.a'), nodeName('a/b'), nodeName('é')]).toEqual(['slo:chat-1.a', 'a%002Fb', '%00E9']);
});

test('names that are not ours have no text', () => {
  for (const name of ['+commits', 'a+b', '%0061', '%002Ea']) expect(textOf(name)).toBeUndefined();
});

test('bodies come back, short ones readable and long ones small; foreign data is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 2000 }), (text) => {
      expect(textOfData(dataOf(text))).toBe(text);
    }),
  );
  expect(dataOf('{"a":1}').toString()).toBe('j{"a":1}');
  expect(dataOf('a'.repeat(10_000)).length).toBeLessThan(100);
  for (const foreign of ['', 'x', '{"a":1}', 'zzz'])
    expect(() => textOfData(Buffer.from(foreign))).toThrow(/expected data|invalid|unexpected end/);
});
