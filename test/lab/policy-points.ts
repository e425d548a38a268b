import { type Family, formatAddress, formatCidr } from '../../src/model/cidr.ts';
import {
  type Box,
  hasPacket,
  icmpProtocol,
  type Packet,
  partsOfService,
  protocols,
  service,
} from '../../src/secure/policy/box.ts';
import { type Permit, permitsAt, type PolicyHook, type PolicyMeaning } from '../../src/secure/policy/policy.ts';
import { cidrsOf, everyAddress, rangesOf, type Ranges, sizeOf } from '../../src/secure/policy/ranges.ts';

const base = { 4: 10n << 24n, 6: 0x20010db8n << 96n };
const offset = { 4: 1n << 16n, 6: 1n << 80n };

/** Where the packets of each hook go: networks side by side, all of them other than that of the sources. */
const places: Readonly<Record<PolicyHook, bigint>> = { inbound: 1n, forward: 2n, outbound: 2n, published: 3n };

const startOf = (family: Family, place: bigint): bigint => base[family] + place * offset[family];

/** The network of a place as text; 0 is that of the sources. */
export function networkOf(family: Family, place: PolicyHook | 'sources'): string {
  const first = startOf(family, place === 'sources' ? 0n : places[place]);
  return formatCidr(cidrsOf([[first, first + offset[family] - 1n]], family)[0]!);
}

/** Destinations are moved to where the packets of each hook go, the same to each. */
export function apart(meaning: PolicyMeaning): PolicyMeaning {
  const moved = (ranges: Ranges, family: Family): Ranges =>
    sizeOf(ranges) === sizeOf(everyAddress[family])
      ? ranges
      : rangesOf(
          [1n, 2n, 3n].flatMap((place) =>
            ranges.map(([first, last]) => [first + place * offset[family], last + place * offset[family]] as const),
          ),
        );
  const of = (family: Family, boxes: readonly Box[]) => boxes.map((box) => ({ ...box, dst: moved(box.dst, family) }));
  return {
    ...meaning,
    lines: meaning.lines.map((line) => ({ ...line, boxes: { 4: of(4, line.boxes[4]), 6: of(6, line.boxes[6]) } })),
  };
}

export interface Point {
  hook: PolicyHook;
  packet: Packet;
  isPermitted: boolean;
}

/** Protocols that are sent beside TCP, UDP and ICMP: IGMP, GRE, ESP, OSPF, and one that is nobody's. */
const others: readonly number[] = [2, 47, 50, 89, 253];
const kinds = ['tcp', 'udp', 'icmp', 'other'] as const;
export type Kind = (typeof kinds)[number];

export interface Asked {
  hook: PolicyHook;
  family: Family;
  /** How many of each kind. */
  count: number;
  random: () => number;
  only?: readonly Kind[];
}

/**
 * Packets at corners of boxes, and many of them one step beyond on one side, or of a service that the box does not have; where a side is
 * everything, any value of its network.
 */
export function pointsOf(meaning: PolicyMeaning, { hook, family, count, random, only = kinds }: Asked): Point[] {
  const permits = permitsAt(meaning, hook, family);
  return only.flatMap((kind) => {
    const points: Point[] = [];
    const ofKind = permits.filter(({ box }) => servicesOf(box, kind, family).length > 0);
    while (points.length < count) {
      const packet = drawn(ofKind.length > 0 && random() < 0.7 ? ofKind : permits, kind, hook, family, random);
      if (packet && canBeAsked(packet, hook))
        points.push({ hook, packet, isPermitted: permits.some(({ box }) => hasPacket(box, packet)) });
    }
    return points;
  });
}

function drawn(
  permits: readonly Permit[],
  kind: Kind,
  hook: PolicyHook,
  family: Family,
  random: () => number,
): Packet | null {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const address = (ranges: Ranges, from: bigint): bigint => {
    const here = ranges.flat().filter((value) => value >= from && value < from + offset[family]);
    return here.length > 0 ? pick(here) : from + 1n + BigInt(below(2000));
  };
  const [from, to] = [startOf(family, 0n), startOf(family, places[hook])];
  const { box } = pick(permits);
  const corners = servicesOf(box, kind, family);
  const packet: Packet = {
    family,
    src: address(box.src, from),
    dst: address(box.dst, to),
    service: corners.length > 0 && random() < 0.8 ? pick(corners) : anyService(kind, family, hook, below),
  };
  const side = pick(['src', 'dst', 'service', 'none', 'none', 'none'] as const);
  if (side !== 'none') packet[side] += pick([-1n, 1n]);
  const within = (value: bigint, start: bigint) => value > start && value < start + offset[family];
  const isKind = packet.service >= 0n && kindOf(packet.service, family) === kind;
  return within(packet.src, from) && within(packet.dst, to) && isKind ? packet : null;
}

function kindOf(value: bigint, family: Family): Kind | null {
  const { protocol, low } = partsOfService(value);
  if (protocol === protocols.tcp) return 'tcp';
  if (protocol === protocols.udp) return 'udp';
  if (protocol === icmpProtocol(family)) return 'icmp';
  // What has neither ports nor messages is one service.
  return others.includes(protocol) && low === 0 ? 'other' : null;
}

const protocolsOf = (kind: Kind, family: Family): readonly number[] =>
  kind === 'other' ? others : [{ tcp: protocols.tcp, udp: protocols.udp, icmp: icmpProtocol(family) }[kind]];

/** Corners of the services of a kind that a box has. */
function servicesOf({ service: ranges }: Box, kind: Kind, family: Family): bigint[] {
  return protocolsOf(kind, family).flatMap((protocol) =>
    ranges.flatMap(([first, last]) => {
      const [low, high] = [service(protocol, 0), service(protocol, 65_535)];
      if (last < low || first > high) return [];
      const ends = [first > low ? first : low, last < high ? last : high];
      return kind === 'other' ? [low] : ends;
    }),
  );
}

function anyService(kind: Kind, family: Family, hook: PolicyHook, below: (n: number) => number): bigint {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const protocol = pick(protocolsOf(kind, family));
  if (kind === 'other') return service(protocol, 0);
  if (kind !== 'icmp') return service(protocol, 7990 + below(60));
  return service(protocol, hook === 'published' ? pick(questions[family]) * 256 + below(256) : below(65_536));
}

/** ICMP that begins something, as conntrack sees it (RFC 792, RFC 950, RFC 4443, RFC 4620). */
const questions = { 4: [8, 13, 15, 17], 6: [128, 139] };

/** Only what conntrack can follow is translated. */
function canBeAsked({ family, service: value }: Packet, hook: PolicyHook): boolean {
  if (hook !== 'published' || kindOf(value, family) !== 'icmp') return true;
  return questions[family].includes(partsOfService(value).low >> 8);
}

/** Source, destination, protocol and port, type or code, as the helpers in the namespaces take them. */
export function partsOf({ family, src, dst, service: value }: Packet): {
  family: Family;
  src: string;
  dst: string;
  protocol: number;
  low: number;
} {
  return { family, src: formatAddress(family, src), dst: formatAddress(family, dst), ...partsOfService(value) };
}
