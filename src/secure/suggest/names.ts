import type { NetworkPolicy } from '../../model/network-policy.ts';
import type { Network } from '../../model/network.ts';
import { partsOfService, protocols, serviceText } from '../policy/box.ts';
import { addressesOf } from '../policy/policy.ts';
import { cidrTexts } from '../policy/ranges.ts';
import { icmpTypeName, type SuggestedLine, type Suggestion } from './suggest.ts';

/**
 * A suggestion as the section `policy` of a network file. Addresses that the file has a name for (a site, an endpoint, a group, exactly
 * these) are called by it; others become groups. Names come from what the lines are about, so that the same flows give the same file.
 */
export function policyOf(
  { lines }: Suggestion,
  network: Network | null,
  why: (line: SuggestedLine) => string,
): NetworkPolicy {
  const names = knownNames(network);
  const groups: NetworkPolicy['groups'] = [];
  const services: NetworkPolicy['services'] = [];
  const taken = new Set(names.values());
  const fresh = (wanted: string): string => {
    const base =
      wanted
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-')
        .replace(/^[^a-z0-9]+/, '')
        .slice(0, 56) || 'line';
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
    taken.add(name);
    return name;
  };
  const partyOf = (cidrs: string[], wanted: string): string => {
    const known = names.get(cidrs.join());
    if (known !== undefined) return known;
    const name = fresh(wanted);
    names.set(cidrs.join(), name);
    const used = network?.policy?.groups.find((one) => one.name === name);
    if (!used) groups.push({ name, cidrs, sites: [], endpoints: [], groups: [], except: [] });
    return name;
  };
  const allow = lines.map((line): NetworkPolicy['allow'][number] => {
    const [first = ''] = line.to;
    const about =
      line.services.length === 1
        ? serviceText(line.services[0]!).replace('/', '-')
        : `${line.services.length}-services`;
    const to = partyOf(
      line.to,
      line.to.length === 1 ? `server-${first}` : `servers-${first}-and-${line.to.length - 1}-more`,
    );
    const from = partyOf(line.from, line.from.length === 1 ? `from-${line.from[0]}` : `clients-of-${to}-${about}`);
    const used = line.services.map((one) => serviceOf(one, services, fresh));
    return { name: fresh(`${to}-${about}`), from: [from], to: [to], services: [...new Set(used)], why: why(line) };
  });
  const kept = (network?.policy?.groups ?? []).filter(({ name }) =>
    allow.some(({ from, to }) => [...from, ...to].includes(name)),
  );
  const needed = withMembers(kept, network?.policy?.groups ?? []);
  return {
    enforce: network?.policy?.enforce ?? ['inbound', 'published'],
    groups: [...needed, ...groups],
    services,
    allow,
  };
}

type Group = NetworkPolicy['groups'][number];

/** Groups with those that they are made of. */
function withMembers(groups: readonly Group[], all: readonly Group[]): Group[] {
  const found = new Set<Group>();
  const add = (group: Group): void => {
    if (found.has(group)) return;
    found.add(group);
    for (const name of group.groups) all.filter((one) => one.name === name).forEach(add);
  };
  groups.forEach(add);
  return all.filter((one) => found.has(one));
}

/** CIDRs → the name that a network file has for exactly these addresses. */
function knownNames(network: Network | null): Map<string, string> {
  const names = new Map<string, string>();
  const policy = network?.policy;
  if (!network || !policy) return names;
  const parties = [...network.sites, ...network.endpoints, ...policy.groups].map(({ name }) => name);
  for (const name of parties) {
    const addresses = addressesOf(name, network, policy);
    // A name that stands for both families says more than a line of one.
    const only = addresses[6].length === 0 ? 4 : addresses[4].length === 0 ? 6 : null;
    if (only === null || addresses[only].length === 0) continue;
    const key = cidrTexts(addresses[only], only).join();
    if (!names.has(key)) names.set(key, name);
  }
  return names;
}

/** `tcp/443` in place; messages of ICMP need a service with a name. */
function serviceOf(value: bigint, services: NetworkPolicy['services'], fresh: (wanted: string) => string): string {
  const { protocol, low } = partsOfService(value);
  if (protocol === protocols.tcp || protocol === protocols.udp) return serviceText(value);
  const type = icmpTypeName(protocol === protocols.icmp ? 4 : 6, low >> 8);
  if (type === null)
    throw new RangeError(`Cannot name the message ${serviceText(value)}: it should have been left out`);
  const same = services.find((one) => one.types?.join() === type);
  if (same) return same.name;
  const name = fresh(type);
  services.push({ name, protocol: 'icmp', types: [type] });
  return name;
}
