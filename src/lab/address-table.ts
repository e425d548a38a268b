import { addressBytes } from '../wire/ip.ts';

/**
 * Which node owns an address: open addressing over 32-bit words, read straight from packet bytes without making a string or
 * an object. IPv4 addresses are kept as their own kind, not as mapped IPv6.
 */
export interface AddressTable {
  /** Six numbers per place: node + 1 (0 when free), version, four words. */
  cells: Int32Array;
  mask: number;
}

const CELL = 6;

export function makeAddressTable(entries: readonly { address: string; node: number }[]): AddressTable {
  let places = 8;
  while (places < entries.length * 2) places *= 2;
  const table = { cells: new Int32Array(places * CELL), mask: places - 1 };
  for (const { address, node } of entries) insert(table, addressBytes(address), node);
  return table;
}

function insert(table: AddressTable, bytes: Uint8Array, node: number): void {
  const version = bytes.length === 4 ? 4 : 6;
  const words = bytes.length === 4 ? [int32(bytes, 0), 0, 0, 0] : [0, 4, 8, 12].map((at) => int32(bytes, at));
  let place = hash(words[0]!, words[1]!, words[2]!, words[3]!) & table.mask;
  while (table.cells[place * CELL] !== 0) place = (place + 1) & table.mask;
  table.cells.set([node + 1, version, ...words], place * CELL);
}

/** The node that owns the 4 or 16 bytes at `at`, or -1. */
export function findNode(table: AddressTable, bytes: Uint8Array, at: number, version: 4 | 6): number {
  const a = int32(bytes, at);
  const b = version === 6 ? int32(bytes, at + 4) : 0;
  const c = version === 6 ? int32(bytes, at + 8) : 0;
  const d = version === 6 ? int32(bytes, at + 12) : 0;
  const { cells, mask } = table;
  let place = hash(a, b, c, d) & mask;
  for (;;) {
    const cell = place * CELL;
    const owner = cells[cell]!;
    if (owner === 0) return -1;
    if (
      cells[cell + 1] === version &&
      cells[cell + 2] === a &&
      cells[cell + 3] === b &&
      cells[cell + 4] === c &&
      cells[cell + 5] === d
    )
      return owner - 1;
    place = (place + 1) & mask;
  }
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Murmur3's finaliser over the mixed words. */
function hash(a: number, b: number, c: number, d: number): number {
  let h = a ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
