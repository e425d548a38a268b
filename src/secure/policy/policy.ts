import { type Family, parseCidr } from '../../model/cidr.ts';
import { icmpTypes, type NetworkPolicy, type PolicyHook, type PolicyService } from '../../model/network-policy.ts';
import type { Network } from '../../model/network.ts';
import { endpointAddresses } from '../../model/policy-check.ts';
import { parseUrl } from '../../model/url.ts';
import {
  type Box,
  everyService,
  icmpMessages,
  icmpProtocol,
  intersectBoxes,
  isEmpty,
  protocols,
  services,
} from './box.ts';
import { everyAddress, rangesOf, rangesOfCidrs, type Ranges, subtract } from './ranges.ts';

export type { PolicyHook } from '../../model/network-policy.ts';
export const families: readonly Family[] = [4, 6];

/** One line of a policy and the packets of each family that it permits. */
export interface PolicyLine {
  name: string;
  /** Place in the network file, for messages: `policy.allow[2]`. */
  place: string;
  why: string;
  boxes: Readonly<Record<Family, readonly Box[]>>;
}

/** What a policy means: the union of its lines; everything else is denied. The order of the lines has no meaning. */
export interface PolicyMeaning {
  enforce: readonly PolicyHook[];
  lines: readonly PolicyLine[];
}

/** The name of the lines that every policy has: see `needed`. */
export const neededLineName = 'needed-icmp';

/** Addresses of both families. */
export type Addresses = Readonly<Record<Family, Ranges>>;

/** The meaning of the policy of a network file, whose names have been checked; null where it has none. */
export function meaningOf(network: Network): PolicyMeaning | null {
  const { policy } = network;
  if (!policy) return null;
  const lines = policy.allow.map((line, i): PolicyLine => {
    const from = addressesOfAll(line.from, network, policy);
    const boxes = (family: Family): Box[] =>
      line.to
        .flatMap((to): Box[] => {
          const reached = { src: from[family], dst: addressesOf(to, network, policy)[family] };
          return [{ ...reached, service: servicesOf(line.services ?? ownPort(to, network), policy, family) }];
        })
        .filter((box) => !isEmpty(box));
    return {
      name: line.name,
      place: `policy.allow[${i}]`,
      why: line.why,
      boxes: { 4: joined(boxes(4)), 6: joined(boxes(6)) },
    };
  });
  return { enforce: policy.enforce, lines };
}

/** Boxes that differ in their destination alone are one box. */
function joined(boxes: readonly Box[]): Box[] {
  const byRest = new Map<string, Box>();
  for (const box of boxes) {
    const key = `${String(box.src)} ${String(box.service)}`;
    const same = byRest.get(key);
    byRest.set(key, same ? { ...same, dst: rangesOf([...same.dst, ...box.dst]) } : box);
  }
  return [...byRest.values()];
}

/** The addresses that a name of the policy stands for: a group, a site, an endpoint, or any. */
export function addressesOf(name: string, network: Network, policy: NetworkPolicy): Addresses {
  if (name === 'any') return everyAddress;
  const endpoint = network.endpoints.find((one) => one.name === name);
  if (endpoint) return ofCidrs(endpointAddresses(endpoint).cidrs);
  const site = network.sites.find((one) => one.name === name);
  if (site) return ofCidrs(site.cidrs ?? []);
  const group = policy.groups.find((one) => one.name === name);
  if (!group) return { 4: [], 6: [] };
  const members = addressesOfAll([...group.sites, ...group.endpoints, ...group.groups], network, policy);
  const [own, except] = [ofCidrs(group.cidrs), ofCidrs(group.except)];
  const of = (family: Family) => subtract(rangesOf([...own[family], ...members[family]]), except[family]);
  return { 4: of(4), 6: of(6) };
}

function addressesOfAll(names: readonly string[], network: Network, policy: NetworkPolicy): Addresses {
  const all = names.map((name) => addressesOf(name, network, policy));
  return { 4: rangesOf(all.flatMap((one) => one[4])), 6: rangesOf(all.flatMap((one) => one[6])) };
}

function ofCidrs(texts: readonly string[]): Addresses {
  const cidrs = texts.map(parseCidr).filter((cidr) => cidr !== null);
  return { 4: rangesOfCidrs(cidrs, 4), 6: rangesOfCidrs(cidrs, 6) };
}

/** Of an endpoint whose line names no service: the port of its url. */
function ownPort(name: string, network: Network): string[] {
  const url = parseUrl(network.endpoints.find((one) => one.name === name)?.url ?? '');
  return url ? [`tcp/${url.port || (url.protocol === 'https:' ? 443 : 80)}`] : [];
}

function servicesOf(names: readonly string[], policy: NetworkPolicy, family: Family): Ranges {
  return rangesOf(
    names.flatMap((name) => {
      const [protocol = '', range] = name.split('/');
      if (range !== undefined) return portsOf(protocol === 'udp' ? protocols.udp : protocols.tcp, [range]);
      if (name === 'any') return everyService;
      const found = policy.services.find((one) => one.name === name);
      return found ? rangesOfService(found, family) : [];
    }),
  );
}

function rangesOfService({ protocol, ports, types }: PolicyService, family: Family): Ranges {
  if (protocol === 'any') return everyService;
  if (protocol !== 'icmp') return portsOf(protocols[protocol], ports ?? ['0-65535']);
  if (!types) return services(icmpProtocol(family));
  return types.flatMap((name) => {
    const type = icmpTypes[name][family];
    return type === null ? [] : icmpMessages(family, type);
  });
}

function portsOf(protocol: number, ports: readonly (number | string)[]): Ranges {
  return ports.flatMap((port) => {
    const [first = 0, last = first] = String(port).split('-').map(Number);
    return services(protocol, first, last);
  });
}

/**
 * What a policy permits at a hook whatever it says, because the network does not work without: errors that path MTU discovery and
 * routing need (RFC 1191, RFC 8201, RFC 4890 §4.3 and §4.4), and on the link neighbour discovery and multicast listeners
 * (RFC 4861, RFC 3810). The latter are never forwarded.
 */
export function needed(hook: PolicyHook, family: Family): readonly Box[] {
  const isForwarded = hook === 'forward';
  if (hook === 'published') return [];
  const messages =
    family === 4
      ? [icmpMessages(4, 3, 4), icmpMessages(4, 11), icmpMessages(4, 12)]
      : [1, 2, 3, 4, ...(isForwarded ? [] : [130, 131, 132, 133, 134, 135, 136, 143])].map((type) =>
          icmpMessages(6, type),
        );
  return [{ src: everyAddress[family], dst: everyAddress[family], service: rangesOf(messages.flat()) }];
}

/** A permission at one hook for one family, with the line that it comes from. */
export interface Permit {
  line: string;
  box: Box;
}

/**
 * Everything that is accepted at a hook. With `self`, the addresses of the host that the rules are for, only what concerns it:
 * inbound and published to it, outbound from it.
 */
export function permitsAt(
  { lines }: PolicyMeaning,
  hook: PolicyHook,
  family: Family,
  self: Addresses = everyAddress,
): Permit[] {
  const mine = self[family];
  const scope: Box = {
    src: hook === 'outbound' ? mine : everyAddress[family],
    dst: hook === 'inbound' || hook === 'published' ? mine : everyAddress[family],
    service: everyService,
  };
  return [
    ...needed(hook, family).map((box) => ({ line: neededLineName, box })),
    ...lines.flatMap(({ name, boxes }) =>
      boxes[family].map((box) => ({ line: name, box: intersectBoxes(box, scope) })).filter(({ box }) => !isEmpty(box)),
    ),
  ];
}
