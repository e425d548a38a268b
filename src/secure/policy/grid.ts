import type { Box, Packet } from './box.ts';
import type { Family } from '../../model/cidr.ts';
import type { Ranges } from './ranges.ts';

/**
 * Boxes by small numbers: along each side, numbers that no box tells apart are one class. Addresses of 128 bits become indices, and
 * both families are compared by the same code at the same speed.
 */
export interface Grid {
  /** Classes of each side. */
  sizes: readonly [src: number, dst: number, service: number];
  /** The box by classes. */
  place(box: Box): PlacedBox;
  /** The smallest packet of a cell. */
  packet(family: Family, src: number, dst: number, service: number): Packet;
  /** The numbers from one class up to another. */
  range(side: 0 | 1 | 2, first: number, last: number): readonly [bigint, bigint];
}

/** Intervals of classes per side, flat: first, last, first, last, … */
export type PlacedBox = readonly [src: Int32Array, dst: Int32Array, service: Int32Array];

export function gridOf(boxes: readonly Box[], everything: Box): Grid {
  const sides = (['src', 'dst', 'service'] as const).map((key) => {
    const starts = new Set([everything[key][0]![0]]);
    for (const box of boxes)
      for (const [first, last] of box[key]) {
        starts.add(first);
        starts.add(last + 1n);
      }
    const end = everything[key][0]![1] + 1n;
    starts.delete(end);
    const sorted = [...starts].sort((a, b) => (a < b ? -1 : 1));
    return {
      starts: sorted,
      end,
      indices: new Map([...sorted.entries(), [sorted.length, end] as const].map(([i, v]) => [v, i])),
    };
  });
  const placed = (ranges: Ranges, side: number): Int32Array => {
    const { indices } = sides[side]!;
    const out = new Int32Array(ranges.length * 2);
    ranges.forEach(([first, last], i) => {
      out[2 * i] = indices.get(first)!;
      out[2 * i + 1] = indices.get(last + 1n)! - 1;
    });
    return out;
  };
  return {
    sizes: [sides[0]!.starts.length, sides[1]!.starts.length, sides[2]!.starts.length],
    place: (box) => [placed(box.src, 0), placed(box.dst, 1), placed(box.service, 2)],
    packet: (family, src, dst, service) => ({
      family,
      src: sides[0]!.starts[src]!,
      dst: sides[1]!.starts[dst]!,
      service: sides[2]!.starts[service]!,
    }),
    range: (side, first, last) => {
      const { starts, end } = sides[side]!;
      return [starts[first]!, (starts[last + 1] ?? end) - 1n];
    },
  };
}
