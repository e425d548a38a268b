import { expect, test } from 'vitest';
import { soleFirstHop } from './first-hop.ts';

test.each([
  ['several next hops, or nothing known', null, false],
  ['the gateway answers itself', { gateway: '10.0.0.1', pointToPoint: false }, true],
  ['somebody else answers for the gateway', { gateway: '10.0.0.254', pointToPoint: false }, false],
  ['no gateway on a shared link', { gateway: null, pointToPoint: false }, false],
  ['a link with one other end', { gateway: null, pointToPoint: true }, true],
])('%s', (_name, nextHop, expected) => {
  expect(soleFirstHop(nextHop)('10.0.0.1')).toBe(expected);
});
