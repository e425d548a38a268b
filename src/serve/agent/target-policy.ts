import { BlockList, isIP } from 'node:net';
import type { Io } from '../../wire/io.ts';

/**
 * Which addresses this agent measures. The server says what to measure, so the agent has the last word on where: a stolen server
 * must not turn every agent into a way to the metadata service of its cloud or to what listens on its loopback.
 */
export interface TargetPolicy {
  /** Why this address is refused; null when it is not. */
  refusal(address: string): string | null;
}

/** Refused whatever the user allows: nothing to measure is there, and credentials may be. */
const always: readonly (readonly [cidr: string, what: string])[] = [
  ['169.254.0.0/16', 'link-local, where clouds serve credentials (RFC 3927)'],
  ['fe80::/10', 'link-local (RFC 4291)'],
  ['fd00:ec2::/32', 'metadata service of a cloud'],
  ['fd20:ce::/32', 'metadata service of a cloud'],
  ['100.100.100.200/32', 'metadata service of a cloud'],
  ['168.63.129.16/32', 'host agent of a cloud'],
  ['192.0.0.192/32', 'metadata service of a cloud'],
  ['0.0.0.0/8', 'this host (RFC 1122)'],
  ['::/128', 'this host (RFC 4291)'],
  ['224.0.0.0/4', 'multicast (RFC 5771)'],
  ['ff00::/8', 'multicast (RFC 4291)'],
  ['240.0.0.0/4', 'reserved or broadcast (RFC 1112)'],
];
/** Refused unless the user allows it by name. */
const loopback: readonly string[] = ['127.0.0.0/8', '::1/128'];
/** Prefixes with an IPv4 address inside, and where it begins: NAT64 (RFC 6052), 6to4 (RFC 3056), IPv4-compatible (RFC 4291). */
const embedding: readonly (readonly [prefix: string, octet: number])[] = [
  ['64:ff9b::/96', 12],
  ['64:ff9b:1::/48', 12],
  ['2002::/16', 2],
  ['::/96', 12],
  ['::ffff:0:0/96', 12],
];

/**
 * @param allow CIDRs; empty: every address but those of this host itself
 * @throws RangeError for what is no CIDR
 */
export function targetPolicy(allow: readonly string[]): TargetPolicy {
  const allowed = addressList(allow);
  const refusal = (address: string): string | null => {
    const bare = address.replace(/%.*$/, '');
    if (isIP(bare) === 0) return 'is no address';
    const found = refused.find(({ list }) => listHas(list, bare));
    if (found) return `is ${found.what}`;
    const inside = innerIpv4(bare);
    const why = inside === null ? null : refusal(inside);
    if (why !== null) return `leads to an IPv4 address that ${why}`;
    if (allow.length > 0) return listHas(allowed, bare) ? null : 'lies in none of the networks that --allow names';
    return listHas(own, bare) ? 'is this host itself; --allow 127.0.0.0/8 or --allow ::1/128 permits it' : null;
  };
  return { refusal };
}

/**
 * The same outside world, in which names have only addresses that the policy permits. Every probe resolves through `io.dns` and
 * connects to what it got there, so that an answer that changes between check and connection has nothing to gain.
 */
export function guarded(io: Io, policy: TargetPolicy): Io {
  return {
    ...io,
    dns: {
      ...io.dns,
      lookup: async (host, family) => {
        const found = await io.dns.lookup(host, family);
        for (const { address } of found) {
          const why = policy.refusal(address);
          // EACCES: a want of permission of ours, which says nothing about the endpoint.
          if (why !== null)
            throw Object.assign(new Error(`${host} has the address ${address}, which ${why}`), { code: 'EACCES' });
        }
        return found;
      },
    },
  };
}

/** @throws RangeError for what is no CIDR */
export function addressList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [, address = '', length] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
    const family = isIP(address);
    const bits = family === 4 ? 32 : 128;
    if (family === 0 || Number(length ?? bits) > bits)
      throw new RangeError(`"${cidr}" is no CIDR like 10.0.0.0/8 or fd00::/8`);
    list.addSubnet(address, Number(length ?? bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

export function listHas(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const refused = always.map(([cidr, what]) => ({ list: addressList([cidr]), what }));
const own = addressList(loopback);
// Apart: a list with IPv4 subnets matches the IPv6 forms of their addresses, too.
const own6 = addressList(['::1/128']);
const carriers = embedding.map(([prefix, octet]) => ({ list: addressList([prefix]), octet }));

/** The IPv4 address that an IPv6 address leads to; null for all others. */
export function innerIpv4(address: string): string | null {
  const carrier =
    isIP(address) === 6 && !listHas(own6, address) ? carriers.find(({ list }) => listHas(list, address)) : undefined;
  if (!carrier) return null;
  return octetsOf(address)
    .slice(carrier.octet, carrier.octet + 4)
    .join('.');
}

/** The 16 octets of an IPv6 address, by the URL parser, which knows all of its forms. */
export function octetsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const [left, right] = [groups(head), groups(tail)];
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}
