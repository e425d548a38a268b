import type { Placement } from './problem.ts';
import { closed, free, opened } from './reduce.ts';

/**
 * Covering as a placement: a site costs 1 and serves all within `radius` for nothing, a client that stays out costs 1 as well. The
 * least total is then the fewest sites that cover everybody (set covering), and only the limit `maxOpen` may keep somebody out.
 */
export function coverProblem(p: Placement, radius: number): Placement {
  const start = new Int32Array(p.clients + 1);
  const sites: number[] = [];
  for (let c = 0; c < p.clients; c++) {
    for (let way = p.start[c]!, end = p.start[c + 1]!; way < end && p.cost[way]! <= radius; way++)
      sites.push(p.site[way]!);
    start[c + 1] = sites.length;
  }
  return {
    ...p,
    start,
    site: Int32Array.from(sites),
    cost: new Float64Array(sites.length),
    unserved: new Float64Array(p.clients).fill(1),
    siteCost: new Float64Array(p.sites).fill(1),
    base: 0,
    quantum: 1,
  };
}

/** One row of bits per item. */
interface BitRows {
  readonly words: number;
  readonly bits: Int32Array;
}

function bitRows(rows: number, columns: number): BitRows {
  const words = (columns + 31) >> 5;
  return { words, bits: new Int32Array(rows * words) };
}

const setBit = ({ words, bits }: BitRows, row: number, at: number): void => {
  bits[row * words + (at >> 5)]! |= 1 << (at & 31);
};

/**
 * What can be settled of a covering problem without search (Garfinkel and Nemhauser 1972), again and again until nothing more
 * can: the only site of a client opens; a client goes if whoever covers another one covers it too; a site closes if another
 * covers all that it does.
 * @returns the states of all sites, and 1 for each client that need not be looked at
 */
export function settleCover(p: Placement, state: Uint8Array): { state: Uint8Array; isDone: Uint8Array } {
  const next = state.slice();
  const isDone = new Uint8Array(p.clients);
  for (;;) {
    const hasOpened = dropCovered(p, next, isDone);
    const byClient = bitRows(p.clients, p.sites);
    const bySite = bitRows(p.sites, p.clients);
    for (let c = 0; c < p.clients; c++)
      if (!isDone[c])
        for (let way = p.start[c]!, end = p.start[c + 1]!; way < end; way++)
          if (next[p.site[way]!] === free) {
            setBit(byClient, c, p.site[way]!);
            setBit(bySite, p.site[way]!, c);
          }
    const hasDropped = drop(
      byClient,
      bySite,
      p.clients,
      (c) => isDone[c] === 0,
      (c) => (isDone[c] = 1),
    );
    const hasClosed = drop(
      bySite,
      byClient,
      p.sites,
      (s) => next[s] === free,
      (s) => (next[s] = closed),
      true,
    );
    if (!hasOpened && !hasDropped && !hasClosed) return { state: next, isDone };
  }
}

/** Opens only sites of clients, and marks whom the open ones cover. */
function dropCovered(p: Placement, state: Uint8Array, isDone: Uint8Array): boolean {
  let hasOpened = false;
  // A second pass, for clients before the one whose site opened.
  for (let pass = 0; pass < 2; pass++)
    for (let c = 0; c < p.clients; c++) {
      let [count, last] = [0, -1];
      for (let way = p.start[c]!, end = p.start[c + 1]!; way < end && !isDone[c]; way++) {
        const s = p.site[way]!;
        if (state[s] === opened) isDone[c] = 1;
        else if (state[s] === free) [count, last] = [count + 1, s];
      }
      if (isDone[c] || count !== 1) continue;
      [state[last], isDone[c], hasOpened] = [opened, 1, true];
    }
  return hasOpened;
}

/**
 * Drops items that another makes needless. Of clients: those in whose row all of another's row is. Of sites (`isWithin`): those whose
 * row is all in another's. Both are one AND over the rows of the other side.
 */
function drop(
  mine: BitRows,
  other: BitRows,
  count: number,
  isThere: (item: number) => boolean,
  remove: (item: number) => void,
  isWithin = false,
): boolean {
  let hasDropped = false;
  const common = new Int32Array(other.words);
  for (let item = 0; item < count; item++) {
    if (!isThere(item)) continue;
    // Who stands in every row that the item has a bit for has all bits of the item, itself among them.
    let isEmpty = true;
    common.fill(-1);
    forBits(mine, item, (bit) => {
      isEmpty = false;
      for (let w = 0; w < other.words; w++) common[w]! &= other.bits[bit * other.words + w]!;
    });
    if (isEmpty) {
      // A site that covers nobody any more; a client that nobody covers has to stay.
      if (isWithin) remove(item);
      hasDropped ||= isWithin;
      continue;
    }
    forBits({ words: other.words, bits: common }, 0, (twin) => {
      if (twin === item || !isThere(twin) || !isThere(item)) return;
      remove(isWithin ? item : twin);
      hasDropped = true;
    });
  }
  return hasDropped;
}

function forBits({ words, bits }: BitRows, row: number, visit: (bit: number) => void): void {
  for (let w = 0; w < words; w++)
    for (let word = bits[row * words + w]!; word !== 0; word &= word - 1)
      visit((w << 5) + 31 - Math.clz32(word & -word));
}
