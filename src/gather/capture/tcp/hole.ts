/** Octets that are missing at the tap, and what is known of the segment that showed it. */
export interface Hole {
  start: number;
  end: number;
  openedMs: number;
  /** Of the first segment behind the hole: whatever was sent for the first time before it has a lower or equal stamp. */
  openerStamp: number;
  openerHasStamp: boolean;
  openerIpId: number;
  /** That segment was a second copy itself, the first of which was lost with what lies in the hole. */
  openerAgain: boolean;
  /** When the receiver acknowledged all of it; NaN: not yet. */
  ackedMs: number;
}

/** More than these at once are no path, but a capture with holes of its own. */
export const maxHoles = 256;

/** Takes `[from, to)` out of the hole at `index`, which it overlaps; a piece on either side may stay. */
export function fill(holes: Hole[], index: number, from: number, to: number): void {
  const hole = holes[index]!;
  const before = from > hole.start;
  const after = to < hole.end;
  if (before && after) {
    holes.splice(index, 0, { ...hole, end: from });
    hole.start = to;
  } else if (before) hole.end = from;
  else if (after) hole.start = to;
  else holes.splice(index, 1);
}

/** Index of the first hole that overlaps `[from, to)`, or -1. */
export function overlapping(holes: readonly Hole[], from: number, to: number): number {
  for (let i = 0; i < holes.length; i++) {
    if (holes[i]!.start >= to) return -1;
    if (holes[i]!.end > from) return i;
  }
  return -1;
}
