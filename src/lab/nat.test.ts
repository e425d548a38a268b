import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes, setWord, word } from '../wire/ip.ts';
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
} from './engine.case.ts';
import type { TopologyInput } from './topology.ts';

const A = 0;
const SERVER = 2;
const ends = { 4: ['10.1.0.1', '10.1.0.2', '10.1.0.3'], 6: ['fd00:1::1', 'fd00:1::2', 'fd00:1::3'] } as const;
const outside = { 4: '203.0.113.7', 6: '2001:db8::7' } as const;

/** a, b ─ home (NAT) ─ isp ─ server. */
function behindNat(settings: object = {}): TopologyInput {
  return {
    hosts: [{ name: 'a' }, { name: 'b' }, { name: 'server' }],
    routers: [{ name: 'home', nat: { outside: 'isp', ipv6: true, ...settings } }, { name: 'isp' }],
    links: [
      { a: 'a', b: 'home' },
      { a: 'b', b: 'home' },
      { a: 'home', b: 'isp', aAddresses: [outside[4], outside[6]] },
      { a: 'isp', b: 'server' },
    ],
  };
}

const portsOf = (bytes: Uint8Array) => {
  const at = bytes[0]! >> 4 === 4 ? 20 : 40;
  return [word(bytes, at), word(bytes, at + 2)];
};

describe.each([4, 6] as const)('a translating router, IPv%i', (family) => {
  const [a, b, server] = ends[family];

  test('gives what leaves its outside address, and what returns the inside one, with sound checksums', () => {
    const engine = engineOf(behindNat());
    send(engine, A, udp(a, server, { sourcePort: 5000, destinationPort: 53 }));
    const [out] = drain(engine);
    expect([out!.host, sourceOf(out!.bytes), ...portsOf(out!.bytes)]).toEqual([SERVER, outside[family], 5000, 53]);
    expect(transportSum(out!.bytes)).toBe(0);
    send(engine, SERVER, udp(server, outside[family], { sourcePort: 53, destinationPort: 5000 }));
    const [back] = drain(engine);
    expect([back!.host, destinationOf(back!.bytes), ...portsOf(back!.bytes)]).toEqual([A, a, 53, 5000]);
    expect(transportSum(back!.bytes)).toBe(0);
    if (family === 4) for (const { bytes } of [out!, back!]) expectSound4(bytes);
  });

  test('tells two hosts with the same port apart', () => {
    const engine = engineOf(behindNat());
    for (const [host, from] of [
      [0, a],
      [1, b],
    ] as const)
      send(engine, host, udp(from, server, { sourcePort: 5000, destinationPort: 53 }));
    const ports = drain(engine).map(({ bytes }) => portsOf(bytes)[0]!);
    expect(ports).toEqual([5000, 20_000]);
    for (const port of ports) send(engine, SERVER, udp(server, outside[family], { destinationPort: port }));
    expect(drain(engine).map(({ host }) => host)).toEqual([0, 1]);
  });

  test('translates the identifier of an echo and back', () => {
    const engine = engineOf(behindNat({ preservePorts: false }));
    send(engine, A, echo(a, server, { identifier: 99 }));
    const [request] = drain(engine);
    const at = family === 4 ? 24 : 44;
    expect(word(request!.bytes, at)).toBe(20_000);
    expect(transportSum(request!.bytes)).toBe(0);
    const reply = echo(server, outside[family], { identifier: 20_000 });
    reply[at - 4] = family === 4 ? 0 : 129;
    setWord(reply, at - 2, 0);
    setWord(reply, at - 2, transportSum(reply));
    send(engine, SERVER, reply);
    const [back] = drain(engine);
    expect([back!.host, word(back!.bytes, at), transportSum(back!.bytes)]).toEqual([A, 99, 0]);
  });

  test('its own error quotes what was sent; one from behind it is translated, quote included', () => {
    const engine = engineOf(behindNat({ preservePorts: false }));
    const sent = (ttl: number) => udp(a, server, { ttl, sourcePort: 5000 });
    for (const ttl of [1, 2]) {
      send(engine, A, sent(ttl));
      const [answer] = drain(engine);
      expect(answer!.host).toBe(A);
      expect(transportSum(answer!.bytes)).toBe(0);
      const quoted = quotedOf(answer!.bytes);
      expect([sourceOf(quoted), ...portsOf(quoted)]).toEqual([a, 5000, 33_434]);
      // The quoted transport checksum, too, is the one that was sent.
      expect(quoted.subarray(family === 4 ? 20 : 40)).toEqual(sent(ttl).subarray(family === 4 ? 20 : 40));
    }
  });

  test.each(['headers', 'none'] as const)('quotes: %s leaves traces of the translation in the quote', (quotes) => {
    const engine = engineOf(behindNat({ preservePorts: false, quotes }));
    const sent = udp(a, server, { ttl: 2, sourcePort: 5000 });
    send(engine, A, sent);
    const { bytes } = drain(engine)[0]!;
    expect(transportSum(bytes)).toBe(0);
    const quoted = quotedOf(bytes);
    expect([sourceOf(quoted), portsOf(quoted)[0]]).toEqual(quotes === 'none' ? [outside[family], 20_000] : [a, 5000]);
    const check = family === 4 ? 26 : 46;
    expect(word(quoted, check)).not.toBe(word(sent, check));
  });

  test('an error of a host inside leaves with the outside address and quotes the packet as the outside knows it', () => {
    const engine = engineOf(behindNat({ preservePorts: false }));
    send(engine, A, udp(a, server, { sourcePort: 5000, destinationPort: 53 }));
    drain(engine);
    send(engine, SERVER, udp(server, outside[family], { sourcePort: 53, destinationPort: 20_000 }));
    const [arrived] = drain(engine);
    send(engine, A, refusal(arrived!.bytes));
    const [error] = drain(engine);
    expect([error!.host, sourceOf(error!.bytes), icmpOf(error!.bytes)[0]]).toEqual([
      SERVER,
      outside[family],
      family === 4 ? 3 : 1,
    ]);
    expect(transportSum(error!.bytes)).toBe(0);
    const quoted = quotedOf(error!.bytes);
    expect([destinationOf(quoted), portsOf(quoted)[1]]).toEqual([outside[family], 20_000]);
  });

  test('what nobody asked for is treated as sent to the router itself', () => {
    const engine = engineOf(behindNat());
    send(engine, SERVER, udp(server, outside[family]));
    send(engine, SERVER, echo(server, outside[family]));
    const answers = drain(engine);
    expect(answers.map(({ host, bytes }) => [host, sourceOf(bytes)])).toEqual([
      [SERVER, outside[family]],
      [SERVER, outside[family]],
    ]);
  });

  test('a protocol without ports cannot pass outward', () => {
    const engine = engineOf(behindNat());
    const esp = { protocolNumber: 50 };
    send(engine, A, family === 4 ? packet4(a, server, esp) : packet6(a, server, esp));
    expect(drain(engine)).toEqual([]);
  });
});

/** A port unreachable of the host that the packet came to. */
function refusal(packet: Uint8Array): Uint8Array {
  const version4 = packet[0]! >> 4 === 4;
  const [from, to] = [destinationOf(packet), sourceOf(packet)];
  const size = (version4 ? 28 : 48) + packet.length;
  const bytes = version4
    ? packet4(from, to, { size, protocolNumber: 1 })
    : packet6(from, to, { size, protocolNumber: 58 });
  const at = version4 ? 20 : 40;
  bytes.fill(0, at, at + 8);
  bytes.set(version4 ? [3, 3] : [1, 4], at);
  bytes.set(packet, at + 8);
  setWord(bytes, at + 2, transportSum(bytes));
  return bytes;
}

test('checksums stay right for any address, port and payload', () => {
  const engine = engineOf(behindNat({ preservePorts: false }));
  const input = fc.record({
    sourcePort: fc.nat(0xffff),
    destinationPort: fc.nat(0xffff),
    size: fc.integer({ min: 48, max: 200 }),
    filler: fc.integer({ min: 0, max: 0xffff }),
    six: fc.boolean(),
  });
  fc.assert(
    fc.property(input, ({ six, filler, ...options }) => {
      const [from, , to] = ends[six ? 6 : 4];
      const packet = udp(from, to, { ...options, size: options.size + (six ? 20 : 0) });
      const check = six ? 46 : 26;
      setWord(packet, check + 2, filler);
      setWord(packet, check, 0);
      setWord(packet, check, transportSum(packet) || 0xffff);
      send(engine, A, packet);
      const { bytes } = drain(engine)[0]!;
      expect(transportSum(bytes)).toBe(0);
      expect(word(bytes, check)).not.toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('a UDP datagram without checksum stays without', () => {
  const engine = engineOf(behindNat());
  const packet = udp(ends[4][0], ends[4][2]);
  setWord(packet, 26, 0);
  send(engine, A, packet);
  expect(word(drain(engine)[0]!.bytes, 26)).toBe(0);
});

test('without ipv6: true, IPv6 passes untranslated', () => {
  const engine = engineOf(behindNat({ ipv6: false }));
  send(engine, A, udp(ends[6][0], ends[6][2]));
  expect(sourceOf(drain(engine)[0]!.bytes)).toBe(ends[6][0]);
});

test('no bytes break the translation or lose a slot', () => {
  const seeds = [udp(ends[4][0], ends[4][2]), udp(ends[6][0], ends[6][2]), echo(ends[4][0], ends[4][2])];
  const errors = seeds.map((packet) => refusal(packet));
  const changes = fc.array(fc.tuple(fc.nat(140), fc.nat(255)), { maxLength: 10 });
  fc.assert(
    fc.property(fc.constantFrom(...seeds, ...errors), changes, fc.constantFrom(A, SERVER), (packet, changed, host) => {
      const engine = engineOf(behindNat());
      const bytes = Uint8Array.from(packet);
      for (const [at, value] of changed) bytes[at] = value;
      if (host === SERVER)
        bytes.set(addressBytes(bytes[0]! >> 4 === 4 ? outside[4] : outside[6]), bytes[0]! >> 4 === 4 ? 16 : 24);
      send(engine, host, bytes);
      drain(engine);
    }),
    { numRuns: 150 },
  );
});
