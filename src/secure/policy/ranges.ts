import { type Cidr, type Family, formatAddress, formatCidr } from '../../model/cidr.ts';

/** A closed interval. */
export type Range = readonly [first: bigint, last: bigint];

/** A set of whole numbers: intervals in order that neither overlap nor touch, so that equal sets look equal. */
export type Ranges = readonly Range[];

/** Puts intervals in order and joins those that overlap or touch. */
export function rangesOf(intervals: Iterable<Range>): Ranges {
  const sorted = [...intervals].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const joined: [bigint, bigint][] = [];
  for (const [first, last] of sorted) {
    const before = joined.at(-1);
    if (before && first <= before[1] + 1n) {
      if (last > before[1]) before[1] = last;
    } else joined.push([first, last]);
  }
  return joined;
}

export function intersect(a: Ranges, b: Ranges): Ranges {
  const out: Range[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [x, y] = [a[i]!, b[j]!];
    const first = x[0] > y[0] ? x[0] : y[0];
    const last = x[1] < y[1] ? x[1] : y[1];
    if (first <= last) out.push([first, last]);
    if (x[1] < y[1]) i++;
    else j++;
  }
  return out;
}

/** What of `a` is not in `b`. */
export function subtract(a: Ranges, b: Ranges): Ranges {
  const out: Range[] = [];
  for (const [first, last] of a) {
    let at = first;
    for (const [from, to] of b) {
      if (to < at) continue;
      if (from > last) break;
      if (from > at) out.push([at, from - 1n]);
      at = to + 1n;
    }
    if (at <= last) out.push([at, last]);
  }
  return out;
}

export function includes(ranges: Ranges, value: bigint): boolean {
  return ranges.some(([first, last]) => first <= value && value <= last);
}

/** How many numbers are in a set. */
export function sizeOf(ranges: Ranges): bigint {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1n, 0n);
}

const addressBits = { 4: 32, 6: 128 };

/** Every address of a family. */
export const everyAddress: Readonly<Record<Family, Ranges>> = {
  4: [[0n, (1n << 32n) - 1n]],
  6: [[0n, (1n << 128n) - 1n]],
};

export function rangesOfCidrs(cidrs: readonly Cidr[], family: Family): Ranges {
  return rangesOf(cidrs.filter((c) => c.family === family).map(({ first, last }): Range => [first, last]));
}

/** The fewest CIDRs that hold exactly these addresses. */
export function cidrsOf(ranges: Ranges, family: Family): Cidr[] {
  return ranges.flatMap(([first, last]) => {
    const out: Cidr[] = [];
    for (let at = first; at <= last;) {
      let free = at === 0n ? addressBits[family] : trailingZeros(at);
      while (at + (1n << BigInt(free)) - 1n > last) free--;
      const next = at + (1n << BigInt(free));
      out.push({ family, first: at, last: next - 1n, length: addressBits[family] - free });
      at = next;
    }
    return out;
  });
}

/** The same as text, a single address without its length. */
export function cidrTexts(ranges: Ranges, family: Family): string[] {
  return cidrsOf(ranges, family).map((cidr) =>
    cidr.first === cidr.last ? formatAddress(family, cidr.first) : formatCidr(cidr),
  );
}

function trailingZeros(value: bigint): number {
  let zeros = 0;
  while (((value >> BigInt(zeros)) & 1n) === 0n) zeros++;
  return zeros;
}
