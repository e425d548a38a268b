import { type Cursor, layer, mixTunnel, u16, u32 } from './cursor.ts';
import { encapsulation } from './packet.ts';

const etherType = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  providerVlan: 0x88a8,
  oldProviderVlan: 0x9100,
  olderProviderVlan: 0x9200,
  transparentEthernet: 0x6558,
  ppp: 0x880b,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeSession: 0x8864,
  backbone: 0x88e7,
} as const;

/** Below this the field is a length (IEEE 802.3), and LLC follows. */
const firstEtherType = 0x0600;

export function ethernet(cursor: Cursor, bytes: Uint8Array): number {
  if (cursor.end - cursor.at < 14) return layer.stop;
  const type = u16(bytes, cursor.at + 12);
  cursor.at += 14;
  if (type < firstEtherType) return layer.llc;
  cursor.type = type;
  return layer.etherType;
}

export function byEtherType(cursor: Cursor, bytes: Uint8Array): number {
  switch (cursor.type) {
    case etherType.ipv4:
    case etherType.ipv6:
      return layer.ip;
    case etherType.vlan:
    case etherType.providerVlan:
    case etherType.oldProviderVlan:
    case etherType.olderProviderVlan:
      return vlan(cursor, bytes);
    case etherType.mpls:
    case etherType.mplsMulticast:
      return layer.mpls;
    case etherType.pppoeSession:
      return pppoe(cursor, bytes);
    case etherType.ppp:
      return layer.ppp;
    case etherType.transparentEthernet:
      cursor.outer |= encapsulation.ethernet;
      return layer.ethernet;
    case etherType.backbone:
      return backbone(cursor, bytes);
    default:
      return layer.stop;
  }
}

/** A tag of IEEE 802.1Q or 802.1ad; they nest. */
function vlan(cursor: Cursor, bytes: Uint8Array): number {
  if (cursor.end - cursor.at < 4) return layer.stop;
  const id = u16(bytes, cursor.at) & 0x0fff;
  const type = u16(bytes, cursor.at + 2);
  cursor.at += 4;
  cursor.vlan = id;
  cursor.outer |= encapsulation.vlan;
  // Id 0 carries a priority and no network (IEEE 802.1Q section 6.9).
  if (id !== 0) mixTunnel(cursor, encapsulation.vlan, id);
  if (type < firstEtherType) return layer.llc;
  cursor.type = type;
  return layer.etherType;
}

/** IEEE 802.1ah: a service id and a whole frame. */
function backbone(cursor: Cursor, bytes: Uint8Array): number {
  if (cursor.end - cursor.at < 4) return layer.stop;
  mixTunnel(cursor, encapsulation.ethernet, u32(bytes, cursor.at) & 0xff_ffff);
  cursor.outer |= encapsulation.ethernet;
  cursor.at += 4;
  return layer.ethernet;
}

/** IEEE 802.2; IP stands behind a SNAP header (RFC 1042), seldom behind its own access point (06). */
export function llc(cursor: Cursor, bytes: Uint8Array): number {
  const { at, end } = cursor;
  if (end - at < 3) return layer.stop;
  cursor.outer |= encapsulation.llc;
  if (bytes[at] === 0x06 && bytes[at + 1] === 0x06) {
    cursor.at += 3;
    return layer.ip;
  }
  if (bytes[at] !== 0xaa || bytes[at + 1] !== 0xaa || end - at < 8) return layer.stop;
  const organisation = u32(bytes, at + 2) & 0xff_ffff;
  // 00-00-00 and the bridge tunnel 00-00-F8 carry EtherTypes.
  if (organisation !== 0 && organisation !== 0xf8) return layer.stop;
  cursor.type = u16(bytes, at + 6);
  cursor.at += 8;
  return layer.etherType;
}

/** RFC 2516. */
function pppoe(cursor: Cursor, bytes: Uint8Array): number {
  const { at, end } = cursor;
  if (end - at < 6 || bytes[at] !== 0x11 || bytes[at + 1] !== 0) return layer.stop;
  mixTunnel(cursor, encapsulation.pppoe, u16(bytes, at + 2));
  cursor.outer |= encapsulation.pppoe;
  cursor.at += 6;
  return layer.ppp;
}

const pppProtocol = { ipv4: 0x0021, ipv6: 0x0057, mpls: 0x0281, mplsMulticast: 0x0283 } as const;

/** RFC 1661 and 1662: address and control may be left out, and the protocol compressed to one octet. */
export function ppp(cursor: Cursor, bytes: Uint8Array): number {
  let { at } = cursor;
  const { end } = cursor;
  if (end - at >= 2 && bytes[at] === 0xff && bytes[at + 1] === 0x03) at += 2;
  if (end - at < 2) return layer.stop;
  const isShort = (bytes[at]! & 1) === 1;
  const protocol = isShort ? bytes[at]! : u16(bytes, at);
  cursor.at = at + (isShort ? 1 : 2);
  cursor.outer |= encapsulation.ppp;
  if (protocol === pppProtocol.ipv4 || protocol === pppProtocol.ipv6) return layer.ip;
  if (protocol === pppProtocol.mpls || protocol === pppProtocol.mplsMulticast) return layer.mpls;
  return layer.stop;
}

/** Most labels of a stack that are believed. */
const maxLabels = 16;

/**
 * RFC 3032. What the stack carries is said nowhere: by the first half octet it is IP, the control word of a pseudowire (RFC 4385) or
 * its channel, or a frame without one. Labels are of one direction only and stay out of the hash.
 */
export function mpls(cursor: Cursor, bytes: Uint8Array): number {
  cursor.outer |= encapsulation.mpls;
  for (let label = 0; label < maxLabels; label++) {
    if (cursor.end - cursor.at < 5) return layer.stop;
    const isLast = (bytes[cursor.at + 2]! & 1) === 1;
    cursor.at += 4;
    if (!isLast) continue;
    const half = bytes[cursor.at]! >>> 4;
    if (looksLikeIp(cursor, bytes, half)) return layer.ip;
    if (half === 1) return layer.stop;
    // A control word begins with 0000; so do addresses of many vendors, but then nothing that can be read would follow.
    if (half === 0 && !looksLikeFrame(bytes, cursor.at, cursor.end)) cursor.at += 4;
    cursor.outer |= encapsulation.ethernet;
    return layer.ethernet;
  }
  return layer.stop;
}

/** A MAC address may begin with 4 or 6 as well: the length has to fit. */
function looksLikeIp({ at, end, wireEnd }: Cursor, bytes: Uint8Array, half: number): boolean {
  if (half === 4 && end - at >= 4) {
    const total = u16(bytes, at + 2);
    return (bytes[at]! & 15) >= 5 && (total === 0 || (total >= 20 && total <= wireEnd - at));
  }
  return half === 6 && end - at >= 6 && u16(bytes, at + 4) <= wireEnd - at - 40;
}

function looksLikeFrame(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 18) return false;
  const straight = isKnown(u16(bytes, at + 12));
  const behindWord = isKnown(u16(bytes, at + 16));
  return straight && !behindWord;
}

const isKnown = (type: number): boolean =>
  type === etherType.ipv4 || type === etherType.ipv6 || type === etherType.vlan || type === etherType.providerVlan;
