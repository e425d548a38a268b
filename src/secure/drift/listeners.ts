import { parseAddress } from '../../model/cidr.ts';
import type { PolicyDriftReport } from '../../model/secure/policy-drift.ts';
import type { Listener, Snapshot } from '../../model/secure/snapshot.ts';
import { families, type PolicyMeaning } from '../policy/policy.ts';
import { includes } from '../policy/ranges.ts';
import { packetOf } from '../flows/packet.ts';
import { isReachable, isWildcard } from '../flows/self.ts';

type Judged = PolicyDriftReport['listeners'][number];

export const listenerKey = ({ protocol, address, port }: Listener): string => `${protocol} ${address} ${port}`;

/** What others can reach on this host, whether it is new, and which lines let them. */
export function listenersOf(
  meaning: PolicyMeaning,
  { listeners }: Snapshot,
  self: readonly string[],
  earlier: Snapshot | null,
): Judged[] {
  const known = earlier && new Set(earlier.listeners.map(listenerKey));
  return listeners
    .filter(({ address }) => isReachable(address))
    .map((one) => ({
      ...one,
      isNew: known ? !known.has(listenerKey(one)) : null,
      permittedBy: linesTo(one, meaning, self),
    }));
}

/** `::` takes IPv4 too, where the system does not say otherwise. */
function linesTo({ address, protocol, port }: Listener, { lines }: PolicyMeaning, self: readonly string[]): string[] {
  const own = isWildcard(address) ? self.filter((one) => address === '::' || !one.includes(':')) : [address];
  const packets = own.flatMap((to) => {
    const from = to.includes(':') ? '::' : '0.0.0.0';
    return packetOf({ from, to, protocol, port }) ?? [];
  });
  // A host of which no address is known is reached by every line that has the port.
  const anywhere = own.length === 0 ? packetOf({ from: '::', to: '::', protocol, port })?.service : undefined;
  return lines
    .filter(({ boxes }) =>
      families.some((family) =>
        boxes[family].some(
          ({ dst, service }) =>
            (anywhere !== undefined && includes(service, anywhere)) ||
            packets.some((one) => one.family === family && includes(dst, one.dst) && includes(service, one.service)),
        ),
      ),
    )
    .map(({ name }) => name);
}

/** Addresses of the host as text, without what is none. */
export function validAddresses(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].filter((one) => parseAddress(one) !== null).sort();
}
