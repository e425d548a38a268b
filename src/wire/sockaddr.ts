import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * struct sockaddr_in and sockaddr_in6 as Linux lays them out on little-endian 64-bit machines: family in host order, port and
 * address in network order, scope id in host order. Layouts: linux/in.h, linux/in6.h.
 */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCKADDR_IN_BYTES = 16;
export const SOCKADDR_IN6_BYTES = 28;

export interface SocketAddress {
  family: 4 | 6;
  /** Canonical text (RFC 5952 for IPv6), with `%scope` (a number) when the scope id is set. */
  address: string;
  port: number;
}

/**
 * Writes `address` and `port` at the start of `target`.
 * @param address IPv4 or IPv6 literal; IPv6 may carry a zone, `fe80::1%eth0` or `fe80::1%2`
 * @returns the length of the structure in bytes
 * @throws RangeError when `address` is no IP literal, its zone is unknown or the port is out of range
 */
export function encodeSockaddr(target: Buffer, address: string, port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw new RangeError(`Cannot encode port ${port}`);
  const family = isIP(address);
  if (family === 0) throw new RangeError(`Cannot encode "${address}": not an IP address`);
  const length = family === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES;
  target.fill(0, 0, length);
  target.writeUInt16BE(port, 2);
  if (family === 4) {
    target.writeUInt16LE(AF_INET, 0);
    writeIPv4(target, 4, address);
  } else {
    const [literal = '', zone] = address.split('%');
    target.writeUInt16LE(AF_INET6, 0);
    writeIPv6(target, 8, literal);
    if (zone !== undefined) target.writeUInt32LE(scopeId(zone), 24);
  }
  return length;
}

/** Reads a structure that the kernel wrote; null when the family is neither (or the bytes are too few). */
export function decodeSockaddr(bytes: Buffer, offset = 0, length = bytes.length - offset): SocketAddress | null {
  const available = Math.min(length, bytes.length - offset);
  if (available < 8) return null;
  const family = bytes.readUInt16LE(offset);
  const port = bytes.readUInt16BE(offset + 2);
  if (family === AF_INET) return { family: 4, address: formatIPv4(bytes, offset + 4), port };
  if (family !== AF_INET6 || available < SOCKADDR_IN6_BYTES) return null;
  const scope = bytes.readUInt32LE(offset + 24);
  const address = formatIPv6(bytes, offset + 8);
  return { family: 6, address: scope === 0 ? address : `${address}%${scope}`, port };
}

/** Dotted quad of the four octets at `offset`. */
export function formatIPv4(bytes: Buffer, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** RFC 5952 text of the sixteen octets at `offset`: lower case, the first longest run of two or more zero groups as `::`. */
export function formatIPv6(bytes: Buffer, offset: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(offset + i));
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (mapped) return `::ffff:${formatIPv4(bytes, offset + 12)}`;
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i < groups.length; i++) {
    if (groups[i] !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}

function writeIPv4(target: Buffer, offset: number, literal: string): void {
  let at = offset;
  for (const part of literal.split('.')) target[at++] = Number(part);
}

/** `literal` was accepted by isIP(), so only its two shapes (with and without `::`) have to be told apart. */
function writeIPv6(target: Buffer, offset: number, literal: string): void {
  const [head = '', tail] = literal.split('::');
  const front = writeGroups(target, offset, head);
  if (tail === undefined || front === 16) return;
  // The tail is right-aligned: write it into scratch space first, because its length is known only afterwards.
  const scratch = Buffer.alloc(16);
  const back = writeGroups(scratch, 0, tail);
  scratch.copy(target, offset + 16 - back, 0, back);
}

/** Writes colon-separated groups, the last of which may be a dotted quad; returns the octets written. */
function writeGroups(target: Buffer, offset: number, text: string): number {
  if (text === '') return 0;
  let at = offset;
  for (const group of text.split(':')) {
    if (group.includes('.')) {
      writeIPv4(target, at, group);
      at += 4;
    } else {
      target.writeUInt16BE(Number.parseInt(group, 16), at);
      at += 2;
    }
  }
  return at - offset;
}

/** Interface index of a zone: the number itself, or what the operating system says of an interface of that name. */
function scopeId(zone: string): number {
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  for (const entry of networkInterfaces()[zone] ?? [])
    if (entry.family === 'IPv6' && entry.scopeid) return entry.scopeid;
  throw new RangeError(`Cannot encode zone "${zone}": no such interface with IPv6`);
}
