import type { Cidr } from '../../../model/cidr.ts';

/** Finds the longest prefix that holds an address: number of the prefix in the list it was made of, -1 where none does. */
export interface PrefixTable {
  /** @param at where the 4 or 16 octets of the address stand */
  find(bytes: Uint8Array, at: number, version: 0 | 4 | 6): number;
}

/**
 * A table of prefixes as ranges that do not overlap, in rising order: every address lies in exactly one, and a search by halves finds it
 * without making anything. Of two equal prefixes the one listed first holds.
 */
export function prefixTable(prefixes: readonly Cidr[]): PrefixTable {
  const four = flatten(prefixes, 4);
  const six = flatten(prefixes, 6);
  return {
    find(bytes, at, version) {
      if (version === 4) return find4(four, word(bytes, at));
      if (version === 6) return find6(six, bytes, at);
      return -1;
    },
  };
}

/** Range i begins at the words `starts[i × words …]` and belongs to `owners[i]`. The first begins at zero. */
interface Flat {
  starts: Uint32Array;
  owners: Int32Array;
}

function flatten(prefixes: readonly Cidr[], family: 4 | 6): Flat {
  const mine = prefixes
    .map((prefix, owner) => ({ ...prefix, owner }))
    .filter((prefix) => prefix.family === family)
    .sort((a, b) => order(a.first, b.first) || a.length - b.length || b.owner - a.owner);
  const cuts: { start: bigint; owner: number }[] = [{ start: 0n, owner: -1 }];
  const cut = (start: bigint, owner: number) => {
    const last = cuts[cuts.length - 1]!;
    if (last.start === start) last.owner = owner;
    else if (last.owner !== owner) cuts.push({ start, owner });
  };
  // Prefixes nest or are apart, never else: those that are open form a stack.
  const open: { last: bigint; owner: number }[] = [];
  const close = (before: bigint) => {
    while (open.length > 0 && open[open.length - 1]!.last < before) {
      const { last } = open.pop()!;
      cut(last + 1n, open[open.length - 1]?.owner ?? -1);
    }
  };
  for (const { first, last, owner } of mine) {
    close(first);
    cut(first, owner);
    open.push({ last, owner });
  }
  const bits = family === 4 ? 32n : 128n;
  close(1n << bits);
  if (cuts[cuts.length - 1]!.start === 1n << bits) cuts.pop();
  const words = family === 4 ? 1 : 4;
  const starts = new Uint32Array(cuts.length * words);
  for (const [i, { start }] of cuts.entries())
    for (let w = 0; w < words; w++)
      starts[i * words + w] = Number((start >> BigInt(32 * (words - 1 - w))) & 0xffff_ffffn);
  return { starts, owners: Int32Array.from(cuts, ({ owner }) => owner) };
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function find4({ starts, owners }: Flat, address: number): number {
  let [low, high] = [0, owners.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= address) low = middle;
    else high = middle;
  }
  return owners[low]!;
}

function find6({ starts, owners }: Flat, bytes: Uint8Array, at: number): number {
  let [low, high] = [0, owners.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (isAtOrBefore(starts, 4 * middle, bytes, at)) low = middle;
    else high = middle;
  }
  return owners[low]!;
}

function isAtOrBefore(starts: Uint32Array, from: number, bytes: Uint8Array, at: number): boolean {
  for (let w = 0; w < 4; w++) {
    const [start, address] = [starts[from + w]!, word(bytes, at + 4 * w)];
    if (start !== address) return start < address;
  }
  return true;
}
