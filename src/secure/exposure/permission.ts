import { type Cidr, contains, formatCidr, overlaps, parseCidr, type Range } from '../../model/cidr.ts';
import { isLoopback, isPublic, neverAsked } from '../../model/special-addresses.ts';
import type { Security } from '../../model/network-security.ts';

/** What the user owns, from the three places that may say so. */
export interface Ownership {
  /** Of the network file. */
  ranges: Security['ranges'];
  /** Addresses of this machine. */
  ownAddresses: readonly string[];
  /** CIDRs of --i-own-this. */
  meant: readonly string[];
}

export type Permission = { permittedBy: string } | { refused: string };

/**
 * Whether a range may be asked, all of it: this machine, or what the network file calls the user's own. What can be reached from the
 * Internet has to be named at the command line as well, so that one wrong line in a file is no permission.
 */
export function permissionOf(range: Range, { ranges, ownAddresses, meant }: Ownership): Permission {
  const never = neverAsked(range);
  if (never !== null) return { refused: `holds ${never}, which is never asked` };
  if (isLoopback(range)) return { permittedBy: 'loopback of this machine' };
  if (ownAddresses.some((address) => holds(address, range))) return { permittedBy: 'an address of this machine' };
  const own = ranges.map(({ cidr }) => parseCidr(cidr)).find((one) => one !== null && contains(one, range));
  if (!own) return { refused: whyNotOwn(range, ranges) };
  if (!isPublic(range)) return { permittedBy: `security.ranges ${formatCidr(own)}` };
  if (meant.some((text) => holds(text, range)))
    return { permittedBy: `security.ranges ${formatCidr(own)} and --i-own-this` };
  return { refused: 'can be reached from the Internet; --i-own-this with its range says that it is meant' };
}

function holds(cidr: string, range: Range): boolean {
  const parsed = parseCidr(cidr);
  return parsed !== null && contains(parsed, range);
}

function whyNotOwn(range: Range, ranges: Security['ranges']): string {
  if (ranges.length === 0)
    return 'is not yours as far as known; the network file (--network) names your networks in security.ranges';
  const partly = ranges.map(({ cidr }) => parseCidr(cidr)).find((one) => one !== null && overlaps(one, range));
  return partly
    ? `is larger than ${formatCidr(partly)} of security.ranges`
    : 'lies in none of security.ranges of the network file';
}

/** Addresses of a network that a host can have: those of IPv4 without the network and broadcast addresses (RFC 919, RFC 3021). */
export function hostsOf({ family, first, last, length }: Cidr): { first: bigint; count: bigint } {
  const hasBroadcast = family === 4 && length <= 30;
  return hasBroadcast ? { first: first + 1n, count: last - first - 1n } : { first, count: last - first + 1n };
}
