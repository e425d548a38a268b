import type { Family } from '../../model/cidr.ts';
import { type Box, everything as everythingOf, type Packet } from './box.ts';
import { type Grid, gridOf, type PlacedBox } from './grid.ts';
import { type Range, rangesOf } from './ranges.ts';
import type { Step } from './steps.ts';

/**
 * Whether a list of steps accepts exactly a union of boxes: all packets are cut into cells, as few as there have to be, in which the
 * steps decide one way and the boxes do. Nothing is sampled. Cutting goes on only where something may differ: boxes that stand on
 * both sides are equal without looking.
 */

export interface Difference {
  /** The smallest packet, by source, destination, service. */
  packet: Packet;
  /** How many cells differ in this way. */
  cells: number;
}

/** Packets whose fate hangs on conditions that were not understood. */
export interface Doubt extends Difference {
  /** Steps whose conditions were not understood, by number. */
  steps: number[];
  /** Where: a few of the cells, as source, destination, service. */
  where: (readonly [Range, Range, Range])[];
}

export interface Comparison {
  /** Accepted and not permitted. */
  extra?: Difference;
  /** Permitted and not accepted. */
  missing?: Difference;
  /** Not permitted, and accepted only if conditions hold that were not understood: in the upper closure. */
  maybeExtra?: Doubt;
  /** Permitted, and accepted only if such conditions hold: not in the lower closure. */
  maybeMissing?: Doubt;
  /** Cells that were looked at. */
  cells: number;
  /** False when there were more cells than allowed: then no difference found says nothing. */
  isComplete: boolean;
}

const [disjoint, partly, covers] = [0, 1, 2] as const;
const [accepts, drops, open, either] = [1, 2, 0, 3] as const;

interface PlacedStep {
  box: PlacedBox;
  index: number;
  /** accepts or drops; 0 where it goes on elsewhere. */
  outcome: number;
  goOnAt: number;
  isUnsure: boolean;
}

interface Cell {
  lo: [number, number, number];
  hi: [number, number, number];
}

interface Work {
  grid: Grid;
  family: Family;
  result: Comparison;
  maxCells: number;
}

const shownCells = 8;

export function compare(
  steps: readonly Step[],
  permits: readonly Box[],
  family: Family,
  maxCells = 3_000_000,
): Comparison {
  const result: Comparison = { cells: 0, isComplete: true };
  const everything = everythingOf(family);
  const union = asUnion(steps, everything);
  const wanted = joined(permits);
  const accepted = union && joined(union.boxes);
  const grid = gridOf([...(accepted ?? steps.map(({ box }) => box)), ...wanted], everything);
  const placedSteps =
    union && accepted
      ? [...accepted.map((box): Step => ({ ...union.end, box, action: 'accept' })), union.end].map((step, i) =>
          placedStep(step, i, grid),
        )
      : steps.map((step, i) => placedStep(step, i, grid));
  const focus = (accepted ? notInBoth(accepted, wanted) : [everything]).map((box) => grid.place(box));
  const whole: Cell = { lo: [0, 0, 0], hi: [grid.sizes[0] - 1, grid.sizes[1] - 1, grid.sizes[2] - 1] };
  const placedPermits = wanted.map((box) => grid.place(box));
  if (focus.length > 0) cut(whole, placedSteps, placedPermits, focus, { grid, family, result, maxCells });
  return result;
}

/** Steps that only accept and then drop the rest are a union of boxes, as a policy is one. */
function asUnion(steps: readonly Step[], everything: Box): { boxes: Box[]; end: Step } | null {
  const at = steps.findIndex(({ action, unsure }) => action !== 'accept' || unsure !== undefined);
  const end = steps[at];
  if (!end || end.action !== 'drop' || end.unsure !== undefined || keyOf(end.box) !== keyOf(everything)) return null;
  return { boxes: steps.slice(0, at).map(({ box }) => box), end };
}

const keyOf = ({ src, dst, service }: Box): string => `${String(src)} ${String(dst)} ${String(service)}`;

/** Where two unions can differ: what both have needs no look. */
function notInBoth(a: readonly Box[], b: readonly Box[]): Box[] {
  const [inA, inB] = [a, b].map((boxes) => new Set(boxes.map(keyOf)));
  return [...a.filter((box) => !inB!.has(keyOf(box))), ...b.filter((box) => !inA!.has(keyOf(box)))];
}

/**
 * The same union of fewer boxes: those that differ along one side alone are one. Firewalls want a rule for each protocol, some for
 * each port and each network; after this they look like the line that they were made of.
 */
function joined(boxes: readonly Box[]): Box[] {
  const along = (list: readonly Box[], side: keyof Box): Box[] => {
    const byRest = new Map<string, Box[]>();
    for (const box of list) {
      const key = keyOf({ ...box, [side]: [] });
      const same = byRest.get(key);
      if (same) same.push(box);
      else byRest.set(key, [box]);
    }
    return [...byRest.values()].map((same) =>
      same.length === 1 ? same[0]! : { ...same[0]!, [side]: rangesOf(same.flatMap((box) => box[side])) },
    );
  };
  return along(along(along(boxes, 'service'), 'dst'), 'src');
}

function placedStep({ box, action, unsure }: Step, index: number, grid: Grid): PlacedStep {
  const isJump = typeof action === 'object';
  const outcome = isJump ? open : action === 'accept' ? accepts : drops;
  return {
    box: grid.place(box),
    index,
    outcome,
    goOnAt: isJump ? action.goOnAt : -1,
    isUnsure: unsure !== undefined,
  };
}

/** Cuts a cell until both sides are of one mind in it, and notes where their minds differ. */
function cut(
  cell: Cell,
  allSteps: readonly PlacedStep[],
  allPermits: readonly PlacedBox[],
  allFocus: readonly PlacedBox[],
  work: Work,
): void {
  const focus = allFocus.filter((box) => relation(box, cell) !== disjoint);
  if (focus.length === 0) return;
  if (work.result.cells >= work.maxCells) {
    work.result.isComplete = false;
    return;
  }
  work.result.cells++;
  const steps = stepsIn(cell, allSteps);
  const permits = permitsIn(cell, allPermits);
  const isPermitted = permits === true ? accepts : permits.length === 0 ? drops : open;
  const outcome = outcomeIn(steps, cell);
  if (isPermitted !== open && outcome !== open) {
    if (isPermitted !== outcome) note(cell, isPermitted, outcome, steps, work);
    return;
  }
  const boxes = permits === true ? [] : [...permits];
  for (const { box } of steps) boxes.push(box);
  const { side, at } = bestCut(cell, boxes);
  const [low, high] = [copyOf(cell), copyOf(cell)];
  low.hi[side] = at - 1;
  high.lo[side] = at;
  const left = permits === true ? allPermits : permits;
  cut(low, steps, left, focus, work);
  cut(high, steps, left, focus, work);
}

/** True when one box has the whole cell; else the boxes that reach into it. */
function permitsIn(cell: Cell, permits: readonly PlacedBox[]): true | PlacedBox[] {
  const out: PlacedBox[] = [];
  for (const box of permits) {
    const how = relation(box, cell);
    if (how === covers) return true;
    if (how === partly) out.push(box);
  }
  return out;
}

/** The steps that packets of a cell can meet. */
function stepsIn(cell: Cell, steps: readonly PlacedStep[]): PlacedStep[] {
  const out: PlacedStep[] = [];
  let isSkipped = false;
  for (const step of steps) {
    const how = relation(step.box, cell);
    if (how === disjoint) continue;
    out.push(step);
    if (step.goOnAt >= 0) isSkipped = true;
    // Without a step before it that leads past it, nothing comes behind what decides the whole cell.
    else if (how === covers && !step.isUnsure && !isSkipped) break;
  }
  return out;
}

/** What the steps do to every packet of a cell: accept, drop, either of them for reasons not understood, or different things. */
function outcomeIn(steps: readonly PlacedStep[], cell: Cell): number {
  const first = steps[0];
  if (first && steps.every((s) => s.outcome === first.outcome && s.outcome !== open)) return first.outcome;
  // Of doubtful steps each can be taken or not; from every place the answer is one, so each is asked once.
  const known = new Map<number, number>();
  const from = (start: number): number => {
    let mask = 0;
    for (let i = start; i < steps.length; i++) {
      const step = steps[i]!;
      const seen = known.get(i);
      if (seen !== undefined) return seen === open ? open : mask | seen;
      if (relation(step.box, cell) !== covers) return open;
      const outcome = step.outcome === open ? from(indexAfter(steps, i, step.goOnAt)) : step.outcome;
      if (outcome === open) return open;
      mask |= outcome;
      if (!step.isUnsure || mask === either) return mask;
    }
    return open;
  };
  for (let i = steps.length - 1; i >= 0; i--) if (steps[i]!.goOnAt >= 0) known.set(i, from(i));
  return from(0);
}

function indexAfter(steps: readonly PlacedStep[], from: number, goOnAt: number): number {
  let i = from + 1;
  while (i < steps.length && steps[i]!.index < goOnAt) i++;
  return i;
}

/**
 * Where to cut: of each side the middle of the ends that lie inside, and of these the one that leaves the fewest boxes on either
 * side of it.
 */
function bestCut(cell: Cell, boxes: readonly PlacedBox[]): { side: 0 | 1 | 2; at: number } {
  let best: { side: 0 | 1 | 2; at: number } | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const side of [0, 1, 2] as const) {
    const ends = endsInside(boxes, side, cell.lo[side], cell.hi[side]);
    if (ends.length === 0) continue;
    const at = ends.sort((a, b) => a - b)[ends.length >> 1]!;
    let cost = 0;
    for (const box of boxes)
      cost += Number(touches(box[side], cell.lo[side], at - 1)) + Number(touches(box[side], at, cell.hi[side]));
    if (cost < least) {
      least = cost;
      best = { side, at };
    }
  }
  if (!best) throw new RangeError('Cannot cut a cell in which every box is whole');
  return best;
}

/** Of many boxes only some are asked: the middle need not be exact. */
const askedBoxes = 64;

function endsInside(boxes: readonly PlacedBox[], side: number, lo: number, hi: number): number[] {
  const ends: number[] = [];
  const stride = Math.max(1, Math.floor(boxes.length / askedBoxes));
  const collect = (box: PlacedBox) => {
    const ranges = box[side]!;
    for (let i = 0; i < ranges.length; i += 2) {
      if (ranges[i]! > lo && ranges[i]! <= hi) ends.push(ranges[i]!);
      if (ranges[i + 1]! >= lo && ranges[i + 1]! < hi) ends.push(ranges[i + 1]! + 1);
    }
  };
  for (let i = 0; i < boxes.length; i += stride) collect(boxes[i]!);
  if (ends.length === 0 && stride > 1) boxes.forEach(collect);
  return ends;
}

function touches(ranges: Int32Array, lo: number, hi: number): boolean {
  const i = firstEndingAt(ranges, lo);
  return i < ranges.length && ranges[i]! <= hi;
}

function relation(box: PlacedBox, cell: Cell): 0 | 1 | 2 {
  let least: 0 | 1 | 2 = covers;
  for (let side = 0; side < 3; side++) {
    const [ranges, lo, hi] = [box[side]!, cell.lo[side]!, cell.hi[side]!];
    const i = firstEndingAt(ranges, lo);
    if (i >= ranges.length || ranges[i]! > hi) return disjoint;
    if (ranges[i]! > lo || ranges[i + 1]! < hi) least = partly;
  }
  return least;
}

/** Index of the first interval that ends at `lo` or later. */
function firstEndingAt(ranges: Int32Array, lo: number): number {
  let [from, to] = [0, ranges.length >> 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ranges[2 * middle + 1]! < lo) from = middle + 1;
    else to = middle;
  }
  return 2 * from;
}

const copyOf = ({ lo, hi }: Cell): Cell => ({ lo: [...lo], hi: [...hi] });

function note(cell: Cell, permitted: number, outcome: number, steps: readonly PlacedStep[], work: Work): void {
  const { grid, family, result } = work;
  const packet = grid.packet(family, ...cell.lo);
  if (outcome !== either) {
    const key = permitted === accepts ? 'missing' : 'extra';
    result[key] = { packet: smaller(packet, result[key]?.packet), cells: (result[key]?.cells ?? 0) + 1 };
    return;
  }
  const key = permitted === accepts ? 'maybeMissing' : 'maybeExtra';
  const before = result[key];
  const doubtful = steps.filter(({ isUnsure }) => isUnsure).map(({ index }) => index);
  const range = (side: 0 | 1 | 2) => grid.range(side, cell.lo[side], cell.hi[side]);
  const where = before?.where ?? [];
  if (where.length < shownCells) where.push([range(0), range(1), range(2)]);
  result[key] = {
    packet: smaller(packet, before?.packet),
    cells: (before?.cells ?? 0) + 1,
    steps: [...new Set([...(before?.steps ?? []), ...doubtful])],
    where,
  };
}

function smaller(a: Packet, b: Packet | undefined): Packet {
  if (!b) return a;
  for (const key of ['src', 'dst', 'service'] as const) if (a[key] !== b[key]) return a[key] < b[key] ? a : b;
  return a;
}
