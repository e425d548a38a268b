import { contains, parseAddress, parseCidr, type Range } from '../../model/cidr.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import type { Network } from '../../model/network.ts';
import { parseUrl } from '../../model/url.ts';

/** By which name the network file knows the server of a conversation. */
export interface Server {
  /** Address and port, as the tap saw it. */
  place: string;
  /** As the client asked for it in TLS, where it was seen. */
  names: readonly string[];
}

interface Known {
  name: string;
  host: string;
  port: number;
  /** By the network file. */
  ranges: Range[];
  /** By looking its name up. */
  resolved: Range[];
}

export function serverOf({ server, exchanges }: Pick<FlowWithExchanges, 'server' | 'exchanges'>): Server {
  const names = new Set(exchanges.flatMap(({ tls }) => tls?.serverName?.toLowerCase() ?? []));
  return { place: server, names: [...names] };
}

/**
 * Finds the endpoint that a server is: by the name in TLS, or by port and address. No name is looked up.
 * @param addresses what else is known of the addresses of an endpoint, by its name
 * @returns null where it is none of them, or where two would be the same on the wire
 */
export function endpointFinder(
  { endpoints }: Pick<Network, 'endpoints'>,
  addresses: (endpoint: string) => readonly string[] = () => [],
): (server: Server) => string | null {
  const known = endpoints.map((endpoint) => knownOf(endpoint, addresses(endpoint.name)));
  return ({ place, names }) => {
    const { host, port } = splitPlace(place);
    const at = parseAddress(host);
    const isIn = (ranges: readonly Range[]) =>
      at !== null && ranges.some((range) => contains(range, { ...at, first: at.value, last: at.value }));
    const named = known.filter((one) => names.includes(one.host));
    const there = known.filter((one) => one.port === port && isIn(one.ranges));
    // Many names share an address that was looked up: it says nothing once another name was asked for.
    const resolved = names.length > 0 ? [] : known.filter((one) => one.port === port && isIn(one.resolved));
    const best = [named.filter((one) => one.port === port), named, there, resolved].find((list) => list.length > 0);
    return best?.length === 1 ? best[0]!.name : null;
  };
}

function knownOf({ name, url, addresses: own }: Network['endpoints'][number], more: readonly string[]): Known {
  const { protocol = 'https:', hostname = '', port = '' } = parseUrl(url) ?? {};
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const rangesOf = (texts: readonly string[]) => texts.flatMap((text) => parseCidr(text) ?? []);
  const usual = protocol === 'http:' ? 80 : 443;
  return {
    name,
    host,
    port: port === '' ? usual : Number(port),
    ranges: rangesOf([host, ...(own ?? [])]),
    resolved: rangesOf(more),
  };
}

/** "10.0.0.1:443", "[2001:db8::1]:443". */
function splitPlace(place: string): { host: string; port: number } {
  const colon = place.lastIndexOf(':');
  return { host: place.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(place.slice(colon + 1)) };
}
