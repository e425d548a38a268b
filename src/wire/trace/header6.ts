import { addressBytes, setWord } from '../ip.ts';
import type { StampedSocket } from '../error-queue.ts';
import { SOL_IPV6 } from '../msghdr.ts';

/**
 * IPv6 headers written by us: on a raw socket the kernel would give all flows one flow label, by which many balancers choose
 * (RFC 6438), while ports are what others choose by.
 */
export const HEADER6_BYTES = 40;
const IPV6_HDRINCL = 36;
/** Any constant: labels should look like drawn at random (RFC 6437), and be the same for all probes of a flow. */
const LABEL_STEP = 0x9e37;

/** From now on packets are sent with the header that they begin with. */
export function includeHeader6(socket: StampedSocket): void {
  socket.setOption(SOL_IPV6, IPV6_HDRINCL, 1);
}

/** 20 bits, different for the first million flows, never zero. */
export function flowLabelOf(flow: number): number {
  return ((flow + 1) * LABEL_STEP) % 0xfffff || 1;
}

/** Writes all of the header but hop limit and flow label, which writeProbe6() sets per probe. */
export function startHeader6(packet: Buffer, source: string, destination: string, nextHeader: number): void {
  packet[0] = 0x60;
  setWord(packet, 4, packet.length - HEADER6_BYTES);
  packet[6] = nextHeader;
  packet.set(addressBytes(source), 8);
  packet.set(addressBytes(destination.split('%', 1)[0]!), 24);
}

export function writeProbe6(packet: Buffer, flow: number, hopLimit: number): void {
  packet.writeUInt32BE(0x60000000 + flowLabelOf(flow), 0);
  packet[7] = hopLimit;
}
