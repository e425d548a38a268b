import type { Frame } from '../pcap/frame.ts';
import { viewOf } from '../view.ts';
import type { Packet } from './packet.ts';
import { tcpOptions } from './tcp-options.ts';

const ipAt = 14;
const tcpAt = ipAt + 20;
const leastBytes = tcpAt + 20;

/**
 * The way through all layers at once for what most frames of most captures are: TCP in IPv4 without options or fragments, directly in
 * Ethernet, headers captured whole. It fills `packet` exactly as layer after layer does.
 *
 * @returns false, with nothing filled, where the frame is anything else
 */
export function plainTcp({ bytes, start, end, originalLength, fcsBytes }: Frame, packet: Packet): boolean {
  if (end - start < leastBytes) return false;
  const view = viewOf(bytes);
  const ip = start + ipAt;
  // EtherType, version 4 with five words, and the service.
  const first = view.getInt32(start + 12);
  if (first >>> 8 !== 0x0800_45) return false;
  const lengthAndId = view.getInt32(ip + 2);
  // No fragment, whatever its hop limit, and TCP.
  const fragment = view.getInt32(ip + 6);
  if ((fragment & 0x3fff_00ff) !== 6) return false;
  const total = lengthAndId >>> 16;
  const tcp = start + tcpAt;
  const flagsAndWindow = view.getInt32(tcp + 12);
  const headerBytes = (flagsAndWindow >>> 28) * 4;
  if (headerBytes < 20 || total < 20 + headerBytes) return false;
  const said = ip + total;
  const framed = start + Math.max(originalLength, end - start) - fcsBytes;
  const wireEnd = Math.min(said, framed);
  const capturedEnd = Math.min(end, wireEnd);
  const payloadAt = tcp + headerBytes;
  if (payloadAt > capturedEnd) return false;
  const ports = view.getInt32(tcp);
  packet.bytes = bytes;
  packet.version = 4;
  packet.sourceAt = ip + 12;
  packet.destinationAt = ip + 16;
  packet.protocol = 6;
  packet.ipId = lengthAndId & 0xffff;
  packet.hopLimit = (fragment >>> 8) & 0xff;
  packet.dscp = (first & 0xff) >>> 2;
  packet.ecn = first & 3;
  packet.fragment = 0;
  packet.fragmentOffset = 0;
  packet.moreFragments = false;
  packet.fragmentAt = tcp;
  packet.fragmentProtocol = 6;
  packet.sourcePort = ports >>> 16;
  packet.destinationPort = ports & 0xffff;
  packet.transportAt = tcp;
  packet.packetEnd = wireEnd;
  packet.capturedEnd = capturedEnd;
  packet.payloadAt = payloadAt;
  packet.payloadBytes = said - payloadAt;
  packet.framedBytes = wireEnd - payloadAt;
  packet.capturedBytes = capturedEnd - payloadAt;
  packet.sequence = view.getUint32(tcp + 4);
  packet.acknowledgement = view.getUint32(tcp + 8);
  packet.flags = (flagsAndWindow >>> 16) & 0x1ff;
  packet.window = flagsAndWindow & 0xffff;
  packet.hasTimestamps = false;
  packet.tsVal = 0;
  packet.tsEcr = 0;
  packet.mss = -1;
  packet.windowScale = -1;
  packet.sackPermitted = false;
  packet.sackBlocks = 0;
  packet.tunnel = 0;
  packet.vlan = -1;
  packet.outerEncapsulations = 0;
  packet.inError = false;
  if (headerBytes > 20) tcpOptions(bytes, tcp + 20, payloadAt, packet);
  return true;
}
