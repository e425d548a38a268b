import type { Frame } from '../pcap/frame.ts';
import { type Cursor, layer, newCursor } from './cursor.ts';
import { byEtherType, ethernet, llc, mpls, ppp } from './ether.ts';
import { carry, ip } from './ip.ts';
import { link, linkType } from './link.ts';
import { type Packet, resetPacket } from './packet.ts';
import { plainTcp } from './plain-tcp.ts';
import { transport } from './transport.ts';

/** Most layers that are opened: deeper nesting than any network has, and an end for packets that nest for the sake of it. */
const maxLayers = 32;

const cursor = newCursor();

/**
 * Fills `packet` with the innermost IP packet of the frame and its transport header: from the link through tags, labels and tunnels.
 * What cannot be read further leaves the last packet that could. Nothing is allocated, and no octets make it throw.
 *
 * @returns false where there is no IP: ARP, 802.11, a link type that is not known, a frame that is cut too early
 */
export function decodePacket(frame: Frame, packet: Packet): boolean {
  if (frame.linkType === linkType.ethernet && plainTcp(frame, packet)) return true;
  resetPacket(packet, frame);
  const wireEnd = frame.start + Math.max(frame.originalLength, frame.end - frame.start) - frame.fcsBytes;
  open(cursor, frame.start, Math.min(frame.end, wireEnd), wireEnd);
  descend(cursor, link(cursor, frame.bytes, frame.linkType), frame.bytes, packet);
  return packet.version !== 0;
}

/**
 * Goes on with a datagram that was put together again: `packet` is one of its fragments, `datagram` what they carried. Afterwards the
 * packet is whole and its offsets count in a buffer of its own.
 */
export function decodeDatagram(packet: Packet, datagram: Uint8Array): void {
  const { bytes, sourceAt, destinationAt, version, tunnel, vlan, outerEncapsulations } = packet;
  const addressBytes = version === 6 ? 16 : 4;
  const whole = Buffer.concat([
    bytes.subarray(sourceAt, sourceAt + addressBytes),
    bytes.subarray(destinationAt, destinationAt + addressBytes),
    datagram,
  ]);
  open(cursor, 2 * addressBytes, whole.length, whole.length);
  cursor.tunnel = tunnel;
  cursor.vlan = vlan;
  cursor.outer = outerEncapsulations;
  cursor.ipHeaders = 1;
  packet.bytes = whole;
  packet.sourceAt = 0;
  packet.destinationAt = addressBytes;
  packet.fragment = 0;
  packet.fragmentOffset = 0;
  packet.moreFragments = false;
  descend(cursor, carry(cursor, whole, packet, packet.fragmentProtocol), whole, packet);
}

function open(into: Cursor, at: number, end: number, wireEnd: number): void {
  into.at = at;
  into.end = end;
  into.saidEnd = wireEnd;
  into.wireEnd = wireEnd;
  into.tunnel = 0;
  into.vlan = -1;
  into.outer = 0;
  into.inError = false;
  into.ipHeaders = 0;
}

function descend(cursor: Cursor, first: number, bytes: Uint8Array, packet: Packet): void {
  let next = first;
  for (let depth = 0; depth < maxLayers; depth++) {
    switch (next) {
      case layer.ethernet:
        next = ethernet(cursor, bytes);
        break;
      case layer.etherType:
        next = byEtherType(cursor, bytes);
        break;
      case layer.ip:
        next = ip(cursor, bytes, packet);
        break;
      case layer.transport:
        next = transport(cursor, bytes, packet);
        break;
      case layer.llc:
        next = llc(cursor, bytes);
        break;
      case layer.ppp:
        next = ppp(cursor, bytes);
        break;
      case layer.mpls:
        next = mpls(cursor, bytes);
        break;
      default:
        return;
    }
  }
}
