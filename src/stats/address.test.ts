import { expect, it } from 'vitest';
import { familyOf, isIP, isLoopback, withoutPort } from './address.ts';

it.each([
  ['10.0.0.1', 4],
  ['256.0.0.1', null],
  ['[::1]', 6],
  ['fe80::1%eth0', 6],
  ['2001:db8::10.0.0.1', 6],
  ['example.com', null],
  ['1.2.3', null],
  ['a:b', null],
])('familyOf(%s) is %s', (host, family) => {
  expect(familyOf(host)).toBe(family);
  expect(isIP(host)).toBe(family !== null);
});

it.each([
  ['localhost', true],
  ['chat.localhost', true],
  ['127.3.2.1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['[::ffff:7f00:1]', true],
  ['10.0.0.1', false],
  ['127.example.com', false],
  ['localhost.example.com', false],
  ['::2', false],
])('isLoopback(%s) is %s', (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});

it.each([
  ['10.0.0.1:443', '10.0.0.1'],
  ['10.0.0.1', '10.0.0.1'],
  ['[::1]:443', '::1'],
  ['[::1]', '::1'],
  ['2001:db8::1', '2001:db8::1'],
])('withoutPort(%s) is %s', (address, bare) => {
  expect(withoutPort(address)).toBe(bare);
});
