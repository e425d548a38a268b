import { expect, test } from 'vitest';
import { AckLog } from './ack-log.ts';

test('tells when an octet was acknowledged, as long as that is among what is kept', () => {
  const log = new AckLog();
  expect(log.whenMs(10)).toBeNaN();
  log.add(Number.NEGATIVE_INFINITY, 0, 1);
  log.add(0, 1448, 50);
  log.add(1448, 4300, 51);
  expect([log.whenMs(1000), log.whenMs(1448), log.whenMs(1449), log.whenMs(4300)]).toEqual([50, 50, 51, 51]);
  expect(log.whenMs(4301)).toBeNaN();
  // Frames that steer are not kept, so they do not drive requests out.
  for (let i = 0; i < 1000; i++) log.add(4300 + 35 * i, 4335 + 35 * i, 100 + i);
  expect(log.whenMs(4300)).toBe(51);
  for (let i = 0; i < 40; i++) log.add(40_000 + 100 * i, 40_100 + 100 * i, 2000 + i);
  expect(log.whenMs(4300)).toBeNaN();
  expect(log.whenMs(44_000)).toBe(2039);
});
