import { isIP } from 'node:net';
import { encodeSockaddr, formatIPv4, formatIPv6, SOCKADDR_IN6_BYTES } from '../../wire/sockaddr.ts';

/**
 * The targets of a sweep as columns, so that a million of them cost no object each: what was written stays where it was
 * written, and a target is two offsets into that text.
 */
export interface TargetTable {
  count: number;
  /** What was given: the file, or the arguments joined by line ends. */
  text: string;
  nameStart: Uint32Array;
  nameEnd: Uint32Array;
  /** 4 or 6; 0 for a name that is still to be resolved. */
  family: Uint8Array;
  /** Network order, four words each; an IPv4 address fills the first. */
  address32: Uint32Array;
  scope: Uint32Array;
  /** Host order; 0 where none was given. */
  port: Uint16Array;
  /** Names to ask the resolver for, by target. */
  hosts: Map<number, string>;
  /** Targets that stood there before; they are measured once. */
  duplicates: number;
  /** How many of the targets say a port. */
  withPort: number;
}

export interface TargetMistake {
  /** From 1. */
  line: number;
  text: string;
  why: string;
}

export type Scan = { table: TargetTable; mistakes: TargetMistake[]; moreMistakes: number };

/** Mistakes that are told one by one. */
const MISTAKES_SHOWN = 20;

/**
 * Reads targets, one per line: a host name, an IPv4 or IPv6 address, either with a port (`host:port`, `[v6]:port`), or a URL.
 * What follows a `#` at the begin of a line or behind a space is a comment.
 * @param family refuses addresses of the other one
 */
export function readTargets(text: string, family?: 4 | 6): Scan {
  const lines = countLines(text);
  const table: TargetTable = {
    count: 0,
    text,
    nameStart: new Uint32Array(lines),
    nameEnd: new Uint32Array(lines),
    family: new Uint8Array(lines),
    address32: new Uint32Array(lines * 4),
    scope: new Uint32Array(lines),
    port: new Uint16Array(lines),
    hosts: new Map(),
    duplicates: 0,
    withPort: 0,
  };
  const scan: Scan = { table, mistakes: [], moreMistakes: 0 };
  const seen = makeSeen(lines);
  for (let start = 0, line = 1; start < text.length; line++) {
    let end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    readLine(scan, seen, start, end, line, family);
    start = end + 1;
  }
  return scan;
}

/** What the user wrote of target `index`. */
export function targetName({ text, nameStart, nameEnd }: TargetTable, index: number): string {
  return text.slice(nameStart[index], nameEnd[index]);
}

function readLine(scan: Scan, seen: Seen, from: number, to: number, line: number, family: 4 | 6 | undefined): void {
  const { table } = scan;
  const { text, count } = table;
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  if (start === end || text.charCodeAt(start) === HASH) return;
  // An IPv4 address alone on its line is what long lists are made of.
  const v4 = family === 6 ? -1 : readIPv4(text, start, end);
  if (v4 >= 0) {
    table.nameStart[count] = start;
    table.nameEnd[count] = ipv4End;
    table.family[count] = 4;
    table.address32[count * 4] = v4;
    // What stood here before was refused as a duplicate; only an IPv6 address or a port leaves anything behind.
    for (let i = 1; i < 4; i++) table.address32[count * 4 + i] = 0;
    table.scope[count] = 0;
    table.port[count] = 0;
    admit(table, seen);
    return;
  }
  const hash = text.slice(start, end).search(/\s#/);
  if (hash >= 0) end = start + hash;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  const word = text.slice(start, end);
  const place = parseTarget(word, family);
  const why = typeof place === 'string' ? place : writeHost(table, count, place.host);
  if (typeof place === 'string' || why !== null) {
    if (scan.mistakes.length < MISTAKES_SHOWN) scan.mistakes.push({ line, text: word, why: why ?? '' });
    else scan.moreMistakes++;
    return;
  }
  table.nameStart[count] = start;
  table.nameEnd[count] = end;
  table.port[count] = place.port;
  admit(table, seen);
}

/** Puts an address literal into the columns, or notes a name. Returns what is wrong with it, or null. */
function writeHost(table: TargetTable, index: number, host: string): string | null {
  if (isIP(host) === 0) {
    table.family[index] = 0;
    table.address32.fill(0, index * 4, index * 4 + 4);
    table.scope[index] = 0;
    table.hosts.set(index, host.toLowerCase());
    return null;
  }
  try {
    setAddress(table, index, host);
    return null;
  } catch (error) {
    return error instanceof RangeError ? error.message : String(error);
  }
}

const sockaddr = Buffer.alloc(SOCKADDR_IN6_BYTES);

/** Writes an address literal into the columns of target `index`. @throws RangeError for a zone that this host does not have */
export function setAddress(table: TargetTable, index: number, literal: string): void {
  encodeSockaddr(sockaddr, literal, 0);
  const family = isIP(literal);
  for (let i = 0; i < 4; i++)
    table.address32[index * 4 + i] =
      family === 4 ? (i === 0 ? sockaddr.readUInt32LE(4) : 0) : sockaddr.readUInt32LE(8 + i * 4);
  table.scope[index] = family === 4 ? 0 : sockaddr.readUInt32LE(24);
  table.family[index] = family;
}

/** Address of target `index` as text; empty while it has none. */
export function targetAddress({ family, address32, scope }: TargetTable, index: number): string {
  return addressText(family[index]!, address32.subarray(index * 4, index * 4 + 4), scope[index]);
}

/** Four words in network order as text. */
export function addressText(family: number, words: Uint32Array, scope = 0): string {
  if (family === 0) return '';
  for (let i = 0; i < 4; i++) sockaddr.writeUInt32LE(words[i]!, i * 4);
  if (family === 4) return formatIPv4(sockaddr, 0);
  return `${formatIPv6(sockaddr, 0)}${scope === 0 ? '' : `%${scope}`}`;
}

/** Host and port of one target, or what is wrong with it. The port is 0 where none is given. */
export function parseTarget(word: string, family?: 4 | 6): { host: string; port: number } | string {
  const place = word.includes('://') ? fromUrl(word) : fromHostPort(word);
  if (typeof place === 'string') return place;
  const actual = isIP(place.host);
  if (actual === 0 && !isHostName(place.host)) return `is no target; allowed: ${ALLOWED}`;
  if (actual !== 0 && family !== undefined && actual !== family)
    return `is not an IPv${family} address (--family ${family})`;
  return place;
}

const ALLOWED = 'host, address, host:port, [IPv6]:port, URL';

function fromUrl(word: string): { host: string; port: number } | string {
  if (!URL.canParse(word)) return 'is not a URL';
  const url = new URL(word);
  const known: Record<string, number> = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 };
  const port = url.port === '' ? (known[url.protocol] ?? 0) : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

function fromHostPort(word: string): { host: string; port: number } | string {
  // Two colons and no brackets: an IPv6 address without a port.
  if (isIP(word) === 6) return { host: word, port: 0 };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(word);
  if (!match) return `is no target; allowed: ${ALLOWED}`;
  const port = match[3] === undefined ? 0 : Number(match[3]);
  if (match[3] !== undefined && (port < 1 || port > 65_535)) return `has port ${match[3]}; allowed: 1 to 65535`;
  if (match[1] !== undefined && isIP(match[1]) !== 6) return 'has no IPv6 address in its brackets';
  return { host: match[1] ?? match[2]!, port };
}

/** RFC 1123 §2.1, and underscores, which real names have. What looks like a broken IPv4 address is none. */
function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  if (host.length > 253 || /^\d+$/.test(labels.at(-1)!)) return false;
  return labels.every((label) => /^(?!-)[a-z\d_-]{1,63}(?<!-)$/i.test(label));
}

const HASH = 35;
const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13;

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** Where readIPv4() ended: behind the address. */
let ipv4End = 0;

/**
 * The dotted quad at `start` as a word in network order, when nothing but blanks stands behind it until `end`; else −1. Strict:
 * four decimal numbers up to 255 without leading zeros, as isIP() has it; a test holds the two together.
 */
function readIPv4(text: string, start: number, end: number): number {
  let word = 0;
  let at = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== 46) return -1;
    const first = at;
    let value = 0;
    for (let code = text.charCodeAt(at); at < end && code >= 48 && code <= 57; code = text.charCodeAt(++at))
      value = value * 10 + code - 48;
    const digits = at - first;
    if (digits === 0 || digits > 3 || value > 255 || (digits > 1 && text.charCodeAt(first) === 48)) return -1;
    word |= value << (8 * part);
  }
  ipv4End = at;
  for (; at < end; at++) if (!isBlank(text.charCodeAt(at))) return -1;
  return word >>> 0;
}

/** Targets by address and port, for finding what stands there twice: open addressing over indices, no object per target. */
interface Seen {
  slots: Int32Array;
  names: Set<string>;
}

function makeSeen(lines: number): Seen {
  return { slots: new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, lines) * 2))).fill(-1), names: new Set() };
}

/** Counts the target that was just written at the end of the table, unless it stands there already. */
function admit(table: TargetTable, seen: Seen): void {
  const index = table.count;
  const host = table.hosts.get(index);
  if (host === undefined ? isSeen(table, seen.slots, index) : isNameSeen(seen.names, `${host} ${table.port[index]}`)) {
    table.hosts.delete(index);
    table.duplicates++;
    return;
  }
  if (table.port[index] !== 0) table.withPort++;
  table.count++;
}

function isNameSeen(names: Set<string>, name: string): boolean {
  return names.size === names.add(name).size;
}

function isSeen({ family, address32, port, scope }: TargetTable, slots: Int32Array, index: number): boolean {
  const mask = slots.length - 1;
  const at = index * 4;
  let hash = Math.imul(address32[at]! ^ port[index]!, 0x9e3779b1);
  for (let i = 1; i < 4; i++) hash = Math.imul(hash ^ address32[at + i]!, 0x85ebca6b);
  for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
    const other = slots[slot]!;
    if (other === -1) {
      slots[slot] = index;
      return false;
    }
    const there = other * 4;
    if (
      address32[there] === address32[at] &&
      address32[there + 1] === address32[at + 1] &&
      address32[there + 2] === address32[at + 2] &&
      address32[there + 3] === address32[at + 3] &&
      family[other] === family[index] &&
      port[other] === port[index] &&
      scope[other] === scope[index]
    )
      return true;
  }
}
