import { expect, test } from 'vitest';
import { soleNextHop } from './route.ts';

test.skipIf(process.platform !== 'linux')('the way to loopback has no gateway and no single other end', () => {
  expect(soleNextHop('127.0.0.1')).toEqual({ gateway: null, pointToPoint: false });
});

test('what is no address has no next hop', () => {
  expect(soleNextHop('nowhere')).toBeNull();
});
