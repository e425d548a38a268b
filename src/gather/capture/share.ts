import type { Packet } from '../../wire/packet/packet.ts';
import { rocePort } from '../../wire/roce.ts';
import { wordAt } from './word-index.ts';

/**
 * Which of so many threads a packet belongs to: the same for both directions of a conversation and for copies of a packet that differ in
 * what is around them. All of RDMA is in one, since its acknowledgements go by other ports than what they acknowledge.
 */
export function shareOf(packet: Packet, of: number): number {
  const { bytes, version, sourceAt, destinationAt, sourcePort, destinationPort, protocol } = packet;
  if (protocol === 17 && (destinationPort === rocePort || sourcePort === rocePort)) return 0;
  let hash = (sourcePort + destinationPort) ^ (protocol << 20);
  const octets = version === 6 ? 16 : 4;
  for (let i = 0; i < octets; i += 4)
    hash = mixed(hash ^ wordAt(bytes, sourceAt + i) ^ wordAt(bytes, destinationAt + i));
  return (hash >>> 8) % of;
}

function mixed(value: number): number {
  const product = Math.imul(value ^ (value >>> 16), 0x9e37_79b1);
  return Math.imul(product ^ (product >>> 15), 0x85eb_ca6b);
}
