import { type Cursor, layer, u16, u32 } from './cursor.ts';

/** LINKTYPE_ values of the tcpdump.org registry that are read. */
export const linkType = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  raw12: 12,
  raw14: 14,
  pppHdlc: 50,
  pppEthernet: 51,
  llc: 100,
  raw: 101,
  ciscoHdlc: 104,
  loop: 108,
  enc: 109,
  linuxSll: 113,
  mpls: 219,
  ipv4: 228,
  ipv6: 229,
  linuxSll2: 276,
} as const;

/** The header of the link, up to the first layer that is the same on all of them. */
export function link(cursor: Cursor, bytes: Uint8Array, type: number): number {
  switch (type) {
    case linkType.ethernet:
      return layer.ethernet;
    case linkType.raw:
    case linkType.raw12:
    case linkType.raw14:
    case linkType.ipv4:
    case linkType.ipv6:
      return layer.ip;
    case linkType.null:
    case linkType.loop:
      return family(cursor, bytes, 4);
    case linkType.enc:
      // Address family in the order of the host, parameter index, flags.
      return family(cursor, bytes, 12);
    case linkType.linuxSll:
      return cooked(cursor, bytes, { headerBytes: 16, protocolAt: 14, hardwareAt: 2 });
    case linkType.linuxSll2:
      return cooked(cursor, bytes, { headerBytes: 20, protocolAt: 0, hardwareAt: 8 });
    case linkType.ppp:
    case linkType.pppHdlc:
      return layer.ppp;
    case linkType.pppEthernet:
      return skip(cursor, 6, layer.ppp);
    case linkType.ciscoHdlc:
      return typed(cursor, bytes, 2);
    case linkType.llc:
      return layer.llc;
    case linkType.mpls:
      return layer.mpls;
    default:
      return layer.stop;
  }
}

/** Values of AF_INET6 on NetBSD and Linux, FreeBSD, and Darwin; AF_INET is 2 on all. */
const inet6 = new Set([10, 24, 28, 30]);

/** BSD loopback: a word with the address family in the order of whoever wrote it, or (LOOP) of the network. */
function family(cursor: Cursor, bytes: Uint8Array, headerBytes: number): number {
  if (cursor.end - cursor.at < headerBytes) return layer.stop;
  const word = u32(bytes, cursor.at);
  const value = word > 0xffff ? swap(word) : word;
  if (value !== 2 && !inet6.has(value)) return layer.stop;
  return skip(cursor, headerBytes, layer.ip);
}

const swap = (word: number): number =>
  ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word & 0xff00) << 8) | ((word & 0xff) << 24)) >>> 0;

interface Cooked {
  headerBytes: number;
  protocolAt: number;
  hardwareAt: number;
}

/** ARPHRD_ values by which the protocol field is no EtherType. */
const hardware = { gre: 778, radiotap: 803, netlink: 824 } as const;

/** Linux "cooked" captures (LINKTYPE_LINUX_SLL and SLL2): what `-i any` gives. */
function cooked(cursor: Cursor, bytes: Uint8Array, { headerBytes, protocolAt, hardwareAt }: Cooked): number {
  if (cursor.end - cursor.at < headerBytes) return layer.stop;
  const kind = u16(bytes, cursor.at + hardwareAt);
  if (kind === hardware.radiotap || kind === hardware.netlink) return layer.stop;
  const protocol = u16(bytes, cursor.at + protocolAt);
  // ETH_P_802_2 of linux/if_ether.h: an LLC header follows.
  if (protocol === 4) return skip(cursor, headerBytes, layer.llc);
  cursor.type = protocol;
  return skip(cursor, headerBytes, layer.etherType);
}

function typed(cursor: Cursor, bytes: Uint8Array, at: number): number {
  if (cursor.end - cursor.at < at + 2) return layer.stop;
  cursor.type = u16(bytes, cursor.at + at);
  return skip(cursor, at + 2, layer.etherType);
}

function skip(cursor: Cursor, count: number, next: number): number {
  cursor.at += count;
  return next;
}
