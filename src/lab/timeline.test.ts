import { describe, expect, test } from 'vitest';
import { readCounters } from './counters.ts';
import { drain, engineOf, send, sourceOf, udp } from './engine.case.ts';
import type { Engine } from './state.ts';
import type { TopologyInput } from './topology.ts';

/** a ─ in ─ (short 2 × 1 ms | long 2 × 10 ms) ─ out ─ b, with a timeline. */
function twoWays(timeline: TopologyInput['timeline']): TopologyInput {
  return {
    hosts: [{ name: 'a' }, { name: 'b' }],
    routers: [{ name: 'in' }, { name: 'short' }, { name: 'long' }, { name: 'out' }],
    links: [
      { a: 'a', b: 'in' },
      { a: 'in', b: 'short', delayMs: 1 },
      { a: 'short', b: 'out', delayMs: 1 },
      { a: 'in', b: 'long', delayMs: 10 },
      { a: 'long', b: 'out', delayMs: 10 },
      { a: 'out', b: 'b' },
    ],
    ...(timeline ? { timeline } : {}),
  };
}

/** Sends one packet at each time and says how long it took; null: it did not arrive. */
function delays(engine: Engine, timesMs: readonly number[]): (number | null)[] {
  return timesMs.map((atMs) => {
    send(engine, 0, udp('10.1.0.1', '10.1.0.2'), atMs);
    const [arrived] = drain(engine);
    return arrived ? arrived.dueMs - atMs : null;
  });
}

describe('a timeline', () => {
  test('begins with the first packet, whenever that is', () => {
    const engine = engineOf(twoWays([{ atMs: 100, link: ['in', 'short'], set: { delayMs: 5 } }]));
    expect(delays(engine, [7000, 7099, 7100, 7200])).toEqual([2, 2, 6, 6]);
  });

  test('takes a link down: packets die on it until routers have noticed, then go the other way', () => {
    const engine = engineOf(twoWays([{ atMs: 100, link: ['short', 'in'], set: { down: true }, convergeMs: 50 }]));
    expect(delays(engine, [0, 99, 100, 149, 150, 500])).toEqual([2, 2, null, null, 20, 20]);
    expect(readCounters(engine.counters, engine.plan).totals.linkDown).toBe(2);
  });

  test('brings it back, and repeats', () => {
    const engine = engineOf(
      twoWays([
        { atMs: 100, everyMs: 200, link: ['in', 'short'], set: { down: true } },
        { atMs: 200, everyMs: 200, link: ['in', 'short'], set: { down: false }, convergeMs: 10 },
      ]),
    );
    const times = Array.from({ length: 20 }, (_, index) => index * 50);
    // At 200, 400 … the link is back, but routers notice 10 ms later.
    const isDown = (atMs: number) => atMs >= 100 && (atMs % 200 >= 100 || atMs % 200 < 10);
    expect(delays(engine, times)).toEqual(times.map((atMs) => (isDown(atMs) ? 20 : 2)));
    // Two states of the network, two tables, one of them the plan's.
    expect(engine.timeline.known.size).toBe(2);
  });

  test('takes a router down with all its links, one way only when told so, and leaves nothing when no way is left', () => {
    const whole = engineOf(
      twoWays([
        { atMs: 100, router: 'short', set: { down: true } },
        { atMs: 200, router: 'long', set: { down: true } },
      ]),
    );
    expect(delays(whole, [0, 100, 150])).toEqual([2, 20, 20]);
    send(whole, 0, udp('10.1.0.1', '10.1.0.2'), 200);
    const [refused] = drain(whole);
    expect([refused!.host, sourceOf(refused!.bytes), refused!.bytes[20]]).toEqual([0, '10.2.0.1', 3]);
    const oneWay = engineOf(twoWays([{ atMs: 100, link: ['short', 'in'], oneWay: true, set: { down: true } }]));
    expect(delays(oneWay, [0, 100])).toEqual([2, 2]);
    send(oneWay, 1, udp('10.1.0.2', '10.1.0.1'), 200);
    expect(drain(oneWay)[0]!.dueMs).toBe(220);
  });

  test('changes cost, hence the way, and one condition without the others', () => {
    const engine = engineOf(
      twoWays([
        { atMs: 50, link: ['in', 'long'], set: { cost: 0.5 }, convergeMs: 25 },
        { atMs: 100, link: ['in', 'long'], set: { loss: 1 } },
        { atMs: 200, link: ['in', 'long'], set: { loss: 0, mtu: 1280 } },
      ]),
    );
    // 0.5 + 11 by the long way is still more than 2 + 2.
    expect(delays(engine, [0, 80, 150])).toEqual([2, 2, 2]);
    const cheap = engineOf(
      twoWays([
        { atMs: 50, router: 'long', set: { cost: 0.5 }, convergeMs: 25 },
        { atMs: 100, link: ['in', 'long'], set: { loss: 1 } },
        { atMs: 200, link: ['in', 'long'], set: { loss: 0, mtu: 1280 } },
      ]),
    );
    expect(delays(cheap, [0, 60, 80, 150, 250])).toEqual([2, 2, 20, null, 20]);
    send(cheap, 0, udp('10.1.0.1', '10.1.0.2', { size: 1300 }), 300);
    expect([...drain(cheap)[0]!.bytes.subarray(20, 22)]).toEqual([3, 4]);
  });

  test('applies to packets under way at the exact time, not when the thread gets round to it', () => {
    const engine = engineOf(twoWays([{ atMs: 100, link: ['short', 'out'], set: { delayMs: 50 } }]));
    // This one meets the second link at 99.5, that one at 100.5; both are handled in one go.
    for (const atMs of [0, 98.5, 99.5]) send(engine, 0, udp('10.1.0.1', '10.1.0.2'), atMs);
    expect(drain(engine).map(({ dueMs }) => dueMs)).toEqual([2, 100.5, 150.5]);
  });

  test('makes room for packets as large as it will ever allow', () => {
    const engine = engineOf(twoWays([{ atMs: 100, router: 'short', set: { mtu: 9000 } }]));
    expect(engine.slotBytes).toBeGreaterThanOrEqual(9000);
  });
});
