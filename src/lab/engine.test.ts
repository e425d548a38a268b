import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksumAdd, checksumFold, pseudoHeader6, setWord, word } from '../wire/ip.ts';
import { readCounters } from './counters.ts';
import { drain, echo, engineOf, expectSound4, packet4, packet6, send, sourceOf } from './engine.case.ts';
import type { TopologyInput } from './topology.ts';

const A = 0;
const B = 1;
/** Two hosts with two routers between them; the second link is narrow. */
const path: TopologyInput = {
  hosts: [{ name: 'a' }, { name: 'b' }],
  routers: [{ name: 'r' }, { name: 's' }],
  links: [
    { a: 'a', b: 'r', delayMs: 1 },
    { a: 'r', b: 's', delayMs: 2, mtu: 1280 },
    { a: 's', b: 'b', delayMs: 3 },
  ],
};

const echo4 = (to: string, size = 100) => echo('10.1.0.1', to, { size });

describe('a packet across two routers', () => {
  test('arrives after the sum of the delays with its TTL two lower and otherwise unchanged', () => {
    const engine = engineOf(path);
    const sent = packet4('10.1.0.1', '10.1.0.2');
    send(engine, A, sent, 100);
    const [arrived, ...others] = drain(engine);
    expect(others).toEqual([]);
    expect(arrived).toMatchObject({ host: B, dueMs: 106 });
    expectSound4(arrived!.bytes);
    expect(arrived!.bytes[8]).toBe(62);
    expect(arrived!.bytes.subarray(12)).toEqual(sent.subarray(12));
  });

  test('arrives over IPv6 with its hop limit two lower', () => {
    const engine = engineOf(path);
    const sent = packet6('fd00:1::1', 'fd00:1::2');
    send(engine, A, sent);
    const [arrived] = drain(engine);
    sent[7] = 62;
    expect(arrived).toEqual({ host: B, dueMs: 6, bytes: sent });
  });

  test('keeps its order with others that are due at the same time', () => {
    const engine = engineOf({ hosts: path.hosts, links: [{ a: 'a', b: 'b' }] });
    for (let size = 50; size < 90; size += 1) send(engine, A, packet4('10.1.0.1', '10.1.0.2', { size }));
    expect(drain(engine).map(({ bytes }) => bytes.length)).toEqual(
      Array.from({ length: 40 }, (_, index) => 50 + index),
    );
  });
});

describe('a router', () => {
  test.each([
    [1, '10.2.0.1', 2],
    [2, '10.2.0.2', 6],
  ])('that receives TTL %i before its end says so from its own address, quoting the packet', (ttl, router, rttMs) => {
    const engine = engineOf(path);
    const sent = packet4('10.1.0.1', '10.1.0.2', { ttl });
    send(engine, A, sent);
    const [answer] = drain(engine);
    expect(answer).toMatchObject({ host: A, dueMs: rttMs });
    expectSound4(answer!.bytes);
    expect(sourceOf(answer!.bytes)).toBe(router);
    expect([...answer!.bytes.subarray(20, 22)]).toEqual([11, 0]);
    expect(checksumFold(checksumAdd(answer!.bytes, 20, answer!.bytes.length - 20))).toBe(0);
    expect(answer!.bytes.subarray(28 + 12)).toEqual(sent.subarray(12));
  });

  test('says hop limit exceeded over IPv6 with a right checksum', () => {
    const engine = engineOf(path);
    send(engine, A, packet6('fd00:1::1', 'fd00:1::2', { ttl: 1 }));
    const { bytes } = drain(engine)[0]!;
    expect(sourceOf(bytes)).toBe('fd00:2::1');
    expect([...bytes.subarray(40, 42)]).toEqual([3, 0]);
    const size = bytes.length - 40;
    expect(checksumFold(checksumAdd(bytes, 40, size, pseudoHeader6(bytes, 0, size, 58)))).toBe(0);
  });

  test('refuses a packet that is too big, naming the MTU, when it may not be cut', () => {
    const engine = engineOf(path);
    send(engine, A, packet4('10.1.0.1', '10.1.0.2', { size: 1281 }));
    send(engine, A, packet6('fd00:1::1', 'fd00:1::2', { size: 1281 }));
    const [v4, v6] = drain(engine);
    expect([...v4!.bytes.subarray(20, 22), word(v4!.bytes, 26)]).toEqual([3, 4, 1280]);
    expect([...v6!.bytes.subarray(40, 42), word(v6!.bytes, 46)]).toEqual([2, 0, 1280]);
    expect(v6!.bytes.length).toBe(1280);
  });

  test('cuts an IPv4 packet that may be cut into parts that make it whole again', () => {
    const engine = engineOf(path);
    const sent = packet4('10.1.0.1', '10.1.0.2', { size: 1500, dontFragment: false });
    send(engine, A, sent);
    const parts = drain(engine).map(({ bytes }) => bytes);
    expect(parts.length).toBe(2);
    const whole = new Uint8Array(1480);
    for (const part of parts) {
      expectSound4(part);
      expect(part.length).toBeLessThanOrEqual(1280);
      whole.set(part.subarray(20), (word(part, 6) & 0x1fff) * 8);
    }
    expect(whole).toEqual(sent.subarray(20));
    expect(parts.map((part) => (word(part, 6) & 0x2000) !== 0)).toEqual([true, false]);
  });

  test('answers echo to its own address, refuses UDP, and says when there is no way', () => {
    const engine = engineOf(path);
    send(engine, A, echo4('10.2.0.2'));
    send(engine, A, packet4('10.1.0.1', '10.2.0.1'));
    send(engine, A, packet4('10.1.0.1', '203.0.113.1'));
    const answers = drain(engine).map(({ bytes }) => [sourceOf(bytes), bytes[20], bytes[21]]);
    expect(answers).toEqual([
      ['10.2.0.1', 3, 3],
      ['10.2.0.1', 3, 0],
      ['10.2.0.2', 0, 0],
    ]);
  });

  test('never answers an ICMP error or a later fragment', () => {
    const engine = engineOf(path);
    const error = packet4('10.1.0.1', '10.1.0.2', { ttl: 1, protocolNumber: 1 });
    error[20] = 11;
    const fragment = packet4('10.1.0.1', '10.1.0.2', { ttl: 1 });
    setWord(fragment, 6, 5);
    send(engine, A, error);
    send(engine, A, fragment);
    expect(drain(engine)).toEqual([]);
  });

  test('is silent with icmp: false, but forwards', () => {
    const engine = engineOf({ ...path, routers: [{ name: 'r', icmp: false }, { name: 's' }] });
    send(engine, A, packet4('10.1.0.1', '10.1.0.2', { ttl: 1 }));
    send(engine, A, echo4('10.2.0.1'));
    send(engine, A, packet4('10.1.0.1', '10.1.0.2'));
    expect(drain(engine).map(({ host }) => host)).toEqual([B]);
  });

  test('answers as often as its rate limit allows', () => {
    const engine = engineOf({ ...path, routers: [{ name: 'r', icmp: { perSecond: 10, burst: 3 } }, { name: 's' }] });
    for (let at = 0; at < 1000; at += 10) send(engine, A, packet4('10.1.0.1', '10.1.0.2', { ttl: 1 }), at);
    const answers = drain(engine).length;
    expect(answers).toBeGreaterThanOrEqual(3 + 9);
    expect(answers).toBeLessThanOrEqual(3 + 10);
  });
});

test('no bytes from a host break the engine, lose a slot, or come out altered in length', () => {
  const header = fc.constantFrom(
    packet4('10.1.0.1', '10.1.0.2'),
    packet4('10.1.0.1', '10.2.0.1'),
    packet6('fd00:1::1', 'fd00:1::2'),
  );
  const damaged = fc.tuple(
    header,
    fc.array(fc.tuple(fc.nat(99), fc.nat(255)), { maxLength: 8 }),
    fc.integer({ min: 0, max: 100 }),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), { maxLength: 20 }), (list) => {
      const engine = engineOf(path);
      for (const one of list) {
        if (one instanceof Uint8Array) {
          send(engine, A, one);
          continue;
        }
        const [whole, changes, length] = one;
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        send(engine, A, bytes.subarray(0, length));
      }
      for (const { bytes } of drain(engine)) expect(bytes.length).toBeLessThanOrEqual(1500);
    }),
    { numRuns: 60 },
  );
});

test('the counters add up: what was read was delivered, lost, dropped or refused', () => {
  const engine = engineOf({
    ...path,
    links: [
      { a: 'a', b: 'r', loss: 0.2 },
      { a: 'r', b: 's', rateMbit: 8, queuePackets: 20 },
      { a: 's', b: 'b' },
    ],
  });
  for (let index = 0; index < 500; index += 1) send(engine, A, packet4('10.1.0.1', '10.1.0.2'), index * 0.01);
  const delivered = drain(engine).length;
  const { totals, links, hosts } = readCounters(engine.counters, engine.plan);
  const lost = links.reduce((sum, link) => sum + link.lost, 0);
  const dropped = links.reduce((sum, link) => sum + link.queueDropped, 0);
  expect(totals.read).toBe(500);
  expect(hosts[0]!.read).toBe(500);
  expect(lost).toBeGreaterThan(50);
  expect(dropped).toBeGreaterThan(50);
  expect(delivered + lost + dropped).toBe(500);
  expect(links.find((link) => link.from === 'a')).toMatchObject({ to: 'r', packets: 500, bytes: 50_000 });
});
