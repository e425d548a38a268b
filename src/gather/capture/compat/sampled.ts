import type { Packet } from '../../../wire/packet/packet.ts';
import { linkType } from '../../../wire/packet/link.ts';
import { type Frame, newFrame } from '../../../wire/pcap/frame.ts';

const sflowPort = 6343;
/** Formats of sFlow version 5 (sflow_version_5.txt): flow samples, short and expanded, and the record with the head of a packet. */
const format = { flowSample: 1, expandedFlowSample: 3, rawHeader: 1 } as const;

/**
 * Calls `see` for every packet whose head an sFlow datagram carries. Wireshark dissects them where they stand, and they take numbers of
 * streams from the packets that come later.
 */
export function eachSampled(packet: Packet, see: (frame: Frame) => void): void {
  const { bytes, payloadAt, capturedBytes, sourcePort, destinationPort, protocol, fragment } = packet;
  if (protocol !== 17 || fragment !== 0 || (sourcePort !== sflowPort && destinationPort !== sflowPort)) return;
  const end = payloadAt + capturedBytes;
  if (capturedBytes < 28 || bytes.readUInt32BE(payloadAt) !== 5) return;
  const isIpv6 = bytes.readUInt32BE(payloadAt + 4) === 2;
  eachRecord(bytes, payloadAt + (isIpv6 ? 40 : 28), end, (kind, at, last) => {
    const head = kind === format.flowSample ? 32 : kind === format.expandedFlowSample ? 44 : 0;
    if (head === 0) return;
    eachRecord(bytes, at + head, last, (record, from, to) => {
      if (record === format.rawHeader && to - from >= 16) header(bytes, from, to, see);
    });
  });
}

function eachRecord(
  bytes: Buffer,
  from: number,
  end: number,
  see: (kind: number, at: number, end: number) => void,
): void {
  for (let at = from; at + 8 <= end;) {
    const length = bytes.readUInt32BE(at + 4);
    if (length > end - at - 8) return;
    see(bytes.readUInt32BE(at), at + 8, at + 8 + length);
    at += 8 + length;
  }
}

/** Protocols of the record: Ethernet, IPv4, IPv6. */
const links: Readonly<Record<number, number>> = {
  1: linkType.ethernet,
  11: linkType.ipv4,
  12: linkType.ipv6,
};

function header(bytes: Buffer, at: number, end: number, see: (frame: Frame) => void): void {
  const link = links[bytes.readUInt32BE(at)];
  const length = Math.min(bytes.readUInt32BE(at + 12), end - at - 16);
  if (link === undefined) return;
  const frame = newFrame();
  frame.bytes = bytes;
  frame.start = at + 16;
  frame.end = frame.start + length;
  frame.originalLength = Math.max(length, bytes.readUInt32BE(at + 4) - bytes.readUInt32BE(at + 8));
  frame.linkType = link;
  see(frame);
}
