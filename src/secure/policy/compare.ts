import type { Family } from '../../model/cidr.ts';
import { type Box, everything as everythingOf, intersectBoxes, isEmpty, type Packet } from './box.ts';
import { type Grid, gridOf, type PlacedBox } from './grid.ts';
import { type Range, type Ranges, rangesOf } from './ranges.ts';
import { type Disagreement, fate, Rows, type RowThing } from './row.ts';
import type { Step } from './steps.ts';
import { sweep } from './sweep.ts';

/**
 * Whether a list of steps accepts exactly a union of boxes: along two sides, packets that the same boxes hold are one (and asked once);
 * along the third, the row is painted. Nothing is sampled, and the work grows with the ends of boxes on two sides, not with their
 * product on three. Rows are looked at only where something may differ: boxes that stand on both sides are equal without looking.
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
  /** Cells that were looked at: stretches of rows in which rules and policy are of one mind each. */
  cells: number;
  /** False when there were more rows than allowed: then no difference found says nothing. */
  isComplete: boolean;
}

/** Rows that are painted at most: some minutes. */
const mostRows = 50_000_000;

const shownCells = 8;

export function compare(
  steps: readonly Step[],
  permits: readonly Box[],
  family: Family,
  maxRows = mostRows,
): Comparison {
  const everything = everythingOf(family);
  const wanted = joined(permits);
  const list = shortened(steps, everything);
  const grid = gridOf([...list.map(({ step }) => step.box), ...wanted], everything);
  const places = {
    steps: list.map(({ step }) => grid.place(step.box)),
    permits: wanted.map((box) => grid.place(box)),
    focus: focusOf(list, wanted, everything).map((box) => grid.place(box)),
  };
  return new Comparing(list, places, grid, family, maxRows).done();
}

/** A step, and its number among all of them. */
interface Numbered {
  step: Step;
  index: number;
}

/** The same list with fewer steps: of those that follow each other and do the same, the order means nothing. */
function shortened(steps: readonly Step[], everything: Box): Numbered[] {
  const numbered = steps.map((step, index): Numbered => ({ step, index }));
  if (!isPlain(steps)) return numbered;
  const out: Numbered[] = [];
  for (let i = 0; i < steps.length;) {
    const first = numbered[i]!;
    const from = i;
    while (i < steps.length && steps[i]!.action === first.step.action) i++;
    const boxes = joined(steps.slice(from, i).map(({ box }) => box));
    for (const box of boxes) out.push({ step: { ...first.step, box }, index: first.index });
    // Behind what takes everything, nothing is asked.
    if (boxes.some((box) => keyOf(box) === keyOf(everything))) break;
  }
  return out;
}

/** Without jumps and without doubts: the first that fits decides. */
const isPlain = (steps: readonly Step[]): boolean =>
  steps.every(({ action, unsure }) => typeof action === 'string' && unsure === undefined);

const keyOf = ({ src, dst, service }: Box): string => `${keyOfSide(src)} ${keyOfSide(dst)} ${keyOfSide(service)}`;

const noRanges: Ranges = [];

/** Numbers of 128 bits are slow to write down, and the same sides are asked for again and again. */
const keys = new WeakMap<Ranges, string>();

function keyOfSide(ranges: Ranges): string {
  const known = keys.get(ranges);
  if (known !== undefined) return known;
  const key = ranges.map(([first, last]) => `${first.toString(16)}-${last.toString(16)}`).join();
  keys.set(ranges, key);
  return key;
}

/**
 * Where the two can differ: in boxes that only one side has, and in those that both have where a denial comes before. Elsewhere either both
 * accept or, at the end of the list, both deny.
 */
function focusOf(list: readonly Numbered[], wanted: readonly Box[], everything: Box): Box[] {
  const end = list.at(-1);
  if (
    !isPlain(list.map(({ step }) => step)) ||
    end?.step.action !== 'drop' ||
    keyOf(end.step.box) !== keyOf(everything)
  )
    return [everything];
  const isPermitted = new Set(wanted.map(keyOf));
  const focus: Box[] = [];
  const drops: Box[] = [];
  const passed = new Set<string>();
  for (const { step } of list) {
    const key = keyOf(step.box);
    if (step.action === 'drop') drops.push(step.box);
    else if (!isPermitted.has(key)) focus.push(step.box);
    else if (!drops.some((box) => !isEmpty(intersectBoxes(box, step.box)))) passed.add(key);
  }
  return [...focus, ...wanted.filter((box) => !passed.has(keyOf(box)))];
}

/**
 * The same union of fewer boxes: those that differ along one side alone are one. Firewalls want a rule for each protocol, some for
 * each port and each network; after this they look like the line that they were made of.
 */
function joined(boxes: readonly Box[]): Box[] {
  const along = (list: readonly Box[], side: keyof Box): Box[] => {
    const byRest = new Map<string, Box[]>();
    for (const box of list) {
      const key = keyOf({ ...box, [side]: noRanges });
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

type Side = 0 | 1 | 2;

interface Places {
  steps: PlacedBox[];
  permits: PlacedBox[];
  focus: PlacedBox[];
}

/** The smallest cell of a kind of difference so far, by classes of the grid. */
type Corner = [src: number, dst: number, service: number];

interface Found {
  corner: Corner;
  cells: number;
  steps: Set<number>;
  where: (readonly [Range, Range, Range])[];
}

/** One comparison on its way. Things are numbered: steps, then permits, then the boxes to look into. */
class Comparing {
  readonly #list: readonly Numbered[];
  readonly #places: readonly PlacedBox[];
  readonly #things: readonly RowThing[];
  readonly #grid: Grid;
  readonly #family: Family;
  readonly #found: Partial<Record<'extra' | 'missing' | 'maybeExtra' | 'maybeMissing', Found>> = {};
  /** Sides in the order in which they are settled: that of the most classes is painted. */
  readonly #sides: readonly [Side, Side, Side];
  #rowsLeft: number;
  #cells = 0;

  constructor(
    list: readonly Numbered[],
    { steps, permits, focus }: Places,
    grid: Grid,
    family: Family,
    maxRows: number,
  ) {
    [this.#list, this.#grid, this.#family, this.#rowsLeft] = [list, grid, family, maxRows];
    this.#places = [...steps, ...permits, ...focus];
    this.#sides = ([0, 1, 2] as Side[]).sort((a, b) => grid.sizes[a] - grid.sizes[b]) as [Side, Side, Side];
    const [, , side] = this.#sides;
    const other = (kind: 'permit' | 'focus') => (box: PlacedBox) => ({ ...nothing, kind, intervals: box[side] });
    this.#things = [
      ...steps.map((box, i) => stepThing(list[i]!.step, box[side])),
      ...permits.map(other('permit')),
      ...focus.map(other('focus')),
    ];
  }

  done(): Comparison {
    const [one, two] = this.#sides;
    const isFocus = (thing: number) => this.#things[thing]!.kind === 'focus';
    const all = Int32Array.from(this.#places, (_, i) => i);
    sweep(
      all,
      (thing) => this.#places[thing]![one],
      isFocus,
      (a) => {
        const rows = new Rows(this.#things, a.things);
        sweep(
          a.things,
          (thing) => this.#places[thing]![two],
          isFocus,
          (b) => {
            if (this.#rowsLeft-- <= 0) return false;
            const at = { [one]: [a.first, a.last], [two]: [b.first, b.last] } as const;
            this.#cells += rows.compare(b.things, (found) => this.#note(found, at, b.things));
            return true;
          },
        );
        return this.#rowsLeft >= 0;
      },
    );
    return { ...this.#differences(), cells: this.#cells, isComplete: this.#rowsLeft >= 0 };
  }

  #note(row: Disagreement, at: Partial<Record<Side, readonly [number, number]>>, things: Int32Array): void {
    const spans = ([0, 1, 2] as const).map((side) => at[side] ?? ([row.first, row.last] as const));
    const corner = spans.map(([first]) => first) as Corner;
    const isOpen = row.fate === fate.either;
    const key = row.isPermitted ? (isOpen ? 'maybeMissing' : 'missing') : isOpen ? 'maybeExtra' : 'extra';
    const found = (this.#found[key] ??= { corner, cells: 0, steps: new Set(), where: [] });
    found.cells++;
    if (isBefore(corner, found.corner)) found.corner = corner;
    if (!isOpen) return;
    for (const thing of things)
      if (this.#things[thing]!.isUnsure && holds(this.#things[thing]!.intervals, row.first))
        found.steps.add(this.#list[thing]!.index);
    if (found.where.length < shownCells)
      found.where.push(
        spans.map(([first, last], side) => this.#grid.range(side as Side, first, last)) as [Range, Range, Range],
      );
  }

  #differences(): Omit<Comparison, 'cells' | 'isComplete'> {
    const of = ({ corner, cells }: Found): Difference => ({
      packet: this.#grid.packet(this.#family, ...corner),
      cells,
    });
    const { extra, missing, maybeExtra, maybeMissing } = this.#found;
    const doubt = (found: Found): Doubt => ({ ...of(found), steps: [...found.steps], where: found.where });
    return {
      ...(extra ? { extra: of(extra) } : {}),
      ...(missing ? { missing: of(missing) } : {}),
      ...(maybeExtra ? { maybeExtra: doubt(maybeExtra) } : {}),
      ...(maybeMissing ? { maybeMissing: doubt(maybeMissing) } : {}),
    };
  }
}

const nothing = { fate: fate.none, goOnAt: -1, isUnsure: false };

function stepThing({ action, unsure }: Step, intervals: Int32Array): RowThing {
  const isJump = typeof action === 'object';
  return {
    kind: 'step',
    intervals,
    fate: isJump ? fate.none : fate[action],
    goOnAt: isJump ? action.goOnAt : -1,
    isUnsure: unsure !== undefined,
  };
}

function isBefore(a: Corner, b: Corner): boolean {
  for (const side of [0, 1, 2] as const) if (a[side] !== b[side]) return a[side] < b[side];
  return false;
}

function holds(intervals: Int32Array, place: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) if (intervals[i]! <= place && place <= intervals[i + 1]!) return true;
  return false;
}
