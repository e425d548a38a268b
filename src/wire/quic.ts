/**
 * What QUIC shows to everybody (RFC 8999, RFC 9000 section 17, RFC 9369, RFC 9312): the kind of packet, version and connection ids of
 * long headers, the spin bit of short ones. Packet numbers are protected, so that loss cannot be seen.
 */
export type QuicKind =
  | 'initial'
  | 'zero-rtt'
  | 'handshake'
  | 'retry'
  | 'version-negotiation'
  | 'short'
  | 'other-version';

export interface QuicHeader {
  kind: QuicKind;
  /** 0 for short headers, which have none, and version negotiation. */
  version: number;
  /** Connection ids: where they stand and how long they are; -1 and 0 where the header does not say. */
  destinationIdAt: number;
  destinationIdBytes: number;
  sourceIdAt: number;
  sourceIdBytes: number;
  spin: boolean;
  /** Where the next packet of the datagram begins; the end where there is none, or where nothing says. */
  nextAt: number;
}

export const quicVersions = { v1: 1, v2: 0x6b33_43cf } as const;

export function newQuicHeader(): QuicHeader {
  return {
    kind: 'short',
    version: 0,
    destinationIdAt: -1,
    destinationIdBytes: 0,
    sourceIdAt: -1,
    sourceIdBytes: 0,
    spin: false,
    nextAt: 0,
  };
}

/** RFC 9000 section 17.2.1: longer ones exist only in versions to come (RFC 8999). */
const maxIdBytes = 20;
/** Types of long headers in the order of their two bits; version 2 has them turned by one (RFC 9369 section 3.2). */
const kinds: readonly QuicKind[] = ['initial', 'zero-rtt', 'handshake', 'retry'];

/** Versions whose long headers are read beyond what RFC 8999 promises: 1, 2 and the drafts before them. */
function isKnown(version: number): boolean {
  return version === quicVersions.v1 || version === quicVersions.v2 || (version & 0xffff_ff00) >>> 0 === 0xff00_0000;
}

/**
 * Reads the packet that begins at `at` of a datagram that ends at `end`, as far as it was captured.
 * @returns false where it is no QUIC
 */
export function readQuic(bytes: Buffer, at: number, end: number, header: QuicHeader): boolean {
  if (at < 0 || end > bytes.length || at >= end) return false;
  const first = bytes[at]!;
  header.destinationIdAt = header.sourceIdAt = -1;
  header.destinationIdBytes = header.sourceIdBytes = 0;
  header.version = 0;
  header.nextAt = end;
  header.spin = false;
  if ((first & 0x80) === 0) {
    // The fixed bit may be greased (RFC 9287), but only where both ends agreed on it.
    header.kind = 'short';
    header.spin = (first & 0x20) !== 0;
    return (first & 0x40) !== 0;
  }
  return readLong(bytes, at, end, first, header);
}

function readLong(bytes: Buffer, at: number, end: number, first: number, header: QuicHeader): boolean {
  if (end - at < 7) return false;
  const version = bytes.readUInt32BE(at + 1);
  header.version = version;
  const idBytes = bytes[at + 5]!;
  const sourceAt = at + 6 + idBytes;
  if (idBytes > maxIdBytes || sourceAt >= end) return false;
  const sourceBytes = bytes[sourceAt]!;
  const next = sourceAt + 1 + sourceBytes;
  if (sourceBytes > maxIdBytes || next > end) return false;
  header.destinationIdAt = at + 6;
  header.destinationIdBytes = idBytes;
  header.sourceIdAt = sourceAt + 1;
  header.sourceIdBytes = sourceBytes;
  if (version === 0) {
    header.kind = 'version-negotiation';
    return next + 4 <= end && (end - next) % 4 === 0;
  }
  if (!isKnown(version)) {
    header.kind = 'other-version';
    return (first & 0x40) !== 0;
  }
  if ((first & 0x40) === 0) return false;
  const type = ((first >> 4) & 3) + (version === quicVersions.v2 ? 3 : 0);
  header.kind = kinds[type & 3]!;
  if (header.kind !== 'retry') header.nextAt = afterPacket(bytes, next, end, header.kind === 'initial');
  return true;
}

/** Where a packet with a length ends: several of them may share a datagram (RFC 9000 section 12.2). */
function afterPacket(bytes: Buffer, at: number, end: number, hasToken: boolean): number {
  let next = at;
  if (hasToken) {
    if (next >= end) return end;
    const token = variableInteger(bytes, next, end);
    if (token < 0) return end;
    next += integerBytes(bytes[next]!) + token;
  }
  if (next >= end) return end;
  const length = variableInteger(bytes, next, end);
  if (length < 0) return end;
  return Math.min(end, next + integerBytes(bytes[next]!) + length);
}

function integerBytes(first: number): number {
  return 1 << (first >> 6);
}

/** RFC 9000 section 16; -1 where it is cut, or longer than any datagram. */
function variableInteger(bytes: Buffer, at: number, end: number): number {
  const size = integerBytes(bytes[at]!);
  if (at + size > end) return -1;
  let value = bytes[at]! & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i]!;
  return value > 0xffff ? -1 : value;
}
