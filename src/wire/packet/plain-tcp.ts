import type { Frame } from '../pcap/frame.ts';
import { u16, u32 } from './cursor.ts';
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
  const ip = start + ipAt;
  // EtherType; version 4 with five words; no fragment; TCP.
  if (u16(bytes, start + 12) !== 0x0800 || bytes[ip] !== 0x45 || bytes[ip + 9] !== 6) return false;
  if ((u16(bytes, ip + 6) & 0x3fff) !== 0) return false;
  const total = u16(bytes, ip + 2);
  const tcp = start + tcpAt;
  const headerBytes = (bytes[tcp + 12]! >>> 4) * 4;
  if (headerBytes < 20 || total < 20 + headerBytes) return false;
  const said = ip + total;
  const framed = start + Math.max(originalLength, end - start) - fcsBytes;
  const wireEnd = Math.min(said, framed);
  const capturedEnd = Math.min(end, wireEnd);
  const payloadAt = tcp + headerBytes;
  if (payloadAt > capturedEnd) return false;
  packet.bytes = bytes;
  packet.version = 4;
  packet.sourceAt = ip + 12;
  packet.destinationAt = ip + 16;
  packet.protocol = 6;
  packet.ipId = u16(bytes, ip + 4);
  packet.hopLimit = bytes[ip + 8]!;
  packet.dscp = bytes[ip + 1]! >>> 2;
  packet.ecn = bytes[ip + 1]! & 3;
  packet.fragment = 0;
  packet.fragmentOffset = 0;
  packet.moreFragments = false;
  packet.fragmentAt = tcp;
  packet.fragmentProtocol = 6;
  packet.sourcePort = u16(bytes, tcp);
  packet.destinationPort = u16(bytes, tcp + 2);
  packet.transportAt = tcp;
  packet.packetEnd = wireEnd;
  packet.capturedEnd = capturedEnd;
  packet.payloadAt = payloadAt;
  packet.payloadBytes = said - payloadAt;
  packet.framedBytes = wireEnd - payloadAt;
  packet.capturedBytes = capturedEnd - payloadAt;
  packet.sequence = u32(bytes, tcp + 4);
  packet.acknowledgement = u32(bytes, tcp + 8);
  packet.flags = u16(bytes, tcp + 12) & 0x1ff;
  packet.window = u16(bytes, tcp + 14);
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
