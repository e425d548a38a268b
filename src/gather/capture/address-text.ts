import { SocketAddress } from 'node:net';
import type { Packet } from '../../wire/packet/packet.ts';

/** The address at an offset of a packet as text, IPv6 as RFC 5952 writes it. */
export function addressText(packet: Packet, at: number): string {
  const { bytes } = packet;
  if (packet.version === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + 2 * i).toString(16));
  return new SocketAddress({ family: 'ipv6', address: words.join(':') }).address;
}
