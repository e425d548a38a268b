import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setWord } from '../wire/ip.ts';
import { flowHash } from './balance.ts';
import { drain, echo, engineOf, packet4, send, sourceOf, udp } from './engine.case.ts';
import type { TopologyInput } from './topology.ts';

type Balance = 'none' | 'per-flow' | 'per-destination' | 'per-packet';

/** a ─ in ─ one of `width` routers ─ out ─ b, c. */
function fan(width: number, balance: Balance, more: object = {}): TopologyInput {
  const branches = Array.from({ length: width }, (_, index) => `w${index}`);
  return {
    hosts: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    routers: [{ name: 'in', balance, ...more }, { name: 'out' }, ...branches.map((name) => ({ name }))],
    links: [
      { a: 'a', b: 'in' },
      ...branches.flatMap((name) => [
        { a: 'in', b: name, delayMs: 1 },
        { a: name, b: 'out', delayMs: 1 },
      ]),
      { a: 'out', b: 'b' },
      { a: 'out', b: 'c' },
    ],
  };
}

/** Who answers TTL 2, per packet. */
function secondHops(topology: TopologyInput, packets: readonly Uint8Array[]): string[] {
  const engine = engineOf(topology);
  const name = new Map(engine.plan.nodes.flatMap((node) => [node.v4, node.v6].map((one) => [one, node.name])));
  return packets.map((packet) => {
    send(engine, 0, packet);
    const [answer] = drain(engine);
    return name.get(sourceOf(answer!.bytes))!;
  });
}

const ends = { 4: ['10.1.0.1', '10.1.0.2', '10.1.0.3'], 6: ['fd00:1::1', 'fd00:1::2', 'fd00:1::3'] } as const;
const flows = (family: 4 | 6, count: number) =>
  Array.from({ length: count }, (_, index) =>
    udp(ends[family][0], ends[family][1], { ttl: 2, sourcePort: 40_000 + index }),
  );

describe.each([4, 6] as const)('equal-cost next hops over IPv%i', (family) => {
  test('without balance the first listed takes everything', () => {
    expect(new Set(secondHops(fan(4, 'none'), flows(family, 50)))).toEqual(new Set(['w0']));
  });

  test('per flow: every branch has its share, and a flow never changes its branch', () => {
    const packets = flows(family, 800);
    const hops = secondHops(fan(4, 'per-flow'), packets);
    expect(secondHops(fan(4, 'per-flow'), packets)).toEqual(hops);
    for (const branch of ['w0', 'w1', 'w2', 'w3']) {
      const share = hops.filter((hop) => hop === branch).length;
      // Binomial: four standard deviations around a quarter of 800.
      expect(Math.abs(share - 200)).toBeLessThan(4 * Math.sqrt(800 * 0.25 * 0.75));
    }
  });

  test('per flow: sixteen branches are all found', () => {
    expect(new Set(secondHops(fan(16, 'per-flow'), flows(family, 300))).size).toBe(16);
  });

  test('per destination: ports do not matter, destinations do', () => {
    const engineSeeds = Array.from({ length: 20 }, (_, seed) => {
      const topology = { ...fan(2, 'per-destination'), seed };
      const toB = new Set(secondHops(topology, flows(family, 20)));
      expect(toB.size).toBe(1);
      const [toC] = secondHops(topology, [udp(ends[family][0], ends[family][2], { ttl: 2 })]);
      return toB.has(toC!);
    });
    expect(new Set(engineSeeds)).toEqual(new Set([true, false]));
  });

  test('per packet: one flow is spread over all branches', () => {
    const same = Array.from({ length: 200 }, () => flows(family, 1)[0]!);
    const hops = secondHops(fan(2, 'per-packet'), same);
    expect(Math.abs(hops.filter((hop) => hop === 'w0').length - 100)).toBeLessThan(4 * Math.sqrt(50));
  });

  test('an echo’s checksum tells flows apart, its identifier and sequence only through it', () => {
    const [from, to] = ends[family];
    const probe = (identifier: number, sequence: number) => echo(from, to, { ttl: 2, identifier, sequence });
    // The sum of both is the same, hence the checksum, hence the flow.
    const paris = Array.from({ length: 40 }, (_, index) => probe(1000 + index, 2000 - index));
    expect(new Set(secondHops(fan(4, 'per-flow'), paris)).size).toBe(1);
    const classic = Array.from({ length: 40 }, (_, index) => probe(1000, index));
    expect(new Set(secondHops(fan(4, 'per-flow'), classic)).size).toBe(4);
  });
});

test('with flowLabel, IPv6 is balanced by its label and not by its ports', () => {
  const topology = fan(4, 'per-flow', { flowLabel: true });
  expect(new Set(secondHops(topology, flows(6, 40))).size).toBe(1);
  const labelled = Array.from({ length: 60 }, (_, index) =>
    udp('fd00:1::1', 'fd00:1::2', { ttl: 2, flowLabel: 0x12345 + index }),
  );
  expect(new Set(secondHops(topology, labelled)).size).toBe(4);
});

test('fragments of one datagram, which have no ports but the first, take one way', () => {
  const parts = Array.from({ length: 30 }, (_, index) => {
    const part = packet4('10.1.0.1', '10.1.0.2', { dontFragment: false });
    setWord(part, 6, index === 0 ? 0x2000 : index);
    setWord(part, 20, index * 977);
    return part;
  });
  const hash = (bytes: Uint8Array) => flowHash(bytes, 0, bytes.length, { seed: 5, ports: true, flowLabel: false });
  expect(new Set(parts.map(hash)).size).toBe(1);
});

test('two balancers in a row decide independently: all four combinations occur', () => {
  const engine = engineOf({
    hosts: [{ name: 'a' }, { name: 'b' }],
    routers: [
      { name: 'in', balance: 'per-flow' },
      { name: 'x1' },
      { name: 'x2' },
      { name: 'mid', balance: 'per-flow' },
      { name: 'y1' },
      { name: 'y2' },
      { name: 'out' },
    ],
    links: [
      { a: 'a', b: 'in' },
      { a: 'in', b: 'x1' },
      { a: 'in', b: 'x2' },
      { a: 'x1', b: 'mid' },
      { a: 'x2', b: 'mid' },
      { a: 'mid', b: 'y1' },
      { a: 'mid', b: 'y2' },
      { a: 'y1', b: 'out' },
      { a: 'y2', b: 'out' },
      { a: 'out', b: 'b' },
    ],
  });
  const seen = new Set<string>();
  for (let flow = 0; flow < 200; flow += 1) {
    const hops = [2, 4].map((ttl) => {
      send(engine, 0, udp('10.1.0.1', '10.1.0.2', { ttl, sourcePort: 40_000 + flow }));
      return sourceOf(drain(engine)[0]!.bytes);
    });
    seen.add(hops.join());
  }
  expect(seen.size).toBe(4);
});

test('the hash stays within 32 bits, does not read past the packet, and turns over half its bits for one changed bit', () => {
  let flips = 0;
  let bits = 0;
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.nat(15), (sourcePort, destinationPort, bit) => {
      const input = { seed: 1, ports: true, flowLabel: false };
      const one = udp('10.1.0.1', '10.1.0.2', { sourcePort, destinationPort });
      const other = udp('10.1.0.1', '10.1.0.2', { sourcePort: sourcePort ^ (1 << bit), destinationPort });
      const [a, b] = [flowHash(one, 0, one.length, input), flowHash(other, 0, other.length, input)];
      expect(a).toBeGreaterThanOrEqual(0);
      expect(a).toBeLessThan(2 ** 32);
      // The last byte of ports lies at 23: a packet cut before it is hashed without ports.
      expect(flowHash(one, 0, 23, input)).toBe(flowHash(other, 0, 23, input));
      for (let place = 0; place < 32; place += 1) flips += ((a ^ b) >>> place) & 1;
      bits += 32;
    }),
    { numRuns: 1000, seed: 3 },
  );
  expect(Math.abs(flips / bits - 0.5)).toBeLessThan(0.02);
});
