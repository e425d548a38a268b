/** Addresses and networks as numbers, without the help of the operating system: for checks of files and of what may be asked. */

export type Family = 4 | 6;

export interface Range {
  family: Family;
  first: bigint;
  last: bigint;
}

/** A network: a range whose addresses share their first `length` bits. */
export interface Cidr extends Range {
  length: number;
}

/** One address in its only unambiguous form: dotted decimal without leading zeros, or IPv6 (RFC 4291 §2.2); null for all else. */
export function parseAddress(text: string): { family: Family; value: bigint } | null {
  if (text.includes(':')) {
    const value = parseIpv6(text);
    return value === null ? null : { family: 6, value };
  }
  const value = parseIpv4(text);
  return value === null ? null : { family: 4, value };
}

/** A network or one address. Bits beyond the length are kept out of `first`; `isAligned` says whether there were any. */
export function parseCidr(text: string): (Cidr & { isAligned: boolean }) | null {
  const [address = '', lengthText, ...more] = text.split('/');
  const parsed = parseAddress(address);
  if (parsed === null || more.length > 0) return null;
  const bits = parsed.family === 4 ? 32 : 128;
  if (lengthText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(lengthText)) return null;
  const length = lengthText === undefined ? bits : Number(lengthText);
  if (length > bits) return null;
  const hosts = (1n << BigInt(bits - length)) - 1n;
  const first = parsed.value & ~hosts;
  return { family: parsed.family, first, last: first | hosts, length, isAligned: first === parsed.value };
}

export function formatAddress(family: Family, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (value >> BigInt(112 - 16 * i)) & 0xffffn);
  return shortened(groups.map((group) => group.toString(16)));
}

export function formatCidr({ family, first, length }: Cidr): string {
  return `${formatAddress(family, first)}/${length}`;
}

export function contains(outer: Range, inner: Range): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

export function overlaps(a: Range, b: Range): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    // A leading zero means octal to some programs and nothing to others: such an address is two addresses.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = [groupsOf(halves[0]!, halves.length === 1), groupsOf(halves[1] ?? '', true)];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce((all, group) => (all << 16n) | group, 0n);
}

/** The 16-bit groups of one side of "::"; the last may be an IPv4 address where it ends the whole. */
function groupsOf(text: string, isLast: boolean): bigint[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: bigint[] = [];
  for (const [i, part] of parts.entries()) {
    if (isLast && i === parts.length - 1 && part.includes('.')) {
      const value = parseIpv4(part);
      if (value === null) return null;
      groups.push(value >> 16n, value & 0xffffn);
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return null;
  }
  return groups;
}

/** The longest run of two or more zero groups becomes "::" (RFC 5952 §4.2). */
function shortened(groups: readonly string[]): string {
  let [start, size] = [0, 1];
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === '0') end++;
    if (end - i > size) [start, size] = [i, end - i];
  }
  if (size < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + size).join(':')}`;
}

/** The octets of an address, most significant first: 4, or 16. */
export function addressOctets({ family, value }: { family: Family; value: bigint }): number[] {
  const count = family === 4 ? 4 : 16;
  return Array.from({ length: count }, (_, i) => Number((value >> BigInt(8 * (count - 1 - i))) & 0xffn));
}
