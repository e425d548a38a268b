/**
 * A sweep along one side: where the set of things that are there changes. Stretches with the same set are visited once, however far apart
 * they are, so that a rule with a hundred networks costs no more than one with one.
 */

/** Intervals of a thing along the side, flat: first, last, first, last, … in order; neither overlapping nor touching. */
export type Intervals = Int32Array;

export interface Stretch {
  /** What is here, as it was numbered, in order. */
  things: Int32Array;
  /** The first of the stretches that have just these. */
  first: number;
  last: number;
}

/** Sets that are remembered, in numbers; more are visited again in place of growing without end. */
const rememberedNumbers = 8_000_000;

/** Things of which at least one has to be there: a stretch without is nobody's business. */
export type IsWanted = (thing: number) => boolean;

/** Visits each set of things once, in order of the first stretch that has it. Ends early when `visit` says false. */
export function sweep(
  things: Int32Array,
  intervalsOf: (thing: number) => Intervals,
  isWanted: IsWanted,
  visit: (stretch: Stretch) => boolean,
): void {
  const changes = changesOf(things, intervalsOf);
  const count = things.length;
  const isHere = new Uint8Array(count);
  const hashes = hashesFor(count);
  const seen = new Map<number, Int32Array[]>();
  let [here, wanted, hash, room] = [0, 0, 0, rememberedNumbers];
  for (let i = 0; i < changes.length;) {
    const first = Math.floor(changes[i]! / count);
    for (; i < changes.length && Math.floor(changes[i]! / count) === first; i++) {
      const at = changes[i]! % count;
      isHere[at]! ^= 1;
      const step = isHere[at] === 1 ? 1 : -1;
      here += step;
      if (isWanted(things[at]!)) wanted += step;
      hash ^= hashes[at]!;
    }
    if (wanted === 0) continue;
    const set = new Int32Array(here);
    for (let at = 0, to = 0; to < here; at++) if (isHere[at] === 1) set[to++] = things[at]!;
    const same = seen.get(hash);
    if (same?.some((one) => isSame(one, set))) continue;
    if (room > here) {
      room -= here;
      if (same) same.push(set);
      else seen.set(hash, [set]);
    }
    if (!visit({ things: set, first, last: Math.floor(changes[i]! / count) - 1 })) return;
  }
}

/** Place × count + number of the thing that begins or ends there, in order. */
function changesOf(things: Int32Array, intervalsOf: (thing: number) => Intervals): Float64Array {
  let size = 0;
  for (const thing of things) size += intervalsOf(thing).length;
  const changes = new Float64Array(size);
  let to = 0;
  for (let at = 0; at < things.length; at++) {
    const intervals = intervalsOf(things[at]!);
    for (let i = 0; i < intervals.length; i += 2) {
      changes[to++] = intervals[i]! * things.length + at;
      changes[to++] = (intervals[i + 1]! + 1) * things.length + at;
    }
  }
  return changes.sort();
}

let hashes = new Int32Array(0);

/** A number for each thing, so that a set is known again by the exclusive or of its numbers; what looks the same is compared. */
function hashesFor(count: number): Int32Array {
  if (hashes.length < count) {
    hashes = new Int32Array(2 * count);
    for (let i = 0; i < hashes.length; i++) hashes[i] = mixed(i + 1);
  }
  return hashes;
}

/** The finalizer of MurmurHash3 (in the public domain). */
function mixed(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
