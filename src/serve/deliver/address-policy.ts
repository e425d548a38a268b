import { isIP } from 'node:net';
import { addressList, innerIpv4, listHas, targetPolicy } from '../agent/target-policy.ts';

/** The variable by which an operator permits receivers on private networks. */
export const allowVariable = 'INFERPATH_RECEIVER_ALLOW';

/**
 * Where alerts may be sent. Receivers are public by default, because a server that posts to any address that somebody writes
 * into a file is a way into the network that it stands in; the operator of the machine may add networks of his own.
 */
export interface AddressPolicy {
  /** Why this address is refused; null when it is not. */
  refusal(address: string): string | null;
  /** Whether the operator has named it: only there is plain text permitted. */
  isNamed(address: string): boolean;
}

/** Not reachable from the Internet, by the IANA special-purpose registries (RFC 6890). */
const notPublic = addressList([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
]);
const notPublic6 = addressList([
  '::/128',
  '::1/128',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fec0::/10',
]);

/** Refuses link-local and metadata addresses whatever is allowed; also inside addresses that carry an IPv4 address. */
const never = targetPolicy(['0.0.0.0/0', '::/0']);

/** @throws RangeError for what is no CIDR */
export function addressPolicy(allow: readonly string[]): AddressPolicy {
  const allowed = addressList(allow);
  const isNamed = (address: string): boolean => listHas(allowed, innerIpv4(address) ?? address);
  return {
    isNamed,
    refusal: (address) => {
      if (isIP(address) === 0) return 'is no address';
      const why = never.refusal(address);
      if (why !== null) return why;
      if (isNamed(address)) return null;
      const bare = innerIpv4(address) ?? address;
      const isPrivate = listHas(isIP(bare) === 6 ? notPublic6 : notPublic, bare);
      return isPrivate ? `is not public; ${allowVariable}=${bare}/${isIP(bare) === 6 ? 128 : 32} permits it` : null;
    },
  };
}

/** @throws RangeError for what is no CIDR */
export function allowedFrom(env: Readonly<Record<string, string | undefined>>): string[] {
  return (env[allowVariable] ?? '').split(/[\s,]+/).filter((cidr) => cidr !== '');
}
