import { formatAddress, type Family } from '../../model/cidr.ts';
import { everyAddress, includes, intersect, type Ranges } from './ranges.ts';

/**
 * A box of packets: every source of `src` to every destination of `dst` with every service of `service`. The sides are sets, so
 * that one rule with its lists is one box and not a product of thousands. A union of boxes is what a policy or a firewall accepts.
 */
export interface Box {
  src: Ranges;
  dst: Ranges;
  /** Protocol and port in one number: `service(6, 443)` is TCP to port 443. */
  service: Ranges;
}

/** One packet that begins a connection. */
export interface Packet {
  family: Family;
  src: bigint;
  dst: bigint;
  service: bigint;
}

export const protocols: { readonly icmp: 1; readonly tcp: 6; readonly udp: 17; readonly icmpv6: 58 } = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  icmpv6: 58,
};

/**
 * The number of a service. The low 16 bits are the destination port of TCP and UDP, type × 256 + code of ICMP and ICMPv6; of any
 * other protocol nothing can be told apart, and a set has all of them or none.
 */
export function service(protocol: number, low: number): bigint {
  return (BigInt(protocol) << 16n) | BigInt(low);
}

/** Every service of a protocol, or those with ports from `first` to `last`. */
export function services(protocol: number, first = 0, last = 65_535): Ranges {
  return [[service(protocol, first), service(protocol, last)]];
}

/** Every message of one type of ICMP or ICMPv6, or one code of it. */
export function icmpMessages(family: Family, type: number, code?: number): Ranges {
  const protocol = icmpProtocol(family);
  return services(protocol, type * 256 + (code ?? 0), type * 256 + (code ?? 255));
}

export const icmpProtocol = (family: Family): number => (family === 4 ? protocols.icmp : protocols.icmpv6);

/** All 256 protocols with everything in them. */
export const everyService: Ranges = [[0n, (1n << 24n) - 1n]];

export function everything(family: Family): Box {
  return { src: everyAddress[family], dst: everyAddress[family], service: everyService };
}

export function isEmpty({ src, dst, service: s }: Box): boolean {
  return src.length === 0 || dst.length === 0 || s.length === 0;
}

export function intersectBoxes(a: Box, b: Box): Box {
  return {
    src: intersect(a.src, b.src),
    dst: intersect(a.dst, b.dst),
    service: intersect(a.service, b.service),
  };
}

export function hasPacket(box: Box, packet: Packet): boolean {
  return includes(box.src, packet.src) && includes(box.dst, packet.dst) && includes(box.service, packet.service);
}

/** Protocol number and low half of a service. */
export function partsOfService(value: bigint): { protocol: number; low: number } {
  return { protocol: Number(value >> 16n), low: Number(value & 0xffffn) };
}

/** `10.0.0.1 → 10.2.0.1 tcp/443`. */
export function packetText({ family, src, dst, service: s }: Packet): string {
  return `${formatAddress(family, src)} → ${formatAddress(family, dst)} ${serviceText(s)}`;
}

/** `tcp/443`, `icmp type 8 code 0`, `protocol 47`. */
export function serviceText(value: bigint): string {
  const { protocol, low } = partsOfService(value);
  if (protocol === protocols.tcp) return `tcp/${low}`;
  if (protocol === protocols.udp) return `udp/${low}`;
  if (protocol === protocols.icmp) return `icmp type ${low >> 8} code ${low & 255}`;
  if (protocol === protocols.icmpv6) return `icmpv6 type ${low >> 8} code ${low & 255}`;
  return `protocol ${protocol}`;
}
