import { type Cursor, layer, u16, u32 } from './cursor.ts';
import { setEnds, setPayload } from './ip.ts';
import { encapsulation, type Packet } from './packet.ts';
import { tcpOptions } from './tcp-options.ts';
import { gre, isTunnelPort, udpTunnel } from './tunnel.ts';

/** IANA protocol numbers. */
const protocol = {
  icmp: 1,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  icmpv6: 58,
  ipip: 94,
  etherIp: 97,
  sctp: 132,
  udpLite: 136,
  mplsInIp: 137,
} as const;

export function transport(cursor: Cursor, bytes: Uint8Array, packet: Packet): number {
  switch (cursor.type) {
    case protocol.tcp:
      return tcp(cursor, bytes, packet);
    case protocol.udp:
      return udp(cursor, bytes, packet);
    case protocol.icmp:
      return icmpError(cursor, bytes, isIcmpError);
    case protocol.icmpv6:
      return icmpError(cursor, bytes, isIcmpv6Error);
    case protocol.ipv4:
    case protocol.ipv6:
    case protocol.ipip:
      return packet.fragment === 0 ? layer.ip : layer.stop;
    case protocol.gre:
      return packet.fragment === 0 ? gre(cursor, bytes) : layer.stop;
    case protocol.mplsInIp:
      return packet.fragment === 0 ? layer.mpls : layer.stop;
    case protocol.etherIp:
      // RFC 3378: version 3 and twelve bits of nothing.
      if (packet.fragment !== 0 || cursor.end - cursor.at < 2 || bytes[cursor.at]! >>> 4 !== 3) return layer.stop;
      cursor.at += 2;
      cursor.outer |= encapsulation.ethernet;
      return layer.ethernet;
    case protocol.sctp:
    case protocol.dccp:
    case protocol.udpLite:
      if (cursor.end - cursor.at >= 4) ports(bytes, cursor.at, packet);
      return layer.stop;
    default:
      return layer.stop;
  }
}

function ports(bytes: Uint8Array, at: number, packet: Packet): void {
  packet.sourcePort = u16(bytes, at);
  packet.destinationPort = u16(bytes, at + 2);
}

/** RFC 9293 section 3.1. Where the header is cut or lies about itself, `payloadBytes` is -1. */
function tcp(cursor: Cursor, bytes: Uint8Array, packet: Packet): number {
  const { at, end } = cursor;
  packet.payloadBytes = -1;
  packet.framedBytes = -1;
  packet.capturedBytes = 0;
  if (end - at >= 4) ports(bytes, at, packet);
  if (end - at < 16) return layer.stop;
  packet.sequence = u32(bytes, at + 4);
  packet.acknowledgement = u32(bytes, at + 8);
  packet.flags = u16(bytes, at + 12) & 0x1ff;
  packet.window = u16(bytes, at + 14);
  const headerBytes = (bytes[at + 12]! >>> 4) * 4;
  if (headerBytes < 20) return layer.stop;
  setPayload(cursor, packet, at + headerBytes);
  if (headerBytes > 20) tcpOptions(bytes, at + 20, Math.min(end, at + headerBytes), packet);
  return layer.stop;
}

/** RFC 768. Length 0 is what TSO and jumbograms (RFC 2675) have. */
function udp(cursor: Cursor, bytes: Uint8Array, packet: Packet): number {
  const { at, end } = cursor;
  packet.payloadBytes = -1;
  packet.framedBytes = -1;
  packet.capturedBytes = 0;
  if (end - at >= 4) ports(bytes, at, packet);
  if (end - at < 8) return layer.stop;
  const length = u16(bytes, at + 4);
  const isWhole = packet.fragment === 0;
  setPayload(cursor, packet, at + 8);
  if (length >= 8 && isWhole) shorten(packet, length - 8);
  if (!isWhole || !isTunnelPort(packet.sourcePort, packet.destinationPort)) return layer.stop;
  if (length >= 8) setEnds(cursor, at + length);
  cursor.at = at + 8;
  return udpTunnel(cursor, bytes, packet);
}

function shorten(packet: Packet, length: number): void {
  if (length < packet.payloadBytes) packet.payloadBytes = length;
  if (length < packet.framedBytes) packet.framedBytes = length;
  if (length < packet.capturedBytes) packet.capturedBytes = length;
}

const isIcmpError = (type: number): boolean => type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
const isIcmpv6Error = (type: number): boolean => type >= 1 && type <= 4;

/** RFC 792 and 4443: eight octets, then the packet that the error is about. */
function icmpError(cursor: Cursor, bytes: Uint8Array, isError: (type: number) => boolean): number {
  const { at, end } = cursor;
  if (cursor.inError || end - at < 9 || !isError(bytes[at]!)) return layer.stop;
  cursor.at = at + 8;
  cursor.inError = true;
  return layer.ip;
}
