import { expect, test } from 'vitest';
import { isoTime } from './iso-time.ts';

test('any number is a time that the schemas take', () => {
  expect(isoTime(1.8e12)).toBe('2027-01-15T08:00:00.000Z');
  expect(isoTime(1e300)).toBe('9999-12-31T23:59:59.999Z');
  expect(isoTime(-5)).toBe('1970-01-01T00:00:00.000Z');
  expect(isoTime(Number.NaN)).toBe('1970-01-01T00:00:00.000Z');
});
