import { type Cursor, layer, u16, u32 } from './cursor.ts';
import { encapsulation, type Packet } from './packet.ts';

export function ip(cursor: Cursor, bytes: Uint8Array, packet: Packet): number {
  if (cursor.at >= cursor.end) return layer.stop;
  const version = bytes[cursor.at]! >>> 4;
  if (version === 4) return ipv4(cursor, bytes, packet);
  return version === 6 ? ipv6(cursor, bytes, packet) : layer.stop;
}

/** RFC 791. The total length is believed, not the frame's: Ethernet pads. */
function ipv4(cursor: Cursor, bytes: Uint8Array, packet: Packet): number {
  const { at } = cursor;
  if (cursor.end - at < 20) return layer.stop;
  const headerBytes = (bytes[at]! & 15) * 4;
  const total = u16(bytes, at + 2);
  if (headerBytes < 20 || (total !== 0 && total < headerBytes)) return layer.stop;
  // 0 is what the kernel hands to captures for segments that the card cuts, and for BIG TCP: the frame has the length.
  if (total !== 0) setEnds(cursor, at + total);
  begin(cursor, packet);
  packet.version = 4;
  packet.sourceAt = at + 12;
  packet.destinationAt = at + 16;
  packet.ipId = u16(bytes, at + 4);
  packet.hopLimit = bytes[at + 8]!;
  packet.dscp = bytes[at + 1]! >>> 2;
  packet.ecn = bytes[at + 1]! & 3;
  const fragment = u16(bytes, at + 6);
  packet.fragmentOffset = (fragment & 0x1fff) * 8;
  packet.moreFragments = (fragment & 0x2000) !== 0;
  packet.fragment = packet.fragmentOffset > 0 ? 2 : packet.moreFragments ? 1 : 0;
  packet.fragmentAt = at + headerBytes;
  packet.fragmentProtocol = bytes[at + 9]!;
  cursor.at = at + headerBytes;
  return carry(cursor, bytes, packet, bytes[at + 9]!);
}

/** RFC 8200. */
function ipv6(cursor: Cursor, bytes: Uint8Array, packet: Packet): number {
  const { at } = cursor;
  if (cursor.end - at < 40) return layer.stop;
  const payload = u16(bytes, at + 4);
  if (payload !== 0) setEnds(cursor, at + 40 + payload);
  begin(cursor, packet);
  packet.version = 6;
  packet.sourceAt = at + 8;
  packet.destinationAt = at + 24;
  packet.ipId = -1;
  packet.hopLimit = bytes[at + 7]!;
  const trafficClass = (u16(bytes, at) >>> 4) & 0xff;
  packet.dscp = trafficClass >>> 2;
  packet.ecn = trafficClass & 3;
  packet.fragment = 0;
  packet.fragmentOffset = 0;
  packet.moreFragments = false;
  packet.fragmentAt = 0;
  packet.fragmentProtocol = 0;
  cursor.at = at + 40;
  if (payload === 0) jumbo(cursor, bytes, bytes[at + 6]!);
  return carry(cursor, bytes, packet, bytes[at + 6]!);
}

/** RFC 2675: the length is in a hop-by-hop option. Without one, the frame has it (segments that the card cuts). */
function jumbo(cursor: Cursor, bytes: Uint8Array, nextHeader: number): void {
  const { at, end } = cursor;
  if (nextHeader !== extension.hopByHop || end - at < 8) return;
  const last = Math.min(end, at + (bytes[at + 1]! + 1) * 8);
  for (let here = at + 2; here + 6 <= last;) {
    const option = bytes[here]!;
    if (option === 0xc2) {
      const length = u32(bytes, here + 2);
      if (length > 0xffff) setEnds(cursor, at + length);
      return;
    }
    here += option === 0 ? 1 : 2 + bytes[here + 1]!;
  }
}

/** What follows ends there, whatever was around it says. */
export function setEnds(cursor: Cursor, end: number): void {
  cursor.saidEnd = end;
  if (end < cursor.wireEnd) cursor.wireEnd = end;
  if (end < cursor.end) cursor.end = end;
}

/** What is true of the packet whatever it carries. */
function begin(cursor: Cursor, packet: Packet): void {
  if (cursor.ipHeaders++ > 0 && !cursor.inError) cursor.outer |= encapsulation.ipip;
  packet.tunnel = cursor.tunnel;
  packet.vlan = cursor.vlan;
  packet.outerEncapsulations = cursor.outer;
  packet.inError = cursor.inError;
}

const extension = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  destination: 60,
  mobility: 135,
  hostIdentity: 139,
  shim6: 140,
} as const;
/** Most extension headers that are walked; RFC 8200 wants each once, destination options twice. */
const maxExtensions = 16;

/** Passes the extension headers (RFC 8200 section 4, RFC 4302) and leaves the cursor on the transport header. */
export function carry(cursor: Cursor, bytes: Uint8Array, packet: Packet, first: number): number {
  let next = first;
  // The payload of a fragment further behind is no header, whatever its number says.
  for (let count = 0; packet.fragment !== 2 && count < maxExtensions; count++) {
    const length = extensionBytes(next, bytes, cursor);
    if (length === 0) break;
    if (next === extension.fragment) fragmentHeader(bytes, cursor.at, packet);
    if (next === extension.authentication) packet.outerEncapsulations = cursor.outer |= encapsulation.authentication;
    next = bytes[cursor.at]!;
    cursor.at += length;
  }
  packet.protocol = next;
  cursor.type = next;
  plain(cursor, packet);
  return packet.fragment === 2 ? layer.stop : layer.transport;
}

/** 0: no extension header, or one that is not all there. */
function extensionBytes(next: number, bytes: Uint8Array, { at, end }: Cursor): number {
  if (next === 6 || next === 17) return 0;
  if (end - at < 8) return 0;
  switch (next) {
    case extension.hopByHop:
    case extension.routing:
    case extension.destination:
    case extension.mobility:
    case extension.hostIdentity:
    case extension.shim6:
      return (bytes[at + 1]! + 1) * 8;
    case extension.fragment:
      return 8;
    case extension.authentication:
      return (bytes[at + 1]! + 2) * 4;
    default:
      return 0;
  }
}

/** RFC 8200 section 4.5. Offset 0 with nothing behind it is a whole packet (RFC 6946). */
function fragmentHeader(bytes: Uint8Array, at: number, packet: Packet): void {
  const word = u16(bytes, at + 2);
  packet.ipId = u32(bytes, at + 4);
  packet.fragmentOffset = word & 0xfff8;
  packet.moreFragments = (word & 1) === 1;
  packet.fragment = packet.fragmentOffset > 0 ? 2 : packet.moreFragments ? 1 : 0;
  packet.fragmentAt = at + 8;
  packet.fragmentProtocol = bytes[at]!;
}

/** A payload without ports, until a transport header says otherwise. */
function plain(cursor: Cursor, packet: Packet): void {
  packet.transportAt = cursor.at;
  packet.packetEnd = cursor.wireEnd;
  packet.capturedEnd = cursor.end;
  packet.sourcePort = 0;
  packet.destinationPort = 0;
  packet.sequence = 0;
  packet.acknowledgement = 0;
  packet.flags = 0;
  packet.window = 0;
  packet.hasTimestamps = false;
  packet.tsVal = 0;
  packet.tsEcr = 0;
  packet.mss = -1;
  packet.windowScale = -1;
  packet.sackPermitted = false;
  packet.sackBlocks = 0;
  setPayload(cursor, packet, cursor.at);
}

/** From `at` on it is payload. A header that says to be longer than its packet leaves the length unknown. */
export function setPayload({ end, saidEnd, wireEnd }: Cursor, packet: Packet, at: number): void {
  packet.payloadAt = at;
  packet.payloadBytes = saidEnd >= at ? saidEnd - at : -1;
  packet.framedBytes = wireEnd >= at ? wireEnd - at : -1;
  packet.capturedBytes = end > at ? end - at : 0;
}
