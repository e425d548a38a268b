import { checksumAdd, checksumFold, word } from './ip.ts';
import { formatIPv4, formatIPv6 } from './sockaddr.ts';

/**
 * The extension structure behind the quoted datagram of an ICMP error (RFC 4884 §7): MPLS label stacks (RFC 4950) and what a
 * router says of its interfaces (RFC 5837). Hostile input: every length is checked, counts are bounded, nothing throws.
 */
export interface MplsLabel {
  label: number;
  trafficClass: number;
  bottom: boolean;
  ttl: number;
}

export interface InterfaceInfo {
  role: (typeof ROLES)[number];
  index?: number;
  address?: string;
  /** As sent, not made printable. */
  name?: string;
  mtuBytes?: number;
}

export interface IcmpExtensions {
  mpls: MplsLabel[];
  interfaces: InterfaceInfo[];
}

const VERSION = 2;
const HEADER_BYTES = 4;
const OBJECT_HEADER_BYTES = 4;
/** A label stack or a list of interfaces longer than this is no router's. */
const MAX_OBJECTS = 16;
const MAX_LABELS = 16;
const MPLS = { objectClass: 1, incomingStack: 1 } as const;
const INTERFACE_CLASS = 2;
// RFC 5837 §4.1: the C-Type is a role in its top two bits and four bits that say what follows, in this order.
const ROLES = ['incoming', 'sub-ip', 'outgoing', 'next-hop'] as const;
const HAS = { index: 0x08, address: 0x04, name: 0x02, mtu: 0x01 } as const;
const AFI = { v4: 1, v6: 2 } as const;
const MAX_NAME_BYTES = 64;

/**
 * Reads the structure in octets `at` to `end`.
 * @param options.needChecksum refuse a structure without checksum: it lies where the header did not say (RFC 4884 §5.5)
 * @returns null when it is none
 */
export function readExtensions(
  bytes: Buffer,
  at: number,
  end: number,
  { needChecksum }: { needChecksum: boolean },
): IcmpExtensions | null {
  if (at < 0 || end > bytes.length || end - at < HEADER_BYTES || bytes[at]! >> 4 !== VERSION) return null;
  const checksum = word(bytes, at + 2);
  if (checksum === 0 ? needChecksum : checksumFold(checksumAdd(bytes, at, end - at)) !== 0) return null;
  const found: IcmpExtensions = { mpls: [], interfaces: [] };
  let object = at + HEADER_BYTES;
  for (let count = 0; count < MAX_OBJECTS && object + OBJECT_HEADER_BYTES <= end; count++) {
    const length = word(bytes, object);
    if (length < OBJECT_HEADER_BYTES || object + length > end) break;
    readObject(bytes, object, object + length, found);
    object += length;
  }
  return found;
}

function readObject(bytes: Buffer, at: number, end: number, found: IcmpExtensions): void {
  const [objectClass, type] = [bytes[at + 2]!, bytes[at + 3]!];
  const body = at + OBJECT_HEADER_BYTES;
  if (objectClass === MPLS.objectClass && type === MPLS.incomingStack) readLabels(bytes, body, end, found.mpls);
  else if (objectClass === INTERFACE_CLASS) found.interfaces.push(readInterface(bytes, body, end, type));
}

function readLabels(bytes: Buffer, at: number, end: number, labels: MplsLabel[]): void {
  for (let entry = at; entry + 4 <= end && labels.length < MAX_LABELS; entry += 4) {
    const value = bytes.readUInt32BE(entry);
    labels.push({
      label: value >>> 12,
      trafficClass: (value >>> 9) & 7,
      bottom: (value & 0x100) !== 0,
      ttl: value & 0xff,
    });
  }
}

/** Fields in their fixed order; the first that does not fit ends the reading, what was read stands. */
function readInterface(bytes: Buffer, start: number, end: number, type: number): InterfaceInfo {
  const info: InterfaceInfo = { role: ROLES[type >> 6]! };
  let at = start;
  if (type & HAS.index) {
    if (at + 4 > end) return info;
    info.index = bytes.readUInt32BE(at);
    at += 4;
  }
  if (type & HAS.address) {
    const size = at + 4 > end ? 0 : addressBytesOf(word(bytes, at));
    if (size === 0 || at + 4 + size > end) return info;
    info.address = size === 4 ? formatIPv4(bytes, at + 4) : formatIPv6(bytes, at + 4);
    at += 4 + size;
  }
  if (type & HAS.name) {
    const size = at < end ? bytes[at]! : 0;
    if (size === 0 || size > MAX_NAME_BYTES || at + size > end) return info;
    info.name = bytes.toString('utf8', at + 1, at + size).replace(/\0+$/, '');
    at += size;
  }
  if (type & HAS.mtu && at + 4 <= end) info.mtuBytes = bytes.readUInt32BE(at);
  return info;
}

function addressBytesOf(family: number): number {
  if (family === AFI.v4) return 4;
  return family === AFI.v6 ? 16 : 0;
}
