import { type Cursor, layer, mixTunnel, u16, u32 } from './cursor.ts';
import { encapsulation, type Packet } from './packet.ts';

/** Bits of the first word of GRE (RFC 2784, 2890, 2637). */
const greBit = { checksum: 0x8000, routing: 0x4000, key: 0x2000, sequence: 0x1000, acknowledgement: 0x0080 } as const;
const greProtocol = { erspan: 0x88be, erspan3: 0x22eb, wccp: 0x883e } as const;

export function gre(cursor: Cursor, bytes: Uint8Array): number {
  const { at, end } = cursor;
  if (end - at < 4) return layer.stop;
  const bits = u16(bytes, at);
  const version = bits & 7;
  // Source routes (RFC 1701) were taken back, and are nowhere to be seen.
  if (version > 1 || bits & greBit.routing) return layer.stop;
  let here = at + 4 + (bits & greBit.checksum ? 4 : 0);
  const keyAt = here;
  if (bits & greBit.key) here += 4;
  if (bits & greBit.sequence) here += 4;
  if (version === 1 && bits & greBit.acknowledgement) here += 4;
  if (end - here < 1) return layer.stop;
  cursor.outer |= encapsulation.gre;
  // The key of version 1 is a length and the call of one direction.
  if (version === 0 && bits & greBit.key) mixTunnel(cursor, encapsulation.gre, u32(bytes, keyAt));
  cursor.at = here;
  cursor.type = u16(bytes, at + 2);
  if (cursor.type === greProtocol.erspan) return erspan(cursor, bytes, (bits & greBit.sequence) !== 0);
  if (cursor.type === greProtocol.erspan3) return erspan3(cursor, bytes);
  // WCCP version 2 puts a word of its own before IP.
  if (cursor.type === greProtocol.wccp) {
    if (bytes[here]! >>> 4 !== 4) cursor.at += 4;
    return layer.ip;
  }
  return layer.etherType;
}

/** Type I has no header; type II eight octets, and its GRE a sequence number. */
function erspan(cursor: Cursor, bytes: Uint8Array, hasSequence: boolean): number {
  cursor.outer |= encapsulation.erspan;
  if (!hasSequence) return layer.ethernet;
  if (cursor.end - cursor.at < 8) return layer.stop;
  return mirrored(cursor, bytes, 8);
}

function erspan3(cursor: Cursor, bytes: Uint8Array): number {
  const { at, end } = cursor;
  if (end - at < 12) return layer.stop;
  cursor.outer |= encapsulation.erspan;
  // The last word has a type of frame (0 Ethernet, 2 IP) in five bits, and whether a subheader follows in the last one.
  const word = u16(bytes, at + 10);
  const next = mirrored(cursor, bytes, word & 1 ? 20 : 12);
  return ((word >>> 10) & 0x1f) === 2 ? layer.ip : next;
}

function mirrored(cursor: Cursor, bytes: Uint8Array, headerBytes: number): number {
  // The session, and the VLAN that the frame was seen in.
  mixTunnel(cursor, encapsulation.erspan, u16(bytes, cursor.at + 2) & 0x03ff);
  const vlan = u16(bytes, cursor.at) & 0x0fff;
  if (vlan !== 0) mixTunnel(cursor, encapsulation.vlan, vlan);
  cursor.at += headerBytes;
  return layer.ethernet;
}

const port = {
  l2tp: 1701,
  gtpUser: 2152,
  teredo: 3544,
  vxlan: 4789,
  vxlanGeneric: 4790,
  geneve: 6081,
  mpls: 6635,
  /** Of Linux before the assignment. */
  oldVxlan: 8472,
} as const;

/** Whether a datagram of these ports may be a tunnel. Its contents decide: an ephemeral port can have the number too. */
export function isTunnelPort(source: number, destination: number): boolean {
  return isTunnel(destination) || isTunnel(source);
}

function isTunnel(number: number): boolean {
  switch (number) {
    case port.l2tp:
    case port.gtpUser:
    case port.teredo:
    case port.vxlan:
    case port.vxlanGeneric:
    case port.geneve:
    case port.mpls:
    case port.oldVxlan:
      return true;
    default:
      return false;
  }
}

/** The cursor is on what UDP carries; the destination port says what it is, for GTP and Teredo also the source. */
export function udpTunnel(cursor: Cursor, bytes: Uint8Array, { sourcePort, destinationPort }: Packet): number {
  const number = isTunnel(destinationPort) ? destinationPort : sourcePort;
  switch (number) {
    case port.vxlan:
    case port.oldVxlan:
      return vxlan(cursor, bytes, false);
    case port.vxlanGeneric:
      return vxlan(cursor, bytes, true);
    case port.geneve:
      return geneve(cursor, bytes);
    case port.gtpUser:
      return gtp(cursor, bytes);
    case port.teredo:
      return teredo(cursor, bytes);
    case port.l2tp:
      return l2tp(cursor, bytes);
    case port.mpls:
      return layer.mpls;
    default:
      return layer.stop;
  }
}

/** RFC 7348; with a next protocol by draft-ietf-nvo3-vxlan-gpe. */
function vxlan(cursor: Cursor, bytes: Uint8Array, isGeneric: boolean): number {
  const { at, end } = cursor;
  if (end - at < 9 || (bytes[at]! & 0x08) === 0) return layer.stop;
  mixTunnel(cursor, encapsulation.vxlan, u32(bytes, at + 4) >>> 8);
  cursor.outer |= encapsulation.vxlan;
  cursor.at = at + 8;
  if (!isGeneric || (bytes[at]! & 0x04) === 0) return layer.ethernet;
  const next = bytes[at + 3]!;
  if (next === 1 || next === 2) return layer.ip;
  return next === 3 ? layer.ethernet : layer.stop;
}

/** RFC 8926. */
function geneve(cursor: Cursor, bytes: Uint8Array): number {
  const { at, end } = cursor;
  if (end - at < 8 || bytes[at]! >>> 6 !== 0) return layer.stop;
  const headerBytes = 8 + (bytes[at]! & 0x3f) * 4;
  if (end - at <= headerBytes) return layer.stop;
  mixTunnel(cursor, encapsulation.geneve, u32(bytes, at + 4) >>> 8);
  cursor.outer |= encapsulation.geneve;
  cursor.at = at + headerBytes;
  cursor.type = u16(bytes, at + 2);
  return layer.etherType;
}

/** Most extension headers of GTP that are walked. */
const maxGtpExtensions = 8;

/** 3GPP TS 29.281: only user data (message 255) has a packet inside. Tunnel ids are of one direction and stay out of the hash. */
function gtp(cursor: Cursor, bytes: Uint8Array): number {
  const { at, end } = cursor;
  if (end - at < 9 || bytes[at]! >>> 4 !== 3 || bytes[at + 1] !== 255) return layer.stop;
  let here = at + 8;
  if (bytes[at]! & 0x07) {
    if (end - here < 4) return layer.stop;
    let next = bytes[at]! & 0x04 ? bytes[here + 3]! : 0;
    here += 4;
    for (let count = 0; next !== 0; count++) {
      if (count >= maxGtpExtensions || end - here < 4) return layer.stop;
      const length = bytes[here]! * 4;
      if (length === 0 || length > end - here) return layer.stop;
      next = bytes[here + length - 1]!;
      here += length;
    }
  }
  cursor.outer |= encapsulation.gtp;
  cursor.at = here;
  return layer.ip;
}

/** RFC 4380: an authentication and an origin indication may stand before the IPv6 packet. */
function teredo(cursor: Cursor, bytes: Uint8Array): number {
  let { at } = cursor;
  const { end } = cursor;
  if (end - at >= 4 && u16(bytes, at) === 1) at += 4 + bytes[at + 2]! + bytes[at + 3]! + 9;
  if (end - at >= 8 && u16(bytes, at) === 0) at += 8;
  if (end - at < 40 || bytes[at]! >>> 4 !== 6 || u16(bytes, at + 4) > cursor.wireEnd - at - 40) return layer.stop;
  cursor.outer |= encapsulation.teredo;
  cursor.at = at;
  return layer.ip;
}

/** RFC 2661, data messages: optional fields by bits, then PPP. Session ids are of one direction. */
function l2tp(cursor: Cursor, bytes: Uint8Array): number {
  const { at, end } = cursor;
  if (end - at < 8) return layer.stop;
  const bits = u16(bytes, at);
  if (bits & 0x8000 || (bits & 0x000f) !== 2) return layer.stop;
  let here = at + 6 + (bits & 0x4000 ? 2 : 0) + (bits & 0x0800 ? 4 : 0);
  if (bits & 0x0200) {
    if (end - here < 2) return layer.stop;
    here += 2 + u16(bytes, here);
  }
  if (end - here < 2) return layer.stop;
  cursor.outer |= encapsulation.l2tp;
  cursor.at = here;
  return layer.ppp;
}
