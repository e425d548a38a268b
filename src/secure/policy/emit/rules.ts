import type { Family } from '../../../model/cidr.ts';
import { type Box, everyService, icmpProtocol, partsOfService, protocols } from '../box.ts';
import { type Ranges, sizeOf } from '../ranges.ts';

/** One protocol of a box's services, as firewalls ask for it: they match a protocol, then its ports or its messages. */
export type ServicePart =
  | { kind: 'all' }
  | { kind: 'protocol'; protocol: number }
  | { kind: 'ports'; protocol: number; ports: [first: number, last: number][] }
  /** Whole types of ICMP or ICMPv6, and codes of one type. */
  | { kind: 'types'; types: number[] }
  | { kind: 'codes'; type: number; codes: [first: number, last: number][] };

/** The services of a box of one family, protocol by protocol. */
export function servicePartsOf({ service }: Box, family: Family): ServicePart[] {
  if (sizeOf(service) === sizeOf(everyService)) return [{ kind: 'all' }];
  return [...byProtocol(service)].flatMap(([protocol, lows]) => {
    if (lows.length === 1 && lows[0]![0] === 0 && lows[0]![1] === 65_535) return [{ kind: 'protocol', protocol }];
    if (protocol === protocols.tcp || protocol === protocols.udp) return [{ kind: 'ports', protocol, ports: lows }];
    if (protocol === icmpProtocol(family)) return messageParts(lows);
    throw new RangeError(`Cannot match a part of protocol ${protocol}, which has no ports`);
  });
}

/** Low halves of the services, by protocol. */
function byProtocol(service: Ranges): Map<number, [number, number][]> {
  const found = new Map<number, [number, number][]>();
  for (const [first, last] of service) {
    const [from, to] = [partsOfService(first), partsOfService(last)];
    for (let { protocol } = from; protocol <= to.protocol; protocol++) {
      const low = protocol === from.protocol ? from.low : 0;
      const high = protocol === to.protocol ? to.low : 65_535;
      found.set(protocol, [...(found.get(protocol) ?? []), [low, high]]);
    }
  }
  return found;
}

function messageParts(lows: readonly [number, number][]): ServicePart[] {
  const types: number[] = [];
  const codes = new Map<number, [number, number][]>();
  for (const [first, last] of lows)
    for (let type = first >> 8; type <= last >> 8; type++) {
      const [from, to] = [Math.max(first, type * 256) & 255, Math.min(last, type * 256 + 255) & 255];
      if (from === 0 && to === 255) types.push(type);
      else codes.set(type, [...(codes.get(type) ?? []), [from, to]]);
    }
  return [
    ...(types.length > 0 ? [{ kind: 'types' as const, types }] : []),
    ...[...codes].map(([type, of]) => ({ kind: 'codes' as const, type, codes: of })),
  ];
}

/** What every emitter is told. */
export interface EmitOptions {
  /** What happens to packets that no line permits. */
  deny: 'drop' | 'reject';
  /** Where the policy stands, for the comment at the top. */
  source: string;
  /** Whom the rules are for, for the same comment; absent: whatever host they are loaded on. */
  host?: string;
}
