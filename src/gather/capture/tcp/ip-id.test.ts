import { expect, test } from 'vitest';
import { IpIdCounter } from './ip-id.ts';

function counted(ids: readonly number[], segments = 1): IpIdCounter {
  const counter = new IpIdCounter();
  for (const id of ids) counter.seen(id, segments);
  return counter;
}

test('numbers that follow one another are a counter; what is missing was lost before the tap', () => {
  const counter = counted([5, 6, 7, 8, 10]);
  expect(counter.usable).toBe(true);
  expect(counter).toMatchObject({ missing: 1, gapBefore: 1 });
});

test('what comes late is no longer missing', () => {
  expect(counted([5, 6, 7, 9, 8, 10])).toMatchObject({ missing: 0, gapBefore: 0 });
});

test('wraps around', () => {
  expect(counted([0, 65_533, 65_534, 65_535, 0, 1, 2]).missing).toBe(0);
});

test('numbers that are drawn are no counter', () => {
  expect(counted([40_000, 17, 60_123, 9, 33_333, 12_000, 1]).usable).toBe(false);
});

test('numbers that count what goes elsewhere, too, are soon no longer believed', () => {
  const ids = Array.from({ length: 60 }, (_, i) => 10 + i * 3 - (i % 5));
  expect(counted(ids).usable).toBe(false);
});

test('a packet that the card cuts up takes as many numbers as it makes packets', () => {
  expect(counted([10, 14, 18, 22, 26], 4)).toMatchObject({ missing: 0, usable: true });
});

test('who answers a SYN with 0 and then counts is believed from the second packet on', () => {
  expect(counted([0, 23_262, 23_264])).toMatchObject({ usable: true, gapBefore: 1 });
  expect(counted([0, 23_262]).usable).toBe(false);
  expect(counted([0, 23_262, 51_000]).usable).toBe(false);
  expect(counted([23_262, 23_264]).usable).toBe(false);
});

test('a few small steps forward tell which of two was sent first, not yet what never came', () => {
  expect(counted([700, 702, 705])).toMatchObject({ ordered: true, usable: false });
  expect(counted([700, 9000, 9001]).ordered).toBe(false);
});
