import { expect, test } from 'vitest';
import { codelDrops, makeCodel } from './codel.ts';
import { drain, engineOf, send, udp } from './engine.case.ts';

test('a queue below the target, or above it for less than an interval, loses nothing', () => {
  const codel = makeCodel();
  for (let atMs = 0; atMs < 1000; atMs += 1) expect(codelDrops(codel, atMs, 4.9)).toBe(false);
  for (let atMs = 1000; atMs < 1100; atMs += 1) expect(codelDrops(codel, atMs, 50)).toBe(false);
  expect(codelDrops(codel, 1100, 4)).toBe(false);
  expect(codelDrops(codel, 1101, 50)).toBe(false);
});

test('drops of a standing queue come closer by the square root of their count', () => {
  const codel = makeCodel();
  const drops: number[] = [];
  for (let atMs = 0; atMs < 1000; atMs += 0.5) if (codelDrops(codel, atMs, 20)) drops.push(atMs);
  const expected = [100];
  for (let count = 1; count < drops.length; count += 1) expected.push(expected.at(-1)! + 100 / Math.sqrt(count));
  drops.forEach((atMs, index) => expect(Math.abs(atMs - expected[index]!)).toBeLessThan(0.5 * (index + 1)));
  expect(drops.length).toBeGreaterThan(15);
});

test('on a link it keeps the wait of an overload near its target, where drop-tail fills the queue', () => {
  const longest = (aqm: 'none' | 'codel') => {
    const engine = engineOf(
      {
        hosts: [{ name: 'a' }, { name: 'b' }],
        links: [{ a: 'a', b: 'b', rateMbit: 8, queueMs: 500, aqm }],
      },
      20_000,
    );
    // Ten packets of 1000 bytes in 10 ms fill the link; every tenth is one too many.
    for (let index = 0; index < 20_000; index += 1)
      send(engine, 0, udp('10.1.0.1', '10.1.0.2', { size: 1000, sourcePort: index }), index * 0.95);
    const waits = drain(engine).map(({ bytes, dueMs }) => dueMs - ((bytes[20]! << 8) | bytes[21]!) * 0.95);
    return Math.max(...waits.slice(-2000));
  };
  expect(longest('none')).toBeGreaterThan(450);
  expect(longest('codel')).toBeLessThan(60);
});
