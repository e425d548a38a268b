import type { Intervals } from './sweep.ts';

/**
 * Rows of packets: two of the sides are settled, and along the third the steps decide as a painter does, the last one first, so that what
 * comes before covers what comes behind.
 */

export const fate = { none: 0, accept: 1, drop: 2, either: 3 } as const;

/** What a row can have: a step, a permit, or a place to look at. */
export interface RowThing {
  kind: 'step' | 'permit' | 'focus';
  intervals: Intervals;
  /** Of a step: accept or drop; none where it goes on elsewhere. */
  fate: number;
  /** Of a step: where it goes on, as a number of things; -1: nowhere. */
  goOnAt: number;
  isUnsure: boolean;
}

/** A stretch of the row in which rules and policy are of one mind each, and not of the same. */
export interface Disagreement {
  first: number;
  last: number;
  isPermitted: boolean;
  fate: number;
}

/** Rows that share their things: what begins and ends in any of them cuts all of them. */
export class Rows {
  readonly #all: readonly RowThing[];
  /** Where the row is cut. */
  readonly #ends: Int32Array;
  /** Of each thing its intervals as numbers of cuts: first, behind the last, …; by the number of the thing. */
  readonly #spans: Int32Array[] = [];
  readonly #hasJumps: boolean;
  readonly #fates: Uint8Array;
  readonly #permitted: Uint8Array;
  readonly #focused: Uint8Array;

  /** @param things steps in their order before anything else */
  constructor(all: readonly RowThing[], things: Int32Array) {
    this.#all = all;
    this.#ends = endsOf(all, things);
    this.#hasJumps = things.some((thing) => all[thing]!.goOnAt >= 0);
    for (const thing of things) this.#spans[thing] = this.#spansOf(all[thing]!.intervals);
    const length = Math.max(0, this.#ends.length - 1);
    [this.#fates, this.#permitted, this.#focused] = [
      new Uint8Array(length),
      new Uint8Array(length),
      new Uint8Array(length),
    ];
  }

  /** Paints the row that has these things, and tells where the two sides disagree. @returns how many stretches were compared */
  compare(things: Int32Array, note: (found: Disagreement) => void): number {
    this.#fates.fill(fate.none);
    this.#permitted.fill(0);
    this.#focused.fill(0);
    this.#paint(things);
    const [fates, permitted, focused] = [this.#fates, this.#permitted, this.#focused];
    let stretches = 0;
    for (let i = 0; i < focused.length; i++) {
      if (focused[i] === 0) continue;
      const [first, here, isPermitted] = [i, fates[i]!, permitted[i]!];
      while (
        i + 1 < focused.length &&
        focused[i + 1] === 1 &&
        permitted[i + 1] === isPermitted &&
        fates[i + 1] === here
      )
        i++;
      stretches++;
      if (here !== (isPermitted === 1 ? fate.accept : fate.drop))
        note({
          first: this.#ends[first]!,
          last: this.#ends[i + 1]! - 1,
          isPermitted: isPermitted === 1,
          fate: here,
        });
    }
    return stretches;
  }

  #paint(things: Int32Array): void {
    const targets = this.#hasJumps ? this.#targetsOf(things) : [];
    const known = new Map<number, Uint8Array>();
    for (let i = things.length - 1; i >= 0; i--) {
      const thing = things[i]!;
      const one = this.#all[thing]!;
      const spans = this.#spans[thing]!;
      if (one.kind !== 'step') {
        fill(one.kind === 'permit' ? this.#permitted : this.#focused, spans, 1);
        continue;
      }
      while (targets.length > 0 && targets.at(-1)! > thing) known.set(targets.pop()!, this.#fates.slice());
      const from = one.goOnAt >= 0 ? known.get(one.goOnAt)! : undefined;
      if (!from && !one.isUnsure) fill(this.#fates, spans, one.fate);
      else this.#blend(spans, from, one);
    }
  }

  /** Where steps go on, the furthest last. */
  #targetsOf(things: Int32Array): number[] {
    const targets = new Set<number>();
    for (const thing of things) if (this.#all[thing]!.goOnAt >= 0) targets.add(this.#all[thing]!.goOnAt);
    return [...targets].sort((a, b) => a - b);
  }

  /** A condition that is open holds or does not: both ends are possible. */
  #blend(spans: Int32Array, from: Uint8Array | undefined, { fate: own, isUnsure }: RowThing): void {
    for (let i = 0; i < spans.length; i += 2)
      for (let at = spans[i]!; at < spans[i + 1]!; at++)
        this.#fates[at] = (from ? from[at]! : own) | (isUnsure ? this.#fates[at]! : 0);
  }

  #spansOf(intervals: Intervals): Int32Array {
    const spans = new Int32Array(intervals.length);
    for (let i = 0; i < intervals.length; i += 2) {
      spans[i] = indexOf(this.#ends, intervals[i]!);
      spans[i + 1] = indexOf(this.#ends, intervals[i + 1]! + 1);
    }
    return spans;
  }
}

function fill(cells: Uint8Array, spans: Int32Array, value: number): void {
  for (let i = 0; i < spans.length; i += 2) cells.fill(value, spans[i], spans[i + 1]);
}

/** Wherever anything begins, and behind where it ends: each place once. */
function endsOf(all: readonly RowThing[], things: Int32Array): Int32Array {
  let size = 0;
  for (const thing of things) size += all[thing]!.intervals.length;
  const ends = new Int32Array(size);
  let to = 0;
  for (const thing of things) {
    const { intervals } = all[thing]!;
    for (let i = 0; i < intervals.length; i++) ends[to++] = intervals[i]! + (i & 1);
  }
  ends.sort();
  let length = 0;
  for (let i = 0; i < size; i++) if (i === 0 || ends[i] !== ends[i - 1]) ends[length++] = ends[i]!;
  return ends.subarray(0, length);
}

/** Where `place` stands in a list in order. */
function indexOf(ends: Int32Array, place: number): number {
  let [from, to] = [0, ends.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ends[middle]! < place) from = middle + 1;
    else to = middle;
  }
  return from;
}
