import {
  checksumAdd,
  checksumFold,
  headerLength4,
  protocol,
  pseudoHeader6,
  sealHeader4,
  setWord,
  word,
} from '../wire/ip.ts';

/** Why a router gives a packet back (RFC 792, RFC 4443): type and code per family. */
export const icmpError = {
  timeExceeded: { v4: [11, 0], v6: [3, 0] },
  noRoute: { v4: [3, 0], v6: [1, 0] },
  portUnreachable: { v4: [3, 3], v6: [1, 4] },
  tooBig: { v4: [3, 4], v6: [2, 0] },
} as const;
export type IcmpErrorKind = keyof typeof icmpError;

const ECHO4 = { request: 8, reply: 0 } as const;
const ECHO6 = { request: 128, reply: 129 } as const;
const ROUTER_TTL = 64;
/** An ICMPv4 error fits in 576 bytes (RFC 1812 §4.3.2.3), an ICMPv6 error in the minimum MTU (RFC 4443 §2.4). */
const QUOTE4 = 576 - 28;
const QUOTE6 = 1280 - 48;
/** The ICMPv4 messages that must never be answered by another error: unreachable, quench, redirect, exceeded, parameter. */
const ERRORS4 = new Set([3, 4, 5, 11, 12]);

/** Turns an echo request into its reply where it lies. @returns false when it is not a whole echo request */
export function answerEcho(bytes: Uint8Array, at: number, length: number): boolean {
  return bytes[at]! >> 4 === 4 ? answerEcho4(bytes, at, length) : answerEcho6(bytes, at, length);
}

function answerEcho4(bytes: Uint8Array, at: number, length: number): boolean {
  const icmp = at + headerLength4(bytes, at);
  const size = length - (icmp - at);
  if (bytes[at + 9] !== protocol.icmp || size < 8 || bytes[icmp] !== ECHO4.request || isFragment4(bytes, at))
    return false;
  swap(bytes, at + 12, at + 16, 4);
  bytes[at + 8] = ROUTER_TTL;
  sealHeader4(bytes, at);
  bytes[icmp] = ECHO4.reply;
  setWord(bytes, icmp + 2, 0);
  setWord(bytes, icmp + 2, checksumFold(checksumAdd(bytes, icmp, size)));
  return true;
}

function answerEcho6(bytes: Uint8Array, at: number, length: number): boolean {
  const icmp = at + 40;
  const size = length - 40;
  if (bytes[at + 6] !== protocol.icmp6 || size < 8 || bytes[icmp] !== ECHO6.request) return false;
  swap(bytes, at + 8, at + 24, 16);
  bytes[at + 7] = ROUTER_TTL;
  bytes[icmp] = ECHO6.reply;
  sealIcmp6(bytes, at, size);
  return true;
}

/** Writes the checksum of an ICMPv6 message of `size` bytes behind a plain header at `at`. */
export function sealIcmp6(bytes: Uint8Array, at: number, size: number): void {
  setWord(bytes, at + 42, 0);
  setWord(
    bytes,
    at + 42,
    checksumFold(checksumAdd(bytes, at + 40, size, pseudoHeader6(bytes, at, size, protocol.icmp6))),
  );
}

function swap(bytes: Uint8Array, a: number, b: number, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const kept = bytes[a + index]!;
    bytes[a + index] = bytes[b + index]!;
    bytes[b + index] = kept;
  }
}

function isFragment4(bytes: Uint8Array, at: number): boolean {
  return (word(bytes, at + 6) & 0x3fff) !== 0;
}

/** Whether the packet may be answered by an error at all (RFC 1122 §3.2.2, RFC 4443 §2.4 e). */
export function mayAnswer(bytes: Uint8Array, at: number): boolean {
  if (bytes[at]! >> 4 === 4) {
    const source = bytes[at + 12]!;
    if (source === 0 || source >= 224 || (word(bytes, at + 6) & 0x1fff) !== 0) return false;
    return bytes[at + 9] !== protocol.icmp || !ERRORS4.has(bytes[at + headerLength4(bytes, at)]!);
  }
  const source = bytes[at + 8]!;
  if (source === 0xff || source === 0) return false;
  return bytes[at + 6] !== protocol.icmp6 || bytes[at + 40]! >= 128;
}

/** Whether the packet is an ICMP error long enough to quote another. */
export function isError(bytes: Uint8Array, at: number, length: number): boolean {
  if (bytes[at]! >> 4 === 4) {
    const icmp = at + headerLength4(bytes, at);
    if (bytes[at + 9] !== protocol.icmp || isFragment4(bytes, at)) return false;
    return length >= icmp - at + 8 && ERRORS4.has(bytes[icmp]!);
  }
  return bytes[at + 6] === protocol.icmp6 && length >= 48 && bytes[at + 40]! < 128;
}

export interface ErrorParts {
  kind: IcmpErrorKind;
  /** Address bytes of the router, of the packet's family. */
  from: Uint8Array;
  /** Next-hop MTU, read by `tooBig` only. */
  mtu: number;
  /** Extension objects (RFC 4884 §7.1), where the router adds any. */
  extension?: Uint8Array | undefined;
}

/** With extensions the quoted packet takes exactly the least that RFC 4884 §3 allows, as routers do. */
const QUOTE_EXTENDED = 128;

/** Writes the error for the packet at `at` to `out` (which must have 1280 bytes of room) and returns its length. */
export function writeError(bytes: Uint8Array, at: number, length: number, out: number, parts: ErrorParts): number {
  return bytes[at]! >> 4 === 4
    ? writeError4(bytes, at, length, out, parts)
    : writeError6(bytes, at, length, out, parts);
}

function writeError4(bytes: Uint8Array, at: number, length: number, out: number, parts: ErrorParts): number {
  const { kind, from, mtu, extension } = parts;
  bytes.fill(0, out, out + 28);
  bytes[out] = 0x45;
  // Internetwork control precedence, as RFC 1812 §4.3.2.5 asks of ICMP errors.
  bytes[out + 1] = 0xc0;
  bytes[out + 8] = ROUTER_TTL;
  bytes[out + 9] = protocol.icmp;
  bytes.set(from, out + 12);
  bytes.copyWithin(out + 16, at + 12, at + 16);
  bytes.set(icmpError[kind].v4, out + 20);
  if (kind === 'tooBig') setWord(bytes, out + 26, mtu);
  // RFC 4884 §4.1: the quoted length in 32-bit words, octet 5.
  if (extension) bytes[out + 25] = QUOTE_EXTENDED / 4;
  const quoted = quote(bytes, at, length, out + 28, QUOTE4, extension);
  setWord(bytes, out + 2, 28 + quoted);
  sealHeader4(bytes, out);
  setWord(bytes, out + 22, checksumFold(checksumAdd(bytes, out + 20, 8 + quoted)));
  return 28 + quoted;
}

function writeError6(bytes: Uint8Array, at: number, length: number, out: number, parts: ErrorParts): number {
  const { kind, from, mtu } = parts;
  // Packet too big has no length field, hence no extensions (RFC 4884 §4.5).
  const extension = kind === 'tooBig' ? undefined : parts.extension;
  bytes.fill(0, out, out + 48);
  bytes[out] = 0x60;
  bytes[out + 6] = protocol.icmp6;
  bytes[out + 7] = ROUTER_TTL;
  bytes.set(from, out + 8);
  bytes.copyWithin(out + 24, at + 8, at + 24);
  bytes.set(icmpError[kind].v6, out + 40);
  if (kind === 'tooBig') setWord(bytes, out + 46, mtu);
  // RFC 4884 §4.4: the quoted length in 64-bit words, octet 4.
  if (extension) bytes[out + 44] = QUOTE_EXTENDED / 8;
  const quoted = quote(bytes, at, length, out + 48, QUOTE6, extension);
  setWord(bytes, out + 4, 8 + quoted);
  sealIcmp6(bytes, out, 8 + quoted);
  return 48 + quoted;
}

/** Copies the offending packet, and the extension behind it; @returns how many bytes were written. */
function quote(
  bytes: Uint8Array,
  at: number,
  length: number,
  to: number,
  longest: number,
  extension: Uint8Array | undefined,
): number {
  const copied = Math.min(length, extension ? QUOTE_EXTENDED : longest);
  bytes.copyWithin(to, at, at + copied);
  if (!extension) return copied;
  bytes.fill(0, to + copied, to + QUOTE_EXTENDED);
  bytes.set(extension, to + QUOTE_EXTENDED);
  return QUOTE_EXTENDED + extension.length;
}
