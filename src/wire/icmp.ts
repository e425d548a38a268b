import { formatIPv4 } from './sockaddr.ts';

/** ICMP and ICMPv6 echo (RFC 792, RFC 4443 §4) and the names of the errors that routers send. Bytes only; nothing throws. */
export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PORT_UNREACHABLE = 3; // code of ICMP_UNREACHABLE
const ICMP_FRAGMENTATION_NEEDED = 4; // code of ICMP_UNREACHABLE (RFC 1191)
const ICMP6_PACKET_TOO_BIG = 2;
export const ICMP6_UNREACHABLE = 1;
export const ICMP6_TIME_EXCEEDED = 3;
export const ICMP6_PORT_UNREACHABLE = 4; // code of ICMP6_UNREACHABLE
export const ICMP6_ECHO = 128;
export const ICMP6_ECHO_REPLY = 129;
export const ICMP_HEADER_BYTES = 8;

/** RFC 1071 internet checksum of the first `length` octets. */
export function internetChecksum(bytes: Uint8Array, length: number): number {
  let sum = 0;
  const even = length & ~1;
  for (let i = 0; i < even; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  if (length > even) sum += (bytes[even] ?? 0) << 8;
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  return ~sum & 0xffff;
}

/**
 * Writes an echo request of `packet.length` octets over `packet`. The ICMPv6 checksum covers a pseudo-header and is left to
 * the kernel, which always fills it in.
 */
export function writeEcho(packet: Buffer, family: 4 | 6, identifier: number, sequence: number): void {
  packet[0] = family === 4 ? ICMP_ECHO : ICMP6_ECHO;
  packet[1] = 0;
  packet.writeUInt16BE(0, 2);
  packet.writeUInt16BE(identifier & 0xffff, 4);
  packet.writeUInt16BE(sequence & 0xffff, 6);
  if (family === 4) packet.writeUInt16BE(internetChecksum(packet, packet.length), 2);
}

export interface Echo {
  reply: boolean;
  identifier: number;
  sequence: number;
}

/** The echo request or reply that begins at `offset`; null when it is anything else or too short. */
export function readEcho(bytes: Buffer, offset: number, length: number, family: 4 | 6): Echo | null {
  if (offset < 0 || Math.min(length, bytes.length) - offset < ICMP_HEADER_BYTES || bytes[offset + 1] !== 0) return null;
  const type = bytes[offset];
  const reply = type === (family === 4 ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY);
  if (!reply && type !== (family === 4 ? ICMP_ECHO : ICMP6_ECHO)) return null;
  return { reply, identifier: bytes.readUInt16BE(offset + 4), sequence: bytes.readUInt16BE(offset + 6) };
}

export interface IPv4Header {
  headerBytes: number;
  protocol: number;
  ttl: number;
  source: string;
}

/** The IPv4 header that a raw socket delivers in front of the message; null when it is none. */
export function readIPv4Header(bytes: Buffer, length: number): IPv4Header | null {
  const available = Math.min(length, bytes.length);
  const first = bytes[0] ?? 0;
  const headerBytes = (first & 0x0f) * 4;
  if (available < 20 || first >> 4 !== 4 || headerBytes < 20 || headerBytes > available) return null;
  return { headerBytes, protocol: bytes[9] ?? 0, ttl: bytes[8] ?? 0, source: formatIPv4(bytes, 12) };
}

// Names of RFC 792, 1122 and 1812 for type 3, and of RFC 4443 §3.1 for ICMPv6 type 1, by code.
const UNREACHABLE = [
  'network unreachable',
  'host unreachable',
  'protocol unreachable',
  'port unreachable',
  'fragmentation needed',
  'source route failed',
  'network unknown',
  'host unknown',
  'source host isolated',
  'network prohibited',
  'host prohibited',
  'network unreachable for this service',
  'host unreachable for this service',
  'administratively prohibited',
];
const UNREACHABLE6 = [
  'no route',
  'administratively prohibited',
  'beyond scope of source address',
  'address unreachable',
  'port unreachable',
  'source address refused by policy',
  'route rejected',
];

/** An ICMP error in words, with its numbers: `host unreachable (ICMP 3/1)`. */
export function describeIcmp(family: 4 | 6, type: number, code: number): string {
  const numbers = `(${family === 4 ? 'ICMP' : 'ICMPv6'} ${type}/${code})`;
  if (type === (family === 4 ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE)) {
    const names = family === 4 ? UNREACHABLE : UNREACHABLE6;
    return `${names[code] ?? 'unreachable'} ${numbers}`;
  }
  if (isTimeExceeded(family, type)) return `time to live exceeded ${numbers}`;
  if (isTooBig(family, type, code)) return `packet too big ${numbers}`;
  return `ICMP error ${numbers}`;
}

export function isTimeExceeded(family: 4 | 6, type: number): boolean {
  return type === (family === 4 ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED);
}

/** "Fragmentation needed and DF set" (RFC 1191) or "packet too big" (RFC 4443 §3.2). */
export function isTooBig(family: 4 | 6, type: number, code: number): boolean {
  return family === 4 ? type === ICMP_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED : type === ICMP6_PACKET_TOO_BIG;
}

export function isPortUnreachable(family: 4 | 6, type: number, code: number): boolean {
  return family === 4
    ? type === ICMP_UNREACHABLE && code === ICMP_PORT_UNREACHABLE
    : type === ICMP6_UNREACHABLE && code === ICMP6_PORT_UNREACHABLE;
}
