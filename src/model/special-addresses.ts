import { type Cidr, contains, type Family, overlaps, parseCidr, type Range } from './cidr.ts';

/**
 * Addresses that are not like others, in one table: for what may be asked, measured and sent to. `never`: nothing is sent there,
 * whoever says that it is theirs or allowed, for nothing to serve is there, and credentials may be. `local`: not reachable from the
 * Internet.
 * Sources: the RFC of each in its line (the IANA registries of RFC 6890 and RFC 8190 list them, but could not be read when this was
 * written); metadata services as the clouds document them.
 */
const table: readonly (readonly [cidr: string, rule: 'never' | 'local', what: string])[] = [
  ['0.0.0.0/8', 'never', 'this host (RFC 1122)'],
  ['10.0.0.0/8', 'local', 'private (RFC 1918)'],
  ['100.64.0.0/10', 'local', 'shared by customers of a provider (RFC 6598)'],
  ['100.100.100.200/32', 'never', 'the metadata service of a cloud'],
  ['127.0.0.0/8', 'local', 'loopback (RFC 1122)'],
  ['168.63.129.16/32', 'never', 'the host agent of a cloud'],
  ['169.254.0.0/16', 'never', 'link-local, where clouds serve credentials (RFC 3927)'],
  ['172.16.0.0/12', 'local', 'private (RFC 1918)'],
  ['192.0.0.0/24', 'local', 'for protocols of the IETF (RFC 6890)'],
  ['192.0.0.192/32', 'never', 'the metadata service of a cloud'],
  ['192.0.2.0/24', 'local', 'for documentation (RFC 5737)'],
  ['192.88.99.0/24', 'local', 'relays of 6to4, given up (RFC 7526)'],
  ['192.168.0.0/16', 'local', 'private (RFC 1918)'],
  ['198.18.0.0/15', 'local', 'for benchmarks (RFC 2544)'],
  ['198.51.100.0/24', 'local', 'for documentation (RFC 5737)'],
  ['203.0.113.0/24', 'local', 'for documentation (RFC 5737)'],
  ['224.0.0.0/4', 'never', 'multicast (RFC 5771)'],
  ['240.0.0.0/4', 'never', 'reserved or broadcast (RFC 1112)'],
  ['::/128', 'never', 'this host (RFC 4291)'],
  ['::1/128', 'local', 'loopback (RFC 4291)'],
  ['100::/64', 'local', 'to be discarded (RFC 6666)'],
  ['100:0:0:1::/64', 'local', 'a dummy prefix (RFC 9780)'],
  ['2001::/23', 'local', 'for protocols of the IETF (RFC 2928)'],
  ['2001:db8::/32', 'local', 'for documentation (RFC 3849)'],
  ['3fff::/20', 'local', 'for documentation (RFC 9637)'],
  ['5f00::/16', 'local', 'segment identifiers (RFC 9602)'],
  ['fc00::/7', 'local', 'private (RFC 4193)'],
  ['fd00:ec2::/32', 'never', 'the metadata service of a cloud'],
  ['fd20:ce::/32', 'never', 'the metadata service of a cloud'],
  ['fe80::/10', 'never', 'link-local (RFC 4291)'],
  ['fec0::/10', 'local', 'private, given up (RFC 3879)'],
  ['ff00::/8', 'never', 'multicast (RFC 4291)'],
];

/** IPv6 with an IPv4 address inside, and how many bits follow it. */
const embedding: readonly (readonly [cidr: string, bitsBehind: bigint, isMapped: boolean])[] = [
  ['::ffff:0:0/96', 0n, true], // mapped (RFC 4291)
  ['::/96', 0n, false], // compatible (RFC 4291)
  ['64:ff9b::/96', 0n, false], // NAT64 (RFC 6052)
  ['64:ff9b:1::/48', 0n, false], // NAT64 (RFC 8215), as far as its prefix is /96
  ['2002::/16', 80n, false], // 6to4 (RFC 3056)
];

const special = table.map(([cidr, rule, what]) => ({ range: known(cidr), rule, what }));
const carriers = embedding.map(([cidr, bitsBehind, isMapped]) => ({ range: known(cidr), bitsBehind, isMapped }));
const loopbacks = ['127.0.0.0/8', '::1/128'].map(known);
/** Inside ::/96, and nevertheless no IPv4 addresses. */
const plain = ['::/128', '::1/128'].map(known);

/** Why nothing in this range is ever asked; null where that is no reason. Ranges of IPv6 that hold IPv4 addresses are asked as such. */
export function neverAsked(range: Range): string | null {
  return (
    neverSent(range) ?? (holdsIpv4(range) ? 'another way to write IPv4 addresses; they are written as such' : null)
  );
}

/** What of this range nothing is ever sent to; null where nothing is known of it. */
export function neverSent(range: Range): string | null {
  return special.find((one) => one.rule === 'never' && overlaps(one.range, range))?.what ?? null;
}

/** True where any address of the range can be reached from the Internet; addresses with an IPv4 address inside are as public as that. */
export function isPublic(range: Range): boolean {
  const inner = innerIpv4(range);
  if (inner !== null) return isPublic(inner);
  return !special.some((one) => contains(one.range, range));
}

/** True where all of the range is loopback, however it is written. */
export function isLoopback(range: Range): boolean {
  const inner = innerIpv4(range) ?? range;
  return loopbacks.some((one) => contains(one, inner));
}

/** The IPv4 addresses that a range of IPv6 leads to; null where it does not, or not all of it by the same way. */
export function innerIpv4(range: Range): Range | null {
  const carrier = plain.some((one) => contains(one, range))
    ? undefined
    : carriers.find((one) => contains(one.range, range));
  if (!carrier) return null;
  const inside = (value: bigint) => (value >> carrier.bitsBehind) & 0xffff_ffffn;
  return { family: 4, first: inside(range.first), last: inside(range.last) };
}

/** The same range in the family that sockets use for it: mapped IPv4 (::ffff:10.0.0.1) is IPv4. */
export function unmapped(range: Range): Range {
  const isMapped = carriers.some((one) => one.isMapped && contains(one.range, range));
  return (isMapped ? innerIpv4(range) : null) ?? range;
}

/** A single address as a range. */
export const rangeOf = ({ family, value }: { family: Family; value: bigint }): Range => ({
  family,
  first: value,
  last: value,
});

function holdsIpv4(range: Range): boolean {
  return !plain.some((one) => contains(one, range)) && carriers.some((one) => overlaps(one.range, range));
}

function known(cidr: string): Cidr {
  const parsed = parseCidr(cidr);
  if (parsed === null) throw new RangeError(`${cidr} is no network`);
  return parsed;
}
