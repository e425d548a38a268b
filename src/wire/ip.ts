import { isIPv4, isIPv6 } from 'node:net';

/**
 * IPv4 and IPv6 headers as byte offsets (RFC 791, RFC 8200), addresses as text and bytes, and the Internet checksum
 * (RFC 1071). Functions take the buffer and the offset of the packet, so that a pool of packets needs no slices.
 */
export const protocol = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

/** Smallest MTU a link may have: RFC 791 §3.2 wants 68, RFC 8200 §5 wants 1280 wherever IPv6 runs. */
export const IPV6_MIN_MTU = 1280;

/** 4 or 16 bytes of a numeric address. @throws TypeError for anything else (no names, no zone). */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (isIPv6(text) && !text.includes('%')) return address6Bytes(text);
  throw new TypeError(`Cannot read "${text.slice(0, 60)}" as an IP address`);
}

function address6Bytes(text: string): Uint8Array {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted ? addressBytes(dotted[2]!) : undefined;
  const hex = tail ? `${dotted![1]}${hexPair(tail, 0)}:${hexPair(tail, 2)}` : text;
  const [head = '', rest] = hex.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const groups =
    rest === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  const bytes = new Uint8Array(16);
  groups.forEach((group, index) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * index] = value >> 8;
    bytes[2 * index + 1] = value & 0xff;
  });
  return bytes;
}

function hexPair(bytes: Uint8Array, at: number): string {
  return ((bytes[at]! << 8) | bytes[at + 1]!).toString(16);
}

/** The shortest text of 4 or 16 address bytes (RFC 5952). @throws RangeError for any other length. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16)
    throw new RangeError(`Cannot write ${bytes.length} bytes as an IP address: 4 or 16 expected`);
  const groups = Array.from({ length: 8 }, (_, index) => hexPair(bytes, 2 * index));
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return groups.join(':');
  return `${groups.slice(0, zeros.start).join(':')}::${groups.slice(zeros.start + zeros.length).join(':')}`;
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === '0' ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}

/** One's-complement sum of big-endian 16-bit words, not yet folded; an odd last byte counts as the high half (RFC 1071). */
export function checksumAdd(bytes: Uint8Array, at: number, length: number, sum = 0): number {
  const end = at + (length & ~1);
  let total = sum;
  for (let index = at; index < end; index += 2) total += (bytes[index]! << 8) | bytes[index + 1]!;
  return length & 1 ? total + (bytes[end]! << 8) : total;
}

/** Folds a sum of checksumAdd() to the 16 bits that go on the wire; a block that carries its right checksum folds to 0. */
export function checksumFold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** Sum of the pseudo header that ICMPv6, TCP and UDP over IPv6 include (RFC 8200 §8.1), from a packet's own header. */
export function pseudoHeader6(bytes: Uint8Array, at: number, payloadLength: number, nextHeader: number): number {
  return checksumAdd(bytes, at + 8, 32) + payloadLength + nextHeader;
}

/** The version of a packet whose lengths are consistent with the bytes received; 0 for anything malformed. */
export function packetVersion(bytes: Uint8Array, at: number, length: number): 0 | 4 | 6 {
  if (length < 20) return 0;
  const version = bytes[at]! >> 4;
  if (version === 4) {
    const header = headerLength4(bytes, at);
    const total = word(bytes, at + 2);
    return header >= 20 && total >= header && total <= length ? 4 : 0;
  }
  return version === 6 && length >= 40 && word(bytes, at + 4) + 40 <= length ? 6 : 0;
}

export function headerLength4(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 0x0f) * 4;
}

export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

/** Takes one from the TTL and mends the header checksum without summing it anew (RFC 1624 equation 3). */
export function decrementTtl4(bytes: Uint8Array, at: number): void {
  const before = word(bytes, at + 8);
  bytes[at + 8] = bytes[at + 8]! - 1;
  let sum = (~word(bytes, at + 10) & 0xffff) + (~before & 0xffff) + word(bytes, at + 8);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  setWord(bytes, at + 10, ~sum & 0xffff);
}

/** Writes the header checksum of an IPv4 packet. */
export function sealHeader4(bytes: Uint8Array, at: number): void {
  setWord(bytes, at + 10, 0);
  setWord(bytes, at + 10, checksumFold(checksumAdd(bytes, at, headerLength4(bytes, at))));
}

export interface Fragment {
  /** Bytes of payload, and where they start in the original payload. */
  offset: number;
  length: number;
}

/** How an IPv4 payload is cut for `mtu`: every part but the last a multiple of eight bytes (RFC 791 §2.3). */
export function fragments4(headerLength: number, payloadLength: number, mtu: number): Fragment[] {
  const room = (mtu - headerLength) & ~7;
  if (room < 8) return [];
  const parts: Fragment[] = [];
  for (let offset = 0; offset < payloadLength; offset += room)
    parts.push({ offset, length: Math.min(room, payloadLength - offset) });
  return parts;
}
