import { type Cidr, contains, formatCidr, parseAddress, parseCidr } from '../../../model/cidr.ts';
import type { FlowDirection } from '../../../model/capture/pattern.ts';
import type { Network } from '../../../model/network.ts';
import { named } from '../../../model/patterns.ts';
import { parseUrl } from '../../../model/url.ts';
import { prefixTable } from './prefixes.ts';

/** A network that is inside, and why it is taken to be. */
export interface SitePrefix {
  cidr: Cidr;
  /** Name of the site, null where nobody said. */
  site: string | null;
  from: 'flag' | 'network' | 'default';
}

/**
 * Inside wherever nobody says more: private (RFC 1918, RFC 4193), shared by carriers (RFC 6598), link-local (RFC 3927, RFC 4291) and
 * loopback addresses (RFC 1122, RFC 4291).
 */
const alwaysInside = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];

/** One to many: not an address of anybody, so it is where its sender is (RFC 5771, RFC 4291, RFC 919). */
const toMany = ['224.0.0.0/4', '255.255.255.255/32', 'ff00::/8'];

/**
 * Reads `--site-prefix CIDR` or `--site-prefix SITE=CIDR`.
 * @returns the prefix, or in words what is wrong
 */
export function readSitePrefix(text: string): SitePrefix | string {
  const at = text.indexOf('=');
  const [site, network] = at < 0 ? [null, text] : [text.slice(0, at), text.slice(at + 1)];
  if (site !== null && !named.name.pattern.test(site)) return `its site must be ${named.name.words}`;
  const cidr = parseCidr(network);
  if (cidr === null) return `must be ${named.cidr.words}, or SITE=NETWORK`;
  if (!cidr.isAligned) return 'has bits beyond its length';
  return { cidr, site, from: 'flag' };
}

/** What is inside: by flags, by the network file, by default; the first in this order wins where two are equal. */
export function sitePrefixes(network: Network | null, flags: readonly SitePrefix[] = []): SitePrefix[] {
  const defaults = alwaysInside.map((text) => ({ cidr: known(text), site: null, from: 'default' as const }));
  return [...flags, ...(network ? ofNetwork(network) : []), ...defaults];
}

function ofNetwork(network: Network): SitePrefix[] {
  const found: SitePrefix[] = [];
  const add = (texts: readonly string[], site: string | null) => {
    for (const text of texts) {
      const cidr = parseCidr(text);
      if (cidr) found.push({ cidr, site, from: 'network' });
    }
  };
  for (const site of network.sites) add(site.cidrs ?? [], site.name);
  // An endpoint of no site may be anybody's; one with a site is there.
  for (const { site, addresses, url } of network.endpoints)
    if (site !== undefined) add(addresses ?? literalOf(url), site);
  for (const { cidr } of network.security.ranges) {
    const range = parseCidr(cidr);
    const holder = range && found.find((one) => one.site !== null && contains(one.cidr, range));
    add([cidr], holder?.site ?? null);
  }
  return found;
}

/** The address in a URL, if it has one. */
function literalOf(url: string): string[] {
  const host = parseUrl(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  return parseAddress(host) ? [host] : [];
}

function known(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw new RangeError(`${text} is no network`);
  return cidr;
}

/** Where both ends of a flow are: numbers of `prefixes`, -1 outside of all. */
export interface Ends {
  client: number;
  server: number;
  direction: FlowDirection;
}

export interface Directions {
  readonly prefixes: readonly SitePrefix[];
  /** Number of the prefix that an address lies in, -1 outside of all. Makes nothing. */
  find(bytes: Uint8Array, at: number, version: 0 | 4 | 6): number;
  /** Fills `ends`. `client` is the one who sends, where the other is a group of receivers. */
  place(bytes: Uint8Array, clientAt: number, serverAt: number, version: 0 | 4 | 6, ends: Ends): Ends;
  /** How an end is called in a matrix: its site, else its prefix, else "outside". */
  label(prefix: number): string;
}

/**
 * North-south, east-west or transit as Zeek's local_orig and local_resp have it: both ends inside, one, or none. Without prefixes of
 * one's own, a data centre on public addresses looks like transit.
 */
export function directions(prefixes: readonly SitePrefix[]): Directions {
  const table = prefixTable(prefixes.map(({ cidr }) => cidr));
  const many = prefixTable(toMany.map(known));
  const labels = prefixes.map(({ site, cidr }) => site ?? formatCidr(cidr));
  const place: Directions['place'] = (bytes, clientAt, serverAt, version, ends) => {
    ends.client = table.find(bytes, clientAt, version);
    ends.server = many.find(bytes, serverAt, version) >= 0 ? ends.client : table.find(bytes, serverAt, version);
    ends.direction = directionOf(ends.client >= 0, ends.server >= 0);
    return ends;
  };
  return { prefixes, find: table.find, place, label: (prefix) => labels[prefix] ?? 'outside' };
}

function directionOf(isClientInside: boolean, isServerInside: boolean): FlowDirection {
  if (isClientInside && isServerInside) return 'east-west';
  return isClientInside || isServerInside ? 'north-south' : 'transit';
}
