import { ICMP6_TIME_EXCEEDED, ICMP6_UNREACHABLE, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from './icmp.ts';
import { type IcmpExtensions, readExtensions } from './icmp-extension.ts';
import { headerLength4, protocol, word } from './ip.ts';
import { formatIPv4, formatIPv6 } from './sockaddr.ts';

/**
 * An ICMP or ICMPv6 error as a router sends it: the packet that it quotes, and the extensions behind the quote. What is quoted
 * is what arrived there, so a difference from what was sent was made on the way. Hostile input: nothing throws.
 */
export interface QuotedPacket {
  source: string;
  destination: string;
  ttl: number;
  dscp: number;
  ecn: number;
  /** IPv4 only. */
  identification: number | null;
  /** Octets of the whole packet by its own header. */
  lengthBytes: number;
  /** Next header or protocol number; the fields below are those of ICMP echo, UDP and TCP. */
  protocol: number;
  /** UDP and TCP. Null where the quote ends before it, as everywhere below. */
  sourcePort: number | null;
  destinationPort: number | null;
  /** Of UDP, or of ICMP echo; a TCP checksum lies beyond the octets that must be quoted and is mostly missing. */
  checksum: number | null;
  /** TCP sequence number. */
  tcpSequence: number | null;
  /** ICMP echo. */
  echoIdentifier: number | null;
  echoSequence: number | null;
  /** What is quoted from the transport header on; memory of the packet, not a copy. */
  transport: Buffer;
}

export interface IcmpError extends IcmpExtensions {
  type: number;
  code: number;
  /** Null where the quote is too short or not of this family. */
  quoted: QuotedPacket | null;
}

const HEADER_BYTES = 8;
const PARAMETER_PROBLEM = 12;
/** Where a router from before RFC 4884 puts its extensions: behind 128 octets of quote, whatever the length field says. */
const LEGACY_QUOTE_BYTES = 128;

/** The error that begins at `offset` and ends before `end`; null when it is no ICMP error with a quote. */
export function readIcmpError(bytes: Buffer, offset: number, end: number, family: 4 | 6): IcmpError | null {
  const last = Math.min(end, bytes.length);
  if (offset < 0 || last - offset < HEADER_BYTES) return null;
  const [type, code] = [bytes[offset]!, bytes[offset + 1]!];
  if (!isError(type, family)) return null;
  const quote = offset + HEADER_BYTES;
  const { quoteEnd, extensions } = splitQuote(bytes, offset, last, family, type);
  const quoted = family === 4 ? readQuote4(bytes, quote, quoteEnd) : readQuote6(bytes, quote, quoteEnd);
  return { type, code, quoted, mpls: extensions?.mpls ?? [], interfaces: extensions?.interfaces ?? [] };
}

function isError(type: number, family: 4 | 6): boolean {
  if (family === 6) return type >= 1 && type < 128;
  return type === ICMP_UNREACHABLE || type === ICMP_TIME_EXCEEDED || type === PARAMETER_PROBLEM;
}

/** RFC 4884 §4: the length of the quote in words of 4 octets (ICMPv4, octet 5) or 8 octets (ICMPv6, octet 4); 0: no extension. */
function splitQuote(bytes: Buffer, offset: number, end: number, family: 4 | 6, type: number) {
  const quote = offset + HEADER_BYTES;
  const extensible = family === 4 || type === ICMP6_UNREACHABLE || type === ICMP6_TIME_EXCEEDED;
  if (!extensible) return { quoteEnd: end, extensions: null };
  const told = family === 4 ? bytes[offset + 5]! * 4 : bytes[offset + 4]! * 8;
  const quoteEnd = quote + (told === 0 ? LEGACY_QUOTE_BYTES : told);
  if (quoteEnd >= end) return { quoteEnd: end, extensions: null };
  const extensions = readExtensions(bytes, quoteEnd, end, { needChecksum: told === 0 });
  return { quoteEnd: told === 0 && extensions === null ? end : quoteEnd, extensions };
}

function readQuote4(bytes: Buffer, at: number, end: number): QuotedPacket | null {
  if (end - at < 20 || bytes[at]! >> 4 !== 4) return null;
  const headerBytes = headerLength4(bytes, at);
  if (headerBytes < 20) return null;
  const next = bytes[at + 9]!;
  return {
    source: formatIPv4(bytes, at + 12),
    destination: formatIPv4(bytes, at + 16),
    ttl: bytes[at + 8]!,
    dscp: bytes[at + 1]! >> 2,
    ecn: bytes[at + 1]! & 3,
    identification: word(bytes, at + 4),
    lengthBytes: word(bytes, at + 2),
    protocol: next,
    ...readTransport(bytes, at + headerBytes, end, next),
  };
}

function readQuote6(bytes: Buffer, at: number, end: number): QuotedPacket | null {
  if (end - at < 40 || bytes[at]! >> 4 !== 6) return null;
  const trafficClass = (word(bytes, at) >> 4) & 0xff;
  const next = bytes[at + 6]!;
  return {
    source: formatIPv6(bytes, at + 8),
    destination: formatIPv6(bytes, at + 24),
    ttl: bytes[at + 7]!,
    dscp: trafficClass >> 2,
    ecn: trafficClass & 3,
    identification: null,
    lengthBytes: 40 + word(bytes, at + 4),
    protocol: next,
    ...readTransport(bytes, at + 40, end, next),
  };
}

type Transport = Omit<
  QuotedPacket,
  'source' | 'destination' | 'ttl' | 'dscp' | 'ecn' | 'identification' | 'lengthBytes' | 'protocol'
>;

/** RFC 792 promises eight octets of the transport header, which hold all of these. */
function readTransport(bytes: Buffer, at: number, end: number, next: number): Transport {
  const field = (offset: number) => (at + offset + 2 <= end ? word(bytes, at + offset) : null);
  const ports = next === protocol.udp || next === protocol.tcp;
  const echo = next === protocol.icmp || next === protocol.icmp6;
  return {
    sourcePort: ports ? field(0) : null,
    destinationPort: ports ? field(2) : null,
    checksum: next === protocol.udp ? field(6) : echo ? field(2) : next === protocol.tcp ? field(16) : null,
    tcpSequence: next === protocol.tcp && at + 8 <= end ? bytes.readUInt32BE(at + 4) : null,
    echoIdentifier: echo ? field(4) : null,
    echoSequence: echo ? field(6) : null,
    transport: bytes.subarray(Math.min(at, end), end),
  };
}
