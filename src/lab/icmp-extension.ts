import { checksumAdd, checksumFold, setWord } from '../wire/ip.ts';

/** Extension structure of ICMP errors (RFC 4884 §7) with the objects of RFC 4950 and RFC 5837. */
export interface MplsEntry {
  label: number;
  trafficClass: number;
  ttl: number;
}

export interface InterfaceParts {
  index?: number;
  /** 4 or 16 bytes. */
  address?: Uint8Array;
  name?: string;
  mtu?: number;
}

const VERSION = 2 << 4;
const CLASS_MPLS = 1;
const CLASS_INTERFACE = 2;
const HEADER_BYTES = 4;
const LONGEST_NAME = 63;

/** Header with checksum, then the objects. */
export function extensionStructure(objects: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + objects.reduce((sum, one) => sum + one.length, 0));
  bytes[0] = VERSION;
  let at = HEADER_BYTES;
  for (const one of objects) {
    bytes.set(one, at);
    at += one.length;
  }
  setWord(bytes, 2, checksumFold(checksumAdd(bytes, 0, bytes.length)));
  return bytes;
}

function object(classNumber: number, type: number, payload: readonly number[]): Uint8Array {
  const length = HEADER_BYTES + payload.length;
  return Uint8Array.from([length >> 8, length & 0xff, classNumber, type, ...payload]);
}

/** Incoming label stack, top first (RFC 4950 §3): label 20 bits, traffic class 3, bottom 1, TTL 8. */
export function mplsObject(stack: readonly MplsEntry[]): Uint8Array {
  const words = stack.flatMap(({ label, trafficClass, ttl }, index) => [
    label >> 12,
    (label >> 4) & 0xff,
    ((label & 0x0f) << 4) | (trafficClass << 1) | (index === stack.length - 1 ? 1 : 0),
    ttl,
  ]);
  return object(CLASS_MPLS, 1, words);
}

/** Information about the interface that the packet came in by (RFC 5837 §4); what is absent is left out. */
export function incomingInterfaceObject({ index, address, name, mtu }: InterfaceParts): Uint8Array {
  // The type's bits say what follows; role 0 in its two highest is "incoming".
  const type =
    (index === undefined ? 0 : 8) | (address ? 4 : 0) | (name === undefined ? 0 : 2) | (mtu === undefined ? 0 : 1);
  return object(CLASS_INTERFACE, type, [
    ...(index === undefined ? [] : number32(index)),
    ...(address ? [0, address.length === 4 ? 1 : 2, 0, 0, ...address] : []),
    ...(name === undefined ? [] : nameParts(name)),
    ...(mtu === undefined ? [] : number32(mtu)),
  ]);
}

function number32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** One octet of length, itself and the padding to 32 bits included (RFC 5837 §4.3). */
function nameParts(name: string): number[] {
  const text = [...new TextEncoder().encode(name)].slice(0, LONGEST_NAME);
  const length = (1 + text.length + 3) & ~3;
  return [length, ...text, ...Array<number>(length - 1 - text.length).fill(0)];
}
