import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePacket } from './decode.ts';
import * as make from './frames.case.ts';
import { encapsulation, newPacket, type Packet, tcpFlag } from './packet.ts';

const text = Buffer.from('a token');
const segment = make.tcp({ sequence: 4_000_000_000, acknowledgement: 3_000_000_000, flags: 0x118 }, text);
const four = make.ip4({ protocol: 6 }, segment);
const six = make.ip6({ next: 6 }, segment);
const inner = (octets: Buffer) => make.ethernetFrame(0x0800, octets);
const inUdp = (port: number, payload: Buffer) =>
  make.ethernetFrame(0x0800, make.ip4({ protocol: 17, from: '192.0.2.1' }, make.udp(50_000, port, payload)));
const inIp = (protocol: number, payload: Buffer) =>
  make.ethernetFrame(0x0800, make.ip4({ protocol, from: '192.0.2.1' }, payload));
const afWord = (value: number, little: boolean) => {
  const word = Buffer.alloc(4);
  if (little) word.writeUInt32LE(value);
  else word.writeUInt32BE(value);
  return word;
};

function decode(octets: Buffer, linkType = 1, shape = {}): Packet | null {
  const packet = newPacket();
  return decodePacket(make.frameOf(octets, linkType, shape), packet) ? packet : null;
}

const octetsAt = (packet: Packet, at: number, length: number) => packet.bytes.subarray(at, at + length).toString('hex');

/** The segment above was found, wherever it lay. */
function expectSegment(packet: Packet | null, version = 4): void {
  expect(packet).toMatchObject({
    version,
    protocol: 6,
    sourcePort: 40_000,
    destinationPort: 443,
    sequence: 4_000_000_000,
    acknowledgement: 3_000_000_000,
    flags: tcpFlag.ns | tcpFlag.ack | tcpFlag.psh,
    window: 500,
    payloadBytes: text.length,
    framedBytes: text.length,
    capturedBytes: text.length,
    fragment: 0,
    inError: false,
  });
  expect(octetsAt(packet!, packet!.payloadAt, text.length)).toBe(text.toString('hex'));
  const source = octetsAt(packet!, packet!.sourceAt, version === 4 ? 4 : 16);
  expect(source).toBe(version === 4 ? '0a000001' : 'fd000000000000000000000000000001');
}

describe('links', () => {
  test.each<[string, number, Buffer, number]>([
    ['Ethernet', 1, make.ethernetFrame(0x0800, four), 4],
    ['Ethernet with IPv6', 1, make.ethernetFrame(0x86dd, six), 6],
    ['LLC and SNAP', 1, make.snapFrame(0x0800, four), 4],
    ['raw', 101, four, 4],
    ['raw of OpenBSD', 14, four, 4],
    ['raw of others', 12, six, 6],
    ['IPv4', 228, four, 4],
    ['IPv6', 229, six, 6],
    ['BSD loopback, little endian', 0, Buffer.concat([afWord(2, true), four]), 4],
    ['BSD loopback, big endian', 0, Buffer.concat([afWord(2, false), four]), 4],
    ['BSD loopback, IPv6 of Darwin', 0, Buffer.concat([afWord(30, true), six]), 6],
    ['BSD loopback, IPv6 of FreeBSD', 0, Buffer.concat([afWord(28, false), six]), 6],
    ['OpenBSD loopback, IPv6', 108, Buffer.concat([afWord(24, false), six]), 6],
    ['Linux cooked', 113, make.sll(0x0800, four), 4],
    ['Linux cooked with a tag', 113, make.sll(0x8100, make.tag(9, 0x0800, four)), 4],
    ['Linux cooked, second version', 276, make.sll2(0x86dd, six), 6],
    ['Linux cooked, second version, with a tag', 276, make.sll2(0x8100, make.tag(9, 0x0800, four)), 4],
    ['PPP', 9, Buffer.concat([Buffer.from([0xff, 3]), make.pppFrame(0x21, four)]), 4],
    ['PPP with its protocol in one octet', 9, Buffer.concat([Buffer.from([0x57]), six]), 6],
    ['Cisco HDLC', 104, Buffer.concat([Buffer.from([0x0f, 0, 8, 0]), four]), 4],
    ['MPLS', 219, make.labels([16], four), 4],
  ])('%s', (_, type, octets, version) => {
    expectSegment(decode(octets, type), version);
  });

  test.each<[string, number, Buffer]>([
    ['ARP', 1, make.ethernetFrame(0x0806, Buffer.alloc(28))],
    [
      'radio in a cooked capture',
      113,
      Buffer.concat([Buffer.from([0, 0, 0x03, 0x23]), make.sll(0x0800, four).subarray(4)]),
    ],
    ['802.11', 105, make.ethernetFrame(0x0800, four)],
    ['nothing', 1, Buffer.alloc(0)],
    ['an address family that is none', 0, Buffer.concat([afWord(7, true), four])],
    ['IP of version 5', 101, Buffer.from(four).fill(0x55, 0, 1)],
    ['a header length below 20', 101, Buffer.from(four).fill(0x44, 0, 1)],
  ])('%s is no IP', (_, type, octets) => {
    expect(decode(octets, type)).toBeNull();
  });
});

describe('what stands around', () => {
  test.each<[string, keyof typeof encapsulation, Buffer, number]>([
    ['a tag', 'vlan', make.ethernetFrame(0x8100, make.tag(5, 0x0800, four)), 4],
    [
      'three tags',
      'vlan',
      make.ethernetFrame(0x88a8, make.tag(5, 0x9100, make.tag(6, 0x8100, make.tag(7, 0x86dd, six)))),
      6,
    ],
    ['PPPoE', 'pppoe', make.ethernetFrame(0x8864, make.pppoe(3, make.pppFrame(0x21, four))), 4],
    ['labels', 'mpls', make.ethernetFrame(0x8847, make.labels([100, 200, 300], six)), 6],
    [
      'a pseudowire with a control word',
      'mpls',
      make.ethernetFrame(0x8847, make.labels([100], Buffer.concat([Buffer.alloc(4), inner(four)]))),
      4,
    ],
    ['a pseudowire without one', 'mpls', make.ethernetFrame(0x8848, make.labels([100], inner(four))), 4],
    ['GRE', 'gre', inIp(47, make.gre(0x0800, four)), 4],
    ['GRE with all its fields', 'gre', inIp(47, make.gre(0x86dd, six, { checksum: true, key: 9, sequence: 1 })), 6],
    ['frames in GRE', 'gre', inIp(47, make.gre(0x6558, inner(four), { key: 9 })), 4],
    ['ERSPAN I', 'erspan', inIp(47, make.gre(0x88be, inner(four))), 4],
    ['ERSPAN II', 'erspan', inIp(47, make.gre(0x88be, make.erspan2(7, 1, inner(four)), { sequence: 1 })), 4],
    ['ERSPAN III', 'erspan', inIp(47, make.gre(0x22eb, make.erspan3(7, 1, inner(four), false), { sequence: 1 })), 4],
    [
      'ERSPAN III with a subheader',
      'erspan',
      inIp(47, make.gre(0x22eb, make.erspan3(7, 1, inner(four), true), { sequence: 1 })),
      4,
    ],
    ['VXLAN', 'vxlan', inUdp(4789, make.vxlan(77, inner(four))), 4],
    ['VXLAN at the port of old', 'vxlan', inUdp(8472, make.vxlan(77, inner(four))), 4],
    ['GENEVE', 'geneve', inUdp(6081, make.geneve(77, 0x6558, inner(four), 3)), 4],
    ['GENEVE without Ethernet', 'geneve', inUdp(6081, make.geneve(77, 0x86dd, six)), 6],
    ['GTP', 'gtp', inUdp(2152, make.gtp(4, four)), 4],
    ['GTP with an extension', 'gtp', inUdp(2152, make.gtp(4, six, true)), 6],
    ['IPv4 in IPv4', 'ipip', inIp(4, four), 4],
    ['6in4', 'ipip', inIp(41, six), 6],
    ['IPv4 in IPv6', 'ipip', make.ethernetFrame(0x86dd, make.ip6({ next: 4 }, four)), 4],
    ['Teredo', 'teredo', inUdp(3544, six), 6],
    ['Teredo with an origin', 'teredo', inUdp(3544, make.teredoOrigin(six)), 6],
    ['L2TP', 'l2tp', inUdp(1701, make.l2tp(make.pppFrame(0x21, four))), 4],
    ['EtherIP', 'ethernet', inIp(97, Buffer.concat([Buffer.from([0x30, 0]), inner(four)])), 4],
    ['MPLS in UDP', 'mpls', inUdp(6635, make.labels([3], four)), 4],
    [
      'an authentication header',
      'authentication',
      make.ethernetFrame(0x86dd, make.ip6({ next: 51 }, Buffer.concat([make.authenticationHeader(6), segment]))),
      6,
    ],
  ])('%s', (_, kind, octets, version) => {
    const packet = decode(octets);
    expectSegment(packet, version);
    expect(packet!.outerEncapsulations & encapsulation[kind]).not.toBe(0);
  });

  test('all of them in one another', () => {
    const octets = inUdp(
      4789,
      make.vxlan(
        1,
        make.ethernetFrame(
          0x8100,
          make.tag(2, 0x8847, make.labels([3], make.ip6({ next: 47 }, make.gre(0x0800, four)))),
        ),
      ),
    );
    const packet = decode(octets);
    expectSegment(packet);
    const { vlan, vxlan, mpls, gre, ipip } = encapsulation;
    expect(packet!.outerEncapsulations).toBe(vlan | vxlan | mpls | gre | ipip | (encapsulation.ethernet * 0));
  });

  test('the same addresses in two networks are two flows; in one, both directions are one', () => {
    const networks = [
      make.ethernetFrame(0x0800, four),
      make.ethernetFrame(0x8100, make.tag(1, 0x0800, four)),
      make.ethernetFrame(0x8100, make.tag(2, 0x0800, four)),
      make.ethernetFrame(0x88a8, make.tag(1, 0x8100, make.tag(2, 0x0800, four))),
      make.ethernetFrame(0x88a8, make.tag(2, 0x8100, make.tag(1, 0x0800, four))),
      inUdp(4789, make.vxlan(1, inner(four))),
      inUdp(4789, make.vxlan(2, inner(four))),
      inUdp(6081, make.geneve(1, 0x6558, inner(four))),
      inIp(47, make.gre(0x0800, four, { key: 1 })),
    ];
    const tunnels = networks.map((octets) => decode(octets)!.tunnel);
    expect(new Set(tunnels).size).toBe(networks.length);
    expect(tunnels[0]).toBe(0);
    // Labels and tunnel ids of GTP differ by direction.
    expect(decode(inUdp(2152, make.gtp(1, four)))!.tunnel).toBe(decode(inUdp(2152, make.gtp(2, four)))!.tunnel);
    expect(decode(make.ethernetFrame(0x8847, make.labels([9], four)))!.tunnel).toBe(0);
    expect(decode(networks[4]!)!.vlan).toBe(1);
    expect(decode(networks[0]!)!.vlan).toBe(-1);
  });

  test('what only looks like a tunnel stays the datagram that it is', () => {
    const strange: [number, Buffer][] = [
      [4789, Buffer.alloc(60)],
      [6081, Buffer.alloc(60, 0xff)],
      [2152, Buffer.from([0x30, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0])],
      [3544, Buffer.alloc(60, 0x61)],
      [1701, Buffer.from([0xc8, 2, 0, 8, 0, 0, 0, 0])],
    ];
    for (const [port, payload] of strange)
      expect(decode(inUdp(port, payload))).toMatchObject({
        protocol: 17,
        destinationPort: port,
        payloadBytes: payload.length,
        tunnel: 0,
      });
    const arp = make.vxlan(5, make.ethernetFrame(0x0806, Buffer.alloc(28)));
    expect(decode(inUdp(4789, arp))).toMatchObject({ protocol: 17, destinationPort: 4789, tunnel: 0 });
  });

  test('nesting without end has one', () => {
    let octets = four;
    for (let depth = 0; depth < 200; depth++) octets = make.ip4({ protocol: 4 }, octets);
    expect(decode(octets, 101)).toMatchObject({ version: 4, protocol: 4 });
    let tags = four;
    for (let depth = 0; depth < 200; depth++) tags = make.tag(depth, 0x8100, tags);
    expect(decode(make.ethernetFrame(0x8100, tags))).toBeNull();
  });
});

describe('IP', () => {
  test('padding of Ethernet is no payload, options are passed', () => {
    const bare = make.ip4({ protocol: 6, options: Buffer.alloc(8, 1) }, make.tcp({}, Buffer.alloc(0)));
    const packet = decode(make.ethernetFrame(0x0800, Buffer.concat([bare, Buffer.alloc(12, 9)])));
    expect(packet).toMatchObject({ payloadBytes: 0, framedBytes: 0, capturedBytes: 0, sourcePort: 40_000 });
  });

  test('the frame check sequence is none either, where only the frame has the length', () => {
    const octets = make.ip4({ protocol: 6, totalLength: 0 }, make.tcp({}, Buffer.alloc(104)));
    expect(decode(octets, 101, { fcsBytes: 4 })).toMatchObject({ payloadBytes: 100, capturedBytes: 100 });
  });

  test('a cut frame: lengths are those of the packet, and what is there is said', () => {
    const octets = make.ip4({ protocol: 6 }, make.tcp({}, Buffer.alloc(1000)));
    const cut = decode(octets.subarray(0, 96), 101, { original: octets.length });
    expect(cut).toMatchObject({ payloadBytes: 1000, framedBytes: 1000, capturedBytes: 56 });
  });

  test('a total length beyond the frame: both are said', () => {
    const octets = make.ip4({ protocol: 6, totalLength: 1040 }, make.tcp({}, Buffer.alloc(100)));
    expect(decode(octets, 101)).toMatchObject({ payloadBytes: 1000, framedBytes: 100, capturedBytes: 100 });
  });

  test('segments of offloads: total length 0, payload length 0, and jumbograms', () => {
    const large = make.tcp({}, Buffer.alloc(80_000));
    const wanted = { payloadBytes: 80_000, framedBytes: 80_000, capturedBytes: 80_000, protocol: 6 };
    expect(decode(make.ip4({ protocol: 6, totalLength: 0 }, large), 101)).toMatchObject(wanted);
    expect(decode(make.ip6({ next: 6, payloadLength: 0 }, large), 101)).toMatchObject(wanted);
    const jumbo = Buffer.concat([make.jumboOption(6, large.length + 8), large, Buffer.alloc(6)]);
    expect(decode(make.ip6({ next: 0, payloadLength: 0 }, jumbo), 101)).toMatchObject(wanted);
  });

  test('type of service, hop limit and identification', () => {
    const packet4 = decode(make.ip4({ protocol: 6, tos: 0xbb, ttl: 3, id: 0xbeef }, segment), 101);
    expect(packet4).toMatchObject({ dscp: 46, ecn: 3, hopLimit: 3, ipId: 0xbeef });
    const packet6 = decode(make.ip6({ next: 6, trafficClass: 0xba, hopLimit: 255 }, segment), 101);
    expect(packet6).toMatchObject({ dscp: 46, ecn: 2, hopLimit: 255, ipId: -1 });
  });

  test('extension headers are walked in any order', () => {
    const chain = Buffer.concat([
      make.extensionHeader(60, 2),
      make.extensionHeader(43),
      make.extensionHeader(44, 1),
      make.fragmentHeader(135, 0, false, 9),
      make.extensionHeader(6),
      segment,
    ]);
    expectSegment(decode(make.ip6({ next: 0 }, chain), 101), 6);
  });

  test('atomic fragments are whole; of others, only the first has ports', () => {
    const of = (offset: number, more: boolean) =>
      decode(make.ip6({ next: 44 }, Buffer.concat([make.fragmentHeader(6, offset, more, 0xdead_beef), segment])), 101);
    expect(of(0, false)).toMatchObject({ fragment: 0, sourcePort: 40_000, ipId: 0xdead_beef });
    expect(of(0, true)).toMatchObject({ fragment: 1, sourcePort: 40_000, moreFragments: true });
    expect(of(1480, true)).toMatchObject({ fragment: 2, sourcePort: 0, fragmentOffset: 1480, protocol: 6 });
    const four = (fragment: number) => decode(make.ip4({ protocol: 6, fragment }, segment), 101);
    expect(four(0x4000)).toMatchObject({ fragment: 0, sourcePort: 40_000 });
    expect(four(0x2000)).toMatchObject({ fragment: 1, sourcePort: 40_000 });
    expect(four(0x2001)).toMatchObject({ fragment: 2, sourcePort: 0, fragmentOffset: 8, moreFragments: true });
    expect(four(0x0001)).toMatchObject({ fragment: 2, payloadBytes: segment.length, moreFragments: false });
  });
});

describe('transport', () => {
  test('options of TCP, as they usually come and otherwise', () => {
    const options = Buffer.concat([
      make.mssOption(1460),
      make.sackPermittedOption,
      make.timestampsOption(4_294_967_295, 7, false),
      Buffer.from([1]),
      make.windowScaleOption(7),
    ]);
    expect(decode(make.ip4({ protocol: 6 }, make.tcp({ options, flags: tcpFlag.syn }, text)), 101)).toMatchObject({
      mss: 1460,
      sackPermitted: true,
      hasTimestamps: true,
      tsVal: 4_294_967_295,
      tsEcr: 7,
      windowScale: 7,
      sackBlocks: 0,
      payloadBytes: text.length,
    });
    const sack = Buffer.concat([make.timestampsOption(5, 6), Buffer.from([1, 1]), make.sackOption([1, 2, 4e9, 4.1e9])]);
    const acked = decode(make.ip4({ protocol: 6 }, make.tcp({ options: sack }, text)), 101)!;
    expect(acked).toMatchObject({ hasTimestamps: true, tsVal: 5, tsEcr: 6, sackBlocks: 2, mss: -1, windowScale: -1 });
    expect([...acked.sack.subarray(0, 4)]).toEqual([1, 2, 4e9, 4.1e9]);
  });

  test('an option that lies ends them, and one that is cut', () => {
    for (const options of ['0802', '0300', '02ff', '05', '050affffffff']) {
      const shape = { options: Buffer.from(options, 'hex') };
      expect(decode(make.ip4({ protocol: 6 }, make.tcp(shape, text)), 101)).toMatchObject({
        payloadBytes: text.length,
        mss: -1,
        windowScale: -1,
        hasTimestamps: false,
      });
    }
  });

  test('a header of TCP that is cut, or too short, or longer than its packet, has no payload that could be known', () => {
    expect(decode(four.subarray(0, 30), 101, { original: four.length })).toMatchObject({
      payloadBytes: -1,
      sourcePort: 40_000,
    });
    const short = Buffer.from(segment);
    short[12] = 0x40;
    expect(decode(make.ip4({ protocol: 6 }, short), 101)).toMatchObject({ payloadBytes: -1 });
    short[12] = 0xf0;
    expect(decode(make.ip4({ protocol: 6 }, short), 101)).toMatchObject({ payloadBytes: -1 });
  });

  test('UDP by its own length, where that is shorter', () => {
    const of = (length: number) => decode(make.ip4({ protocol: 17 }, make.udp(53, 5353, text, length)), 101);
    expect(of(15)).toMatchObject({ payloadBytes: 7, sourcePort: 53, destinationPort: 5353 });
    expect(of(11)).toMatchObject({ payloadBytes: 3, capturedBytes: 3 });
    expect(of(99)).toMatchObject({ payloadBytes: 7 });
    expect(of(0)).toMatchObject({ payloadBytes: 7 });
  });

  test('what an error quotes is marked; what cannot be read leaves the error', () => {
    expect(decode(inIp(1, make.icmpError(3, four)))).toMatchObject({ inError: true, sourcePort: 40_000, protocol: 6 });
    expect(decode(make.ip6({ next: 58 }, make.icmpError(2, six)), 101)).toMatchObject({ inError: true, version: 6 });
    expect(decode(inIp(1, make.icmpError(8, four)))).toMatchObject({ inError: false, protocol: 1 });
    expect(decode(inIp(1, make.icmpError(3, Buffer.alloc(40))))).toMatchObject({ inError: false, protocol: 1 });
  });
});

describe('whatever comes', () => {
  const seeds: readonly [octets: Buffer, linkType: number][] = [
    [
      make.ethernetFrame(
        0x8100,
        make.tag(5, 0x86dd, make.ip6({ next: 0 }, Buffer.concat([make.extensionHeader(6, 1), segment]))),
      ),
      1,
    ],
    [make.snapFrame(0x8847, make.labels([1, 2], inner(four))), 1],
    [make.ethernetFrame(0x8864, make.pppoe(3, make.pppFrame(0x57, six))), 1],
    [inIp(47, make.gre(0x22eb, make.erspan3(7, 1, inner(four), true), { sequence: 1, key: 3 })), 1],
    [inUdp(4789, make.vxlan(77, inner(six))), 1],
    [inUdp(6081, make.geneve(77, 0x6558, inner(four), 3)), 1],
    [inUdp(2152, make.gtp(4, four, true)), 1],
    [inUdp(3544, make.teredoOrigin(six)), 1],
    [inUdp(1701, make.l2tp(make.pppFrame(0x21, four))), 1],
    [make.sll(0x8100, make.tag(2, 0x0800, make.ip4({ protocol: 1 }, make.icmpError(3, four)))), 113],
    [make.sll2(0x86dd, make.ip6({ next: 44 }, Buffer.concat([make.fragmentHeader(6, 0, true, 1), segment]))), 276],
    [make.ip4({ protocol: 6, totalLength: 0 }, make.tcp({ options: make.sackOption([1, 2, 3, 4]) }, text)), 101],
    [
      Buffer.concat([
        afWord(30, true),
        make.ip6({ next: 0, payloadLength: 0 }, Buffer.concat([make.jumboOption(6, 70_000), segment])),
      ]),
      0,
    ],
  ];

  /** Every number is in its range, and every offset within what was captured. */
  function check(packet: Packet, start: number, end: number): boolean {
    const { version, sourceAt, destinationAt, payloadAt, payloadBytes, framedBytes, capturedBytes, transportAt } =
      packet;
    const addressBytes = version === 4 ? 4 : 16;
    return (
      sourceAt >= start &&
      destinationAt + addressBytes <= end &&
      transportAt >= start &&
      capturedBytes >= 0 &&
      (capturedBytes === 0 || payloadAt + capturedBytes <= end) &&
      payloadBytes >= -1 &&
      framedBytes >= -1 &&
      framedBytes <= payloadBytes &&
      capturedBytes <= Math.max(framedBytes, 0) &&
      packet.sourcePort >= 0 &&
      packet.sourcePort <= 65_535 &&
      packet.flags <= 511 &&
      packet.sackBlocks <= 4 &&
      Number.isInteger(packet.sequence) &&
      Number.isInteger(packet.tsVal) &&
      Number.isInteger(packet.tunnel)
    );
  }

  test('100,000 changed and cut frames of every kind: no throw, no offset out of the frame', () => {
    const packet = newPacket();
    const frames = seeds.map(([octets, type]) => make.frameOf(octets, type));
    const originals = frames.map(({ bytes }) => Buffer.from(bytes));
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const bad: number[] = [];
    let decoded = 0;
    for (let round = 0; round < 100_000; round++) {
      const which = round % frames.length;
      const frame = frames[which]!;
      const length = seeds[which]![0].length;
      originals[which]!.copy(frame.bytes);
      for (let change = random(5); change >= 0; change--) frame.bytes[frame.start + random(length)] = random(256);
      frame.end = frame.start + (random(3) === 0 ? random(length + 1) : length);
      frame.originalLength = random(4) === 0 ? random(100_000) : length;
      frame.fcsBytes = random(8) === 0 ? random(100) : 0;
      if (!decodePacket(frame, packet)) continue;
      decoded++;
      if (!check(packet, frame.start, frame.end)) bad.push(round);
    }
    expect(bad).toEqual([]);
    expect(decoded).toBeGreaterThan(50_000);
  });

  test('a packet is the same after any other was in its place', () => {
    fc.assert(
      fc.property(fc.nat(seeds.length - 1), fc.nat(seeds.length - 1), (first, second) => {
        const reused = newPacket();
        decodePacket(make.frameOf(...seeds[first]!), reused);
        decodePacket(make.frameOf(...seeds[second]!), reused);
        const fresh = newPacket();
        decodePacket(make.frameOf(...seeds[second]!), fresh);
        expect({ ...reused, sack: null }).toEqual({ ...fresh, sack: null });
      }),
    );
  });
});
