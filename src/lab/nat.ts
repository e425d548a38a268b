import { checksumAdd, checksumFold, headerLength4, protocol, sealHeader4, setWord, word } from '../wire/ip.ts';
import { findNode } from './address-table.ts';
import { isError, sealIcmp6 } from './icmp.ts';
import { byInside, byOutside, mappingFor, type Nat } from './nat-table.ts';
import type { Engine } from './state.ts';

/**
 * Traditional NAT (RFC 3022, RFC 5508 for ICMP): sources change towards the outside, destinations on the way back, and so do
 * the packets that ICMP errors quote. Later fragments and protocols without ports are not translated, and so dropped.
 */

type Family = 4 | 6;
type Side = 'source' | 'destination';

const ECHO_TYPES = { 4: { out: 8, back: 0 }, 6: { out: 128, back: 129 } } as const;
const FRAGMENT_OFFSET = 0x1fff;

/** Gives a packet that leaves for the outside its outside source; @returns false when it has to be dropped. */
export function translateOut(engine: Engine, nat: Nat, slot: number): boolean {
  const { bytes } = engine;
  const at = slot * engine.slotBytes;
  const length = engine.length[slot]!;
  const family = familyOf(bytes, at);
  if (family === 6 && !nat.settings.ipv6) return true;
  const outside = family === 4 ? nat.address4 : nat.address6;
  if (isError(bytes, at, length)) {
    translateQuote(engine, nat, slot, 'destination');
    rewriteAddress(bytes, at, length, 'source', outside);
    if (family === 6) sealIcmp6(bytes, at, length - 40);
    return true;
  }
  const port = portAt(bytes, at, length, 'source', ECHO_TYPES[family].out);
  if (port < 0) return false;
  const inside = bytes.subarray(...addressRange(at, family, 'source'));
  const mapping = mappingFor(nat, family, protocolOf(bytes, at), inside, word(bytes, port));
  if (!mapping) return false;
  rewrite(bytes, at, length, { side: 'source', address: outside, port, value: mapping.outsidePort, mend: true });
  return true;
}

/** Gives a packet to the outside address its inside destination; @returns false when no mapping knows it. */
export function translateIn(engine: Engine, nat: Nat, slot: number): boolean {
  const { bytes } = engine;
  const at = slot * engine.slotBytes;
  const length = engine.length[slot]!;
  const family = familyOf(bytes, at);
  if (family === 6 && !nat.settings.ipv6) return false;
  const translated = isError(bytes, at, length)
    ? errorIn(engine, nat, slot, family)
    : packetIn(bytes, at, length, nat, family);
  if (translated) engine.target[slot] = findNode(engine.owners, bytes, at + (family === 4 ? 16 : 24), family);
  return translated;
}

function packetIn(bytes: Uint8Array, at: number, length: number, nat: Nat, family: Family): boolean {
  const port = portAt(bytes, at, length, 'destination', ECHO_TYPES[family].back);
  const mapping = port < 0 ? undefined : byOutside(nat, family, protocolOf(bytes, at), word(bytes, port));
  if (!mapping) return false;
  const { address, insidePort: value } = mapping;
  rewrite(bytes, at, length, { side: 'destination', address, port, value, mend: true });
  return true;
}

function errorIn(engine: Engine, nat: Nat, slot: number, family: Family): boolean {
  const { bytes } = engine;
  const at = slot * engine.slotBytes;
  const length = engine.length[slot]!;
  const address = translateQuote(engine, nat, slot, 'source');
  if (!address) return false;
  rewriteAddress(bytes, at, length, 'destination', address);
  if (family === 6) sealIcmp6(bytes, at, length - 40);
  return true;
}

/**
 * Translates the packet inside an ICMP error the other way round: a quoted source back to the inside, a quoted destination out.
 * @returns the address on the other side; undefined when no mapping knows the packet
 */
function translateQuote(engine: Engine, nat: Nat, slot: number, side: Side): Uint8Array | undefined {
  const { bytes } = engine;
  const outer = slot * engine.slotBytes;
  const family = familyOf(bytes, outer);
  const icmp = outer + headerLength(bytes, outer);
  const at = icmp + 8;
  const length = outer + engine.length[slot]! - at;
  if (length < (family === 4 ? 20 : 40) || familyOf(bytes, at) !== family) return undefined;
  const port = portAt(bytes, at, length, side, ECHO_TYPES[family][side === 'source' ? 'out' : 'back']);
  if (port < 0) return undefined;
  const quoted = protocolOf(bytes, at);
  const back = side === 'source';
  const mapping = back
    ? byOutside(nat, family, quoted, word(bytes, port))
    : byInside(nat, family, quoted, bytes.subarray(...addressRange(at, family, side)), word(bytes, port));
  if (!mapping) return undefined;
  const address = back ? mapping.address : family === 4 ? nat.address4 : nat.address6;
  const { quotes } = nat.settings;
  if (quotes === 'none') return address;
  const value = back ? mapping.insidePort : mapping.outsidePort;
  rewrite(bytes, at, length, { side, address, port, value, mend: quotes === 'full' });
  if (family === 4) {
    const size = outer + engine.length[slot]! - icmp;
    setWord(bytes, icmp + 2, 0);
    setWord(bytes, icmp + 2, checksumFold(checksumAdd(bytes, icmp, size)));
  }
  return address;
}

interface Rewrite {
  side: Side;
  address: Uint8Array;
  /** Where the port or identifier lies, and what it becomes. */
  port: number;
  value: number;
  /** Whether the transport checksum follows. */
  mend: boolean;
}

function rewrite(bytes: Uint8Array, at: number, length: number, { side, address, port, value, mend }: Rewrite): void {
  const family = familyOf(bytes, at);
  const check = mend ? checksumAt(bytes, at, length) : -1;
  const [start, end] = addressRange(at, family, side);
  const before = (coversAddress(bytes, at) ? checksumAdd(bytes, start, end - start) : 0) + word(bytes, port);
  setWord(bytes, port, value);
  rewriteAddress(bytes, at, length, side, address);
  if (check < 0) return;
  const after = (coversAddress(bytes, at) ? checksumAdd(bytes, start, end - start) : 0) + value;
  const udp = protocolOf(bytes, at) === protocol.udp;
  const old = word(bytes, check);
  // A UDP checksum of zero says that there is none (RFC 768), so a sum of zero is written as its other form.
  if (udp && old === 0) return;
  const mended = checksumFold((~old & 0xffff) + (0xffff - fold(before)) + after);
  setWord(bytes, check, udp && mended === 0 ? 0xffff : mended);
}

/** Sixteen bits of a one's-complement sum. */
function fold(sum: number): number {
  return ~checksumFold(sum) & 0xffff;
}

function rewriteAddress(bytes: Uint8Array, at: number, length: number, side: Side, address: Uint8Array): void {
  const family = familyOf(bytes, at);
  bytes.set(address, addressRange(at, family, side)[0]);
  if (family === 4 && length >= headerLength4(bytes, at)) sealHeader4(bytes, at);
}

function familyOf(bytes: Uint8Array, at: number): Family {
  return bytes[at]! >> 4 === 4 ? 4 : 6;
}

function protocolOf(bytes: Uint8Array, at: number): number {
  return bytes[at + (familyOf(bytes, at) === 4 ? 9 : 6)]!;
}

function headerLength(bytes: Uint8Array, at: number): number {
  return familyOf(bytes, at) === 4 ? headerLength4(bytes, at) : 40;
}

function addressRange(at: number, family: Family, side: Side): [number, number] {
  const size = family === 4 ? 4 : 16;
  const start = at + (family === 4 ? 12 : 8) + (side === 'source' ? 0 : size);
  return [start, start + size];
}

/** ICMP alone, of the three, leaves the addresses out of its checksum. */
function coversAddress(bytes: Uint8Array, at: number): boolean {
  return protocolOf(bytes, at) !== protocol.icmp;
}

/** Where the port is that tells flows apart, or the identifier of an echo of the given type; -1 when there is none. */
function portAt(bytes: Uint8Array, at: number, length: number, side: Side, echoType: number): number {
  const family = familyOf(bytes, at);
  if (family === 4 && (word(bytes, at + 6) & FRAGMENT_OFFSET) !== 0) return -1;
  const header = headerLength(bytes, at);
  const upper = protocolOf(bytes, at);
  if (length < header + 8) return -1;
  if (upper === protocol.tcp || upper === protocol.udp) return at + header + (side === 'source' ? 0 : 2);
  const isIcmp = upper === (family === 4 ? protocol.icmp : protocol.icmp6);
  return isIcmp && bytes[at + header] === echoType ? at + header + 4 : -1;
}

/** Where the transport checksum lies; -1 where it was cut off. */
function checksumAt(bytes: Uint8Array, at: number, length: number): number {
  const upper = protocolOf(bytes, at);
  const offset = headerLength(bytes, at) + (upper === protocol.tcp ? 16 : upper === protocol.udp ? 6 : 2);
  return length >= offset + 2 ? at + offset : -1;
}
