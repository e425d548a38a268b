import { isIP } from 'node:net';
import { type Cidr, contains, parseAddress, parseCidr } from '../../model/cidr.ts';
import { neverAsked, rangeOf } from '../../model/special-addresses.ts';

/** Networks that may be asked. The last word on every connection: what is not inside is never connected to. */
export interface Gate {
  /** Why nothing is sent to this address; null when something may be. */
  refusal(address: string): string | null;
}

/** An attempt to connect to what may not be asked: a mistake of ours, told as such. */
export class GateError extends Error {}

/**
 * @param ranges CIDRs; link-local, metadata and multicast addresses stay refused inside them
 * @throws RangeError for what is no CIDR
 */
export function exposureGate(ranges: readonly string[]): Gate {
  const allowed = ranges.map(known);
  return {
    refusal: (address) => {
      // Only one form of an address is understood, so that nobody who reads it otherwise connects elsewhere.
      const parsed = isIP(address) === 0 ? null : parseAddress(address);
      if (parsed === null) return 'is no address';
      const one = rangeOf(parsed);
      const why = neverAsked(one);
      if (why !== null) return `is ${why}`;
      return allowed.some((range) => contains(range, one)) ? null : 'lies in none of the ranges that may be asked';
    },
  };
}

function known(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === null) throw new RangeError(`"${text}" is no network like 10.0.0.0/8 or fd00::/8`);
  return parsed;
}
