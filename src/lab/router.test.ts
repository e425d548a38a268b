import { describe, expect, test } from 'vitest';
import { addressText, checksumAdd, checksumFold, word } from '../wire/ip.ts';
import {
  destinationOf,
  drain,
  echo,
  engineOf,
  expectSound4,
  icmpOf,
  packet4,
  packet6,
  quotedOf,
  send,
  sourceOf,
  transportSum,
  udp,
  type Delivered,
} from './engine.case.ts';
import type { Engine } from './state.ts';
import type { TopologyInput } from './topology.ts';

const names = ['r1', 'r2', 'r3', 'r4', 'r5'] as const;
const ends = { 4: ['10.1.0.1', '10.1.0.2'], 6: ['fd00:1::1', 'fd00:1::2'] } as const;

/** a ─1─ r1 ─1─ … ─1─ rN ─1─ b; `settings` per router. */
function chain(count: number, settings: Record<string, object> = {}, more: Partial<TopologyInput> = {}): TopologyInput {
  const routers = names.slice(0, count);
  const nodes = ['a', ...routers, 'b'];
  return {
    hosts: [{ name: 'a' }, { name: 'b' }],
    routers: routers.map((name) => ({ name, ...settings[name] })),
    links: nodes.slice(1).map((b, index) => ({ a: nodes[index]!, b, delayMs: 1 })),
    ...more,
  };
}

function nameOf(engine: Engine, address: string): string {
  const { nodes, directions } = engine.plan;
  const owner = directions.find(({ entry }) => entry.v4 === address || entry.v6 === address)?.to;
  return nodes.find((node, index) => node.v4 === address || node.v6 === address || index === owner)!.name;
}

/** Sends one datagram per TTL and returns the answers in order; a datagram that arrives has no answer. */
function traceroute(topology: TopologyInput, family: 4 | 6, ttls: readonly number[]): (Delivered & { from: string })[] {
  const engine = engineOf(topology);
  return ttls.flatMap((ttl) => {
    send(engine, 0, udp(ends[family][0], ends[family][1], { ttl }));
    return drain(engine).map((one) => ({ ...one, from: nameOf(engine, sourceOf(one.bytes)) }));
  });
}

const ttlOf = (bytes: Uint8Array) => bytes[bytes[0]! >> 4 === 4 ? 8 : 7]!;

describe.each([4, 6] as const)('an address per interface, IPv%i', (family) => {
  test('errors come from the interface that the packet came in by, and the router answers to all of its addresses', () => {
    const topology = chain(2, {}, { interfaces: true });
    const engine = engineOf(topology);
    const entries = engine.plan.directions.map(({ to, entry }) => ({
      to,
      address: family === 4 ? entry.v4 : entry.v6,
    }));
    const [first, , second] = entries;
    expect(traceroute(topology, family, [1, 2]).map(({ bytes }) => sourceOf(bytes))).toEqual([
      first!.address,
      second!.address,
    ]);
    const ofRouters = entries.filter(({ to }) => to >= 2).map(({ address }) => address);
    expect(new Set(ofRouters).size).toBe(4);
    for (const address of [...ofRouters, ...engine.plan.nodes.slice(2).map((node) => node[`v${family}`])]) {
      send(engine, 0, echo(ends[family][0], address));
      const [reply] = drain(engine);
      expect(sourceOf(reply!.bytes)).toBe(address);
    }
  });

  test('a stated address counts', () => {
    const stated = { 4: '198.51.100.9', 6: '2001:db8::9' }[family];
    const topology = chain(2);
    const links = topology.links!.map((link, index) => (index === 1 ? { ...link, bAddresses: [stated] } : link));
    expect(sourceOf(traceroute({ ...topology, links }, family, [2])[0]!.bytes)).toBe(stated);
  });
});

describe.each([4, 6] as const)('MPLS, IPv%i', (family) => {
  const lsp = (ttl: 'uniform' | 'pipe', quoted = true) => ({
    r2: { mpls: { labels: [24_001], ttl, quoted } },
    r3: { mpls: { labels: [24_002, 17], ttl, quoted } },
  });
  /** The bytes behind a quote of 128, which the length field must announce. */
  const extension = (bytes: Uint8Array) => {
    const at = family === 4 ? 28 : 48;
    expect(bytes[at - 8 + (family === 4 ? 5 : 4)]).toBe(family === 4 ? 32 : 16);
    const structure = bytes.subarray(at + 128);
    expect(checksumFold(checksumAdd(structure, 0, structure.length))).toBe(0);
    return [...structure];
  };

  test('uniform: every hop shows, those inside with their stack and the TTL that the packet had when it was pushed', () => {
    const answers = traceroute(chain(5, lsp('uniform')), family, [1, 2, 3, 4, 5]);
    expect(answers.map(({ from }) => from)).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
    expect(answers.map(({ bytes }) => ttlOf(quotedOf(bytes)))).toEqual([1, 1, 2, 1, 1]);
    expect(answers.map(({ bytes }) => transportSum(bytes))).toEqual([0, 0, 0, 0, 0]);
    const header = (length: number) => [0x20, 0, expect.any(Number), expect.any(Number), 0, length, 1, 1];
    expect(extension(answers[1]!.bytes)).toEqual([...header(8), 0x05, 0xdc, 0x11, 1]);
    expect(extension(answers[2]!.bytes)).toEqual([...header(12), 0x05, 0xdc, 0x20, 1, 0, 1, 0x11, 2]);
    expect(quotedOf(answers[0]!.bytes).length).toBe(100);
  });

  test('pipe: the hops inside are hidden, and the packet arrives with a TTL lower by those outside', () => {
    const answers = traceroute(chain(5, lsp('pipe')), family, [1, 2, 3]);
    expect(answers.map(({ from }) => from)).toEqual(['r1', 'r4', 'r5']);
    const engine = engineOf(chain(5, lsp('pipe')));
    send(engine, 0, udp(ends[family][0], ends[family][1], { ttl: 64 }));
    expect(ttlOf(drain(engine)[0]!.bytes)).toBe(61);
  });

  test('uniform: what arrives has lost one of its TTL per hop, with sound checksums', () => {
    const engine = engineOf(chain(5, lsp('uniform')));
    send(engine, 0, udp(ends[family][0], ends[family][1], { ttl: 64 }));
    const { bytes } = drain(engine)[0]!;
    expect(ttlOf(bytes)).toBe(59);
    expect(transportSum(bytes)).toBe(0);
    if (family === 4) expectSound4(bytes);
  });

  test('a tunnel that is not quoted gives itself away by the quoted TTL only', () => {
    const answers = traceroute(chain(5, lsp('uniform', false)), family, [2, 3]);
    expect(answers.map(({ bytes }) => [ttlOf(quotedOf(bytes)), quotedOf(bytes).length])).toEqual([
      [1, 100],
      [2, 100],
    ]);
  });
});

describe.each([4, 6] as const)('interface information, IPv%i', (family) => {
  test('an error names index, address, name and MTU of the interface that the packet came in by', () => {
    const topology = chain(2, { r2: { interfaceInfo: true } }, { interfaces: true });
    const { bytes } = traceroute(topology, family, [2])[0]!;
    const structure = quotedOf(bytes).subarray(128);
    expect(checksumFold(checksumAdd(structure, 0, structure.length))).toBe(0);
    // Class 2, role incoming, all four parts.
    expect([...structure.subarray(4 + 2, 4 + 8)]).toEqual([2, 0x0f, 0, 0, 0, 1]);
    const size = family === 4 ? 4 : 16;
    expect([...structure.subarray(12, 16)]).toEqual([0, family === 4 ? 1 : 2, 0, 0]);
    expect(addressText(structure.subarray(16, 16 + size))).toBe(sourceOf(bytes));
    expect([...structure.subarray(16 + size)]).toEqual([8, 0x65, 0x74, 0x68, 0x30, 0, 0, 0, 0, 0, 0x05, 0xdc]);
    expect(word(structure, 4)).toBe(structure.length - 4);
  });

  test('only the parts asked for are said', () => {
    const topology = chain(1, { r1: { interfaceInfo: ['mtu'] } });
    const structure = quotedOf(traceroute(topology, family, [1])[0]!.bytes).subarray(128);
    expect([...structure.subarray(4)]).toEqual([0, 8, 2, 1, 0, 0, 0x05, 0xdc]);
  });
});

describe.each([4, 6] as const)('how a router treats its ICMP, IPv%i', (family) => {
  const [from, to] = ends[family];

  test('a slow control plane delays its answers and nothing that passes', () => {
    const engine = engineOf(chain(2, { r1: { icmp: { delayMs: 40, jitterMs: 5 } } }));
    send(engine, 0, udp(from, to, { ttl: 1 }));
    send(engine, 0, udp(from, to));
    const [passed, answer] = drain(engine);
    expect(passed).toMatchObject({ host: 1, dueMs: 3 });
    expect(answer!.dueMs).toBeGreaterThanOrEqual(42);
    expect(answer!.dueMs).toBeLessThan(47);
  });

  test('with tooBig: false it drops what is too big in silence, and still says time exceeded', () => {
    const topology = chain(2, { r1: { icmp: { tooBig: false } } });
    const links = topology.links!.map((link, index) => (index === 1 ? { ...link, mtu: 1400 } : link));
    const engine = engineOf({ ...topology, links });
    send(engine, 0, family === 4 ? packet4(from, to, { size: 1401 }) : packet6(from, to, { size: 1401 }));
    expect(drain(engine)).toEqual([]);
    send(engine, 0, udp(from, to, { ttl: 1 }));
    expect(drain(engine).length).toBe(1);
  });

  test('a limit per destination gives one host six at once and then one per interval, and does not hit another', () => {
    const topology = chain(1, { r1: { icmp: { perDestinationMs: 1000 } } });
    const engine = engineOf({
      ...topology,
      hosts: [...topology.hosts, { name: 'c' }],
      links: [...topology.links!, { a: 'c', b: 'r1' }],
    });
    const third = { 4: '10.1.0.3', 6: 'fd00:1::3' }[family];
    for (let atMs = 0; atMs < 10_000; atMs += 100) send(engine, 0, udp(from, to, { ttl: 1 }), atMs);
    send(engine, 2, udp(third, to, { ttl: 1 }), 10_000);
    const hosts = drain(engine).map(({ host }) => host);
    expect(hosts.filter((host) => host === 0).length).toBe(6 + 9);
    expect(hosts.filter((host) => host === 2).length).toBe(1);
  });
});

describe.each([4, 6] as const)('what a router changes, IPv%i', (family) => {
  const [from, to] = ends[family];

  test('ttl: keep makes it invisible', () => {
    expect(traceroute(chain(3, { r2: { ttl: 'keep' } }), family, [1, 2]).map((one) => one.from)).toEqual(['r1', 'r3']);
  });

  test('ttl: number lets every packet that gets so far arrive', () => {
    const engine = engineOf(chain(4, { r2: { ttl: 64 } }));
    const hosts = [1, 2, 3].map((ttl) => {
      send(engine, 0, udp(from, to, { ttl }));
      return drain(engine)[0]!;
    });
    expect(hosts.map(({ host }) => host)).toEqual([0, 0, 1]);
    expect(ttlOf(hosts[2]!.bytes)).toBe(62);
  });

  test('dscp is written, ECN kept, and the checksum mended', () => {
    const engine = engineOf(chain(2, { r1: { dscp: 10 } }));
    const packet = udp(from, to);
    // Expedited forwarding with ECT(0).
    const trafficClass = (46 << 2) | 2;
    if (family === 4) packet[1] = trafficClass;
    else packet.set([0x60 | (trafficClass >> 4), (trafficClass & 15) << 4], 0);
    send(engine, 0, packet);
    const { bytes } = drain(engine)[0]!;
    const seen = family === 4 ? bytes[1]! : ((bytes[0]! & 15) << 4) | (bytes[1]! >> 4);
    expect([seen >> 2, seen & 3]).toEqual(family === 4 ? [10, 2] : [10, 2]);
    if (family === 6) expect(bytes[0]! >> 4).toBe(6);
  });
});

test('costs by direction make the way back another', () => {
  const engine = engineOf({
    hosts: [{ name: 'a' }, { name: 'b' }],
    routers: [{ name: 'in' }, { name: 'there' }, { name: 'back' }, { name: 'out' }],
    links: [
      { a: 'a', b: 'in' },
      { a: 'in', b: 'there', delayMs: 1, ba: { cost: 100 } },
      { a: 'there', b: 'out', delayMs: 1, ba: { cost: 100 } },
      { a: 'in', b: 'back', delayMs: 20, ab: { cost: 100 } },
      { a: 'back', b: 'out', delayMs: 20, ab: { cost: 100 } },
      { a: 'out', b: 'b' },
    ],
  });
  send(engine, 0, udp('10.1.0.1', '10.1.0.2', { ttl: 3 }));
  const [answer] = drain(engine);
  // `out` answers: 2 ms there, 40 ms back.
  expect(answer).toMatchObject({ host: 0, dueMs: 42 });
  expect(icmpOf(answer!.bytes)).toEqual([11, 0]);
  expect(destinationOf(answer!.bytes)).toBe('10.1.0.1');
});

test('duplicated packets arrive twice, at the wanted rate', () => {
  const engine = engineOf({ hosts: [{ name: 'a' }, { name: 'b' }], links: [{ a: 'a', b: 'b', duplicate: 0.1 }] }, 6000);
  const count = 5000;
  for (let index = 0; index < count; index += 1) send(engine, 0, udp('10.1.0.1', '10.1.0.2'), index);
  const copies = drain(engine).length - count;
  expect(Math.abs(copies - count * 0.1)).toBeLessThan(4 * Math.sqrt(count * 0.09));
});
