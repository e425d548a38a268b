import { isIPv4, isIPv6 } from 'node:net';
import { addressBytes, addressText } from '../../wire/ip.ts';
import type { Endpoint } from './connection.ts';

/**
 * An address in its canonical text, or null for what is none. Zones are dropped, because no policy knows them, and ::ffff:a.b.c.d,
 * which sockets of both families show, becomes a.b.c.d.
 */
export function canonicalAddress(text: string): string | null {
  if (text.length > 100) return null;
  const bare = text.replace(/%[^%]*$/, '');
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return null;
  return unmapped(addressBytes(bare));
}

/** The text of 4 or 16 octets; IPv4 inside IPv6 as IPv4. */
export function unmapped(bytes: Uint8Array): string {
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return addressText(isMapped ? bytes.subarray(12) : bytes);
}

export function portNumber(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65_535 ? port : null;
}

/**
 * `10.0.0.1:22`, `[::1]:22`, `*:22`, `0.0.0.0:*`, `fe80::1%eth0:22`, `:::22` as ss and netstat write them. A star is the address or port
 * that is not set: `anyAddress`, 0. Null for anything else.
 */
export function endpointOf(text: string, anyAddress: string): Endpoint | null {
  if (text.length > 120) return null;
  const colon = text.lastIndexOf(':');
  if (colon < 1) return null;
  const word = text
    .slice(0, colon)
    .replace(/^\[(.*)\]((?:%.*)?)$/, '$1')
    .replace(/^\[(.*)\]/, '$1');
  const address = word.replace(/%.*$/, '') === '*' ? anyAddress : canonicalAddress(word);
  const digits = text.slice(colon + 1);
  const port = digits === '*' ? 0 : portNumber(digits);
  return address === null || port === null ? null : { address, port };
}

export const isUnspecified = (address: string): boolean => address === '0.0.0.0' || address === '::';

const names: Record<string, string> = {
  '1': 'icmp',
  '6': 'tcp',
  '17': 'udp',
  '58': 'icmpv6',
  '132': 'sctp',
  tcp6: 'tcp',
  udp6: 'udp',
  'ipv6-icmp': 'icmpv6',
  icmp6: 'icmpv6',
};

/** `TCP`, `tcp6`, `6`: tcp. Other protocols keep their number or name in small letters; null for what is neither. */
export function protocolName(text: string | undefined): string | null {
  if (text === undefined) return null;
  const word = text.trim().toLowerCase();
  if (!/^[a-z0-9][a-z0-9-]{0,15}$/.test(word)) return null;
  if (/^\d+$/.test(word) && Number(word) > 255) return null;
  return names[word] ?? word;
}
