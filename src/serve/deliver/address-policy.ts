import { contains, formatCidr, parseAddress } from '../../model/cidr.ts';
import { innerIpv4, isPublic, rangeOf } from '../../model/special-addresses.ts';
import { networksOf, targetPolicy } from '../agent/target-policy.ts';

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

/** Refuses link-local and metadata addresses whatever is allowed; also inside addresses that carry an IPv4 address. */
const never = targetPolicy(['0.0.0.0/0', '::/0']);

/** @throws RangeError for what is no CIDR */
export function addressPolicy(allow: readonly string[]): AddressPolicy {
  const allowed = networksOf(allow);
  /** What the address leads to. */
  const bareOf = (address: string) => {
    const parsed = parseAddress(address);
    return parsed === null ? null : (innerIpv4(rangeOf(parsed)) ?? rangeOf(parsed));
  };
  const isNamed = (address: string): boolean => {
    const bare = bareOf(address);
    return bare !== null && allowed.some((network) => contains(network, bare));
  };
  return {
    isNamed,
    refusal: (address) => {
      const bare = bareOf(address);
      if (bare === null) return 'is no address';
      const why = never.refusal(address);
      if (why !== null) return why;
      if (isNamed(address) || isPublic(bare)) return null;
      const one = formatCidr({ ...bare, length: bare.family === 4 ? 32 : 128 });
      return `is not public; ${allowVariable}=${one} permits it`;
    },
  };
}

/** @throws RangeError for what is no CIDR */
export function allowedFrom(env: Readonly<Record<string, string | undefined>>): string[] {
  return (env[allowVariable] ?? '').split(/[\s,]+/).filter((cidr) => cidr !== '');
}
