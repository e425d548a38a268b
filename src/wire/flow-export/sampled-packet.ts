import type { Packet } from '../packet/packet.ts';
import type { Frame } from '../pcap/frame.ts';
import type { ExportedFlow } from './flow.ts';

const icmp = 1;
const icmp6 = 58;
const icmpHeaderBytes = 8;

/** A packet of which the first octets are there becomes a flow of one packet, with the octets of IP. */
export function takePacket(flow: ExportedFlow, frame: Frame, packet: Packet): void {
  if (packet.inError) return takeQuoting(flow, frame, packet);
  takeAddresses(
    flow,
    frame,
    packet.version === 6 ? 6 : 4,
    packet.version === 6 ? packet.sourceAt - 8 : packet.sourceAt - 12,
  );
  flow.protocol = packet.protocol;
  flow.sourcePort = packet.sourcePort;
  flow.destinationPort = packet.destinationPort;
  if (packet.protocol === 6 && packet.fragment !== 2) flow.tcpFlags = packet.flags;
  flow.tos = packet.dscp * 4 + packet.ecn;
  if (packet.vlan >= 0) flow.vlan = packet.vlan;
  const isIcmp = packet.protocol === icmp || packet.protocol === icmp6;
  if (isIcmp && packet.fragment !== 2 && packet.transportAt + 2 <= frame.end)
    flow.icmp = frame.bytes.readUInt16BE(packet.transportAt);
}

/** The decoder tells of the packet that an ICMP error quotes; what was sampled is the error around it. */
function takeQuoting(flow: ExportedFlow, frame: Frame, packet: Packet): void {
  const { bytes, start } = frame;
  const quoted = packet.sourceAt - (packet.version === 6 ? 8 : 12);
  const icmpAt = quoted - icmpHeaderBytes;
  const [ip4, ip6] = [icmpAt - 20, icmpAt - 40];
  if (ip4 >= start && bytes[ip4] === 0x45 && bytes[ip4 + 9] === icmp) takeAddresses(flow, frame, 4, ip4);
  else if (ip6 >= start && bytes[ip6]! >>> 4 === 6 && bytes[ip6 + 6] === icmp6) takeAddresses(flow, frame, 6, ip6);
  // With options or further headers between the two it is left out.
  else return;
  flow.protocol = flow.version === 6 ? icmp6 : icmp;
  flow.icmp = bytes.readUInt16BE(icmpAt);
}

function takeAddresses(flow: ExportedFlow, frame: Frame, version: 4 | 6, ipAt: number): void {
  const { bytes, start, originalLength } = frame;
  flow.version = version;
  flow.sourceAt = ipAt + (version === 4 ? 12 : 8);
  flow.destinationAt = flow.sourceAt + (version === 4 ? 4 : 16);
  const said = bytes.readUInt16BE(ipAt + (version === 4 ? 2 : 4));
  // Offload leaves the length 0: the frame's holds.
  flow.octets = said === 0 ? start + originalLength - ipAt : said + (version === 6 ? 40 : 0);
  flow.packets = 1;
}
