import type { Snapshot } from '../../model/secure/snapshot.ts';

/** Addresses of the host that a snapshot was made on, as far as it shows them itself: ends of its connections, sockets bound to one. */
export function selfOf({ flows, listeners }: Snapshot): string[] {
  const own = new Set<string>();
  for (const { direction, from, to } of flows) if (direction !== 'through') own.add(direction === 'in' ? to : from);
  for (const { address } of listeners) if (isReachable(address) && !isWildcard(address)) own.add(address);
  return [...own].sort();
}

export const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';

/** Whether a socket bound to the address can be reached from another host at all. */
export const isReachable = (address: string): boolean => !address.startsWith('127.') && address !== '::1';
