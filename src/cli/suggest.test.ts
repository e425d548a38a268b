import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from './suggest.ts';

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['chat', 'chat', 0],
  ['caht', 'chat', 1],
  ['kitten', 'sitting', 3],
])('editDistance(%j, %j) is %i', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

test('editDistance() is symmetric and never above the longer text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test('nearest() finds a slip of the finger and nothing far away', () => {
  const classes = ['chat', 'voice', 'batch'];
  expect(nearest('voise', classes)).toBe('voice');
  expect(nearest('CHAT', classes)).toBe('chat');
  expect(nearest('finance', classes)).toBeUndefined();
  expect(nearest('x', ['y'])).toBeUndefined();
  expect(nearest('', classes)).toBeUndefined();
});
