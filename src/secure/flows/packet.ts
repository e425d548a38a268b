import { parseAddress } from '../../model/cidr.ts';
import type { Flow } from '../../model/secure/snapshot.ts';
import { type Packet, service } from '../policy/box.ts';

/** Numbers of protocols (IANA) that sources write as words. */
const numbers: Record<string, number> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  sctp: 132,
};

/** The packet that begins a flow, as a policy sees it; null where the protocol has a name that nobody knows, or the families differ. */
export function packetOf({ from, to, protocol, port }: Pick<Flow, 'from' | 'to' | 'protocol' | 'port'>): Packet | null {
  const [src, dst] = [parseAddress(from), parseAddress(to)];
  const number = /^\d{1,3}$/.test(protocol) ? Number(protocol) : numbers[protocol];
  if (!src || !dst || src.family !== dst.family || number === undefined || number > 255) return null;
  // A flow of ICMP has its type for a port; the code is not seen, and the usual one is 0.
  const low = number === 1 || number === 58 ? (port & 0xff) << 8 : port;
  return { family: src.family, src: src.value, dst: dst.value, service: service(number, low) };
}
