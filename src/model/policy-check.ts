import { type Loose, list, mapping, names, type NetworkIssue, repeatedNames, unknownReference } from './check.ts';
import { formatCidr, parseCidr } from './cidr.ts';
import { named } from './patterns.ts';
import { parseUrl } from './url.ts';

type Path = (string | number)[];

/** What is wrong between the lines of a policy: names of nothing, circles, addresses that do not say what they mean. */
export function policyIssues(root: Loose): NetworkIssue[] {
  const [sites, endpoints] = [list(root, 'sites'), list(root, 'endpoints')];
  const policy = mapping(root['policy']);
  const [groups, services, allow] = [list(policy, 'groups'), list(policy, 'services'), list(policy, 'allow')];
  const parties = { sites, endpoints, groups, services };
  return [
    ...sites.flatMap((site, i) => cidrIssues(site['cidrs'], ['sites', i, 'cidrs'])),
    ...endpoints.flatMap((endpoint, i) => cidrIssues(endpoint['addresses'], ['endpoints', i, 'addresses'])),
    ...within(repeatedNames('groups', groups)),
    ...within(repeatedNames('services', services)),
    ...within(repeatedNames('allow', allow)),
    ...groups.flatMap((group, i) => groupIssues(group, i, parties)),
    ...services.flatMap(serviceIssues),
    ...allow.flatMap((line, i) => lineIssues(line, i, parties)),
  ];
}

interface Parties {
  sites: Loose[];
  endpoints: Loose[];
  groups: Loose[];
  services: Loose[];
}

const within = (issues: NetworkIssue[]): NetworkIssue[] =>
  issues.map((issue) => ({ ...issue, path: ['policy', ...issue.path] }));

function groupIssues(group: Loose, i: number, { sites, endpoints, groups }: Parties): NetworkIssue[] {
  const at = (key: string): Path => ['policy', 'groups', i, key];
  const others = names([...sites, ...endpoints]);
  const taken = typeof group['name'] === 'string' && [...others, 'any'].includes(group['name']);
  return [
    ...(taken ? [{ path: at('name'), message: 'must be no name of a site or an endpoint and not "any"' }] : []),
    ...['cidrs', 'except'].flatMap((key) => cidrIssues(group[key], at(key))),
    ...each(group['sites'], at('sites'), 'site', names(sites)),
    ...each(group['endpoints'], at('endpoints'), 'endpoint', names(endpoints)),
    ...each(group['groups'], at('groups'), 'group', names(groups)),
    ...addressless(group['sites'], at('sites'), sites, siteAddresses),
    ...addressless(group['endpoints'], at('endpoints'), endpoints, endpointAddresses),
    ...circles(group, i, groups),
  ];
}

function circles(group: Loose, i: number, groups: Loose[]): NetworkIssue[] {
  const inside = (name: unknown, seen: readonly unknown[]): boolean =>
    texts(groups.find((g) => g['name'] === name)?.['groups']).some(
      (next) => next === group['name'] || (!seen.includes(next) && inside(next, [...seen, next])),
    );
  return texts(group['groups']).flatMap((name, k) =>
    name === group['name'] || inside(name, [name])
      ? [{ path: ['policy', 'groups', i, 'groups', k], message: 'must be a group that does not lead back to this one' }]
      : [],
  );
}

function serviceIssues(service: Loose, i: number): NetworkIssue[] {
  const { protocol, ports, types, name } = service;
  const at = (...keys: Path): Path => ['policy', 'services', i, ...keys];
  const issues: NetworkIssue[] = [];
  if (ports !== undefined && (protocol === 'icmp' || protocol === 'any'))
    issues.push({ path: at('ports'), message: `must be absent, because ${protocol} has no ports` });
  if (types !== undefined && protocol !== 'icmp')
    issues.push({ path: at('types'), message: 'must be absent, because only icmp has types' });
  if (typeof name === 'string' && ['tcp', 'udp', 'icmp', 'any'].includes(name))
    issues.push({ path: at('name'), message: 'must be no name of a protocol, so that a name never means two things' });
  if (Array.isArray(ports))
    for (const [k, port] of ports.entries())
      if (typeof port === 'string' && !isRange(port))
        issues.push({ path: at('ports', k), message: `must be ${named.portRange.words}` });
  return issues;
}

function lineIssues(line: Loose, i: number, { sites, endpoints, groups, services }: Parties): NetworkIssue[] {
  const at = (...keys: Path): Path => ['policy', 'allow', i, ...keys];
  const known = [...names([...groups, ...sites, ...endpoints]), 'any'];
  const issues = ['from', 'to'].flatMap((key) => [
    ...each(line[key], at(key), 'group, site or endpoint', known),
    ...addressless(line[key], at(key), sites, siteAddresses),
    ...addressless(line[key], at(key), endpoints, endpointAddresses),
  ]);
  for (const [k, service] of texts(line['services']).entries()) {
    const [, range] = service.split('/');
    if (range !== undefined && !isRange(range))
      issues.push({ path: at('services', k), message: `must be ${named.service.words}` });
    if (range === undefined)
      issues.push(...unknownReference(service, at('services', k), 'service', [...names(services), 'any']));
  }
  const endpointNames = names(endpoints);
  if (line['services'] === undefined && texts(line['to']).some((name) => !endpointNames.includes(name)))
    issues.push({ path: at('services'), message: 'must be names of services wherever "to" has more than endpoints' });
  return issues;
}

function each(value: unknown, path: Path, what: string, known: string[]): NetworkIssue[] {
  return texts(value).flatMap((name, k) => unknownReference(name, [...path, k], what, known));
}

/** Sites and endpoints that are named in a policy and have no address. */
function addressless(value: unknown, path: Path, all: Loose[], addresses: (item: Loose) => Addresses): NetworkIssue[] {
  return texts(value).flatMap((name, k) => {
    const item = all.find((one) => one['name'] === name);
    const found = item && addresses(item);
    return found && found.cidrs.length === 0
      ? [{ path: [...path, k], message: `must be something with addresses; "${name}" needs the key ${found.key}` }]
      : [];
  });
}

interface Addresses {
  cidrs: readonly string[];
  /** The key that gives them. */
  key: string;
}

const siteAddresses = (site: Loose): Addresses => ({ cidrs: texts(site['cidrs']), key: 'cidrs' });

/** The addresses that a policy takes for an endpoint: those it is given, else the one in its url. */
export function endpointAddresses({ addresses, url }: Loose): Addresses {
  const key = 'addresses';
  if (Array.isArray(addresses)) return { cidrs: texts(addresses), key };
  const host = typeof url === 'string' ? (parseUrl(url)?.hostname.replace(/^\[|\]$/g, '') ?? '') : '';
  return { cidrs: parseCidr(host) ? [host] : [], key };
}

/** Bits beyond the length, and IPv4 in the clothes of IPv6: neither says what is meant. */
function cidrIssues(value: unknown, path: Path): NetworkIssue[] {
  return texts(value).flatMap((text, k) => {
    if (!named.cidr.pattern.test(text)) return [];
    const cidr = parseCidr(text);
    const issue = (message: string) => [{ path: [...path, k], message }];
    if (!cidr) return issue(`must be ${named.cidr.words}`);
    if (!cidr.isAligned) return issue(`must be ${formatCidr(cidr)} or a single address`);
    if (cidr.family === 6 && cidr.length >= 96 && cidr.first >> 32n === 0xffffn)
      return issue('must be written as IPv4, because no packet on a network has such an address');
    return [];
  });
}

function isRange(text: string): boolean {
  const [first = '', last = first] = text.split('-');
  return Number(first) <= Number(last) && Number(last) <= 65_535;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
