import { makeSearchSpace, type SearchSpace, shortestPaths } from '../../stats/graph/dijkstra.ts';
import { acrossFrom, type Graph } from '../../stats/graph/graph.ts';
import { type Effect, type Effects, pairIndex } from './effects.ts';
import type { ElementTable, Lists } from './elements.ts';
import { addGone, cutBelow, makeRerouter, type Rerouter, reroute } from './reroute.ts';
import { copyPaths, makeTree, orderTree, type Tree } from './tree.ts';

/** What is asked of each source. Lengths are whole numbers where sums of them have to be exact. */
export interface Question {
  graph: Graph;
  table: ElementTable;
  /** 1 for nodes that count as ends of pairs; others only carry what passes. */
  isEnd: Uint8Array;
  /** Longest path that is still good, in the unit of the lengths; Infinity: none is too long. */
  limit: number;
  doubles: boolean;
}

/** Room for the search from one source, and what it found out about each element so far. */
export interface Space {
  readonly question: Question;
  readonly search: SearchSpace;
  readonly router: Rerouter;
  /** The tree with nothing gone, and the one that an element leaves behind. */
  readonly whole: Tree;
  readonly left: Tree;
  /** Of each element: how many nodes it cuts from the whole tree, and what that does. */
  readonly cuts: Int32Array;
  readonly broken: Int32Array;
  readonly extra: Float64Array;
  readonly late: Int32Array;
  /** Bit y of row x: the two meddle. */
  readonly meddling: Int32Array;
  readonly rowWords: number;
  readonly sum: Effect;
  /** Stamp of the walk that passed a node last. */
  readonly walkedBy: Int32Array;
  walk: number;
}

export function makeSpace(question: Question): Space {
  const { graph, table, doubles } = question;
  const rowWords = doubles ? Math.ceil(table.count / 32) : 0;
  return {
    question,
    search: makeSearchSpace(graph.nodes),
    router: makeRerouter(graph),
    whole: makeTree(graph),
    left: makeTree(graph),
    cuts: new Int32Array(table.count),
    broken: new Int32Array(table.count),
    extra: new Float64Array(table.count),
    late: new Int32Array(table.count),
    meddling: new Int32Array(rowWords * table.count),
    rowWords,
    sum: { broken: 0, extra: 0, late: 0 },
    walkedBy: new Int32Array(graph.nodes),
    walk: 0,
  };
}

/**
 * Adds what every failure does to the paths from one source.
 *
 * The effect of {x, y} is the effect of x plus that of y, unless the two meddle: one cuts what the other cuts too, or takes away what the
 * new paths of the other run over. Those pairs are few: about the depth of the tree for each x, and not every y. Only they are
 * searched, on the tree that the one with the greater cut leaves behind, so that the second search is over the lesser.
 */
export function addSource(space: Space, source: number, effects: Effects): void {
  growWhole(space, source);
  space.meddling.fill(0);
  const { count } = space.question.table;
  for (let x = 0; x < count; x++) single(space, x, effects);
  if (!space.question.doubles) return;
  for (let x = 0; x < count; x++) doublesOf(space, x, effects);
}

/** Shortest paths from a source with nothing gone. */
export function growWhole({ question: { graph }, search, whole }: Space, source: number): void {
  const { distance, parentLink } = shortestPaths(graph, source, {}, search);
  whole.source = source;
  whole.distance.set(distance);
  whole.parentLink.set(parentLink);
  for (let v = 0; v < graph.nodes; v++)
    whole.parent[v] = parentLink[v]! < 0 ? -1 : acrossFrom(graph, parentLink[v]!, v);
  orderTree(whole);
}

function takesSource({ question, whole }: Space, x: number): boolean {
  const { offset, item } = question.table.nodes;
  for (let i = offset[x]!; i < offset[x + 1]!; i++) if (item[i] === whole.source) return true;
  return false;
}

function single(space: Space, x: number, effects: Effects): void {
  const { broken, extra, late } = rerouteOne(space, x);
  space.broken[x] = broken;
  space.extra[x] = extra;
  space.late[x] = late;
  effects.broken[x]! += broken;
  effects.extra[x]! += extra;
  effects.late[x]! += late;
  if (space.question.doubles && space.cuts[x]! > 0) noteMeddling(space, x);
}

/** What one element does to the whole tree; `space.cuts` and `space.router` then tell of the nodes it cuts. */
export function rerouteOne(space: Space, x: number): Effect {
  const { question, router, whole, cuts, sum } = space;
  clearSum(sum);
  router.cutCount = 0;
  if (takesSource(space, x)) {
    // No pair of this source has two ends that stand: nothing breaks, and nothing is late any more.
    cuts[x] = -1;
    sum.late = -lateOf(space);
    return sum;
  }
  cuts[x] = cutBelow(router, whole, question.table, x);
  if (cuts[x] === 0) return sum;
  addGone(router, question.table, x, 1);
  reroute(router, whole);
  weigh(space, router.distance, 1);
  addGone(router, question.table, x, -1);
  return sum;
}

/** Adds (or takes off) what the cut nodes come to when their paths have these lengths. */
function weigh({ question, router, whole, sum }: Space, distance: Float64Array, sign: 1 | -1): void {
  const { isEnd, limit } = question;
  const { cut, cutCount, goneNode } = router;
  for (let i = 0; i < cutCount; i++) {
    const v = cut[i]!;
    if (!isEnd[v]) continue;
    const before = whole.distance[v]!;
    const now = distance[v]!;
    if (before > limit) sum.late -= sign;
    if (goneNode[v]) continue;
    if (now === Infinity) sum.broken += sign;
    else {
      sum.extra += sign * (now - before);
      if (now > limit) sum.late += sign;
    }
  }
}

/** Marks all that cuts what x cuts, and all that the new paths of x run over. */
function noteMeddling(space: Space, x: number): void {
  const { router, whole, walkedBy } = space;
  const { ofLink, ofNode } = space.question.table;
  const { cut, cutCount, cutBy, stamp, parentLink, parent } = router;
  const walk = ++space.walk;
  for (let i = 0; i < cutCount; i++) {
    const v = cut[i]!;
    markAll(space, x, ofLink, whole.parentLink[v]!);
    markAll(space, x, ofNode, v);
    for (let at = v; at >= 0 && walkedBy[at] !== walk;) {
      walkedBy[at] = walk;
      const isCut = cutBy[at] === stamp;
      const link = isCut ? parentLink[at]! : whole.parentLink[at]!;
      if (link >= 0) markAll(space, x, ofLink, link);
      markAll(space, x, ofNode, at);
      at = isCut ? parent[at]! : whole.parent[at]!;
    }
  }
}

function markAll({ meddling, rowWords }: Space, x: number, { offset, item }: Lists, row: number): void {
  for (let i = offset[row]!, end = offset[row + 1]!; i < end; i++) {
    const y = item[i]!;
    meddling[x * rowWords + (y >> 5)]! |= 1 << (y & 31);
    meddling[y * rowWords + (x >> 5)]! |= 1 << (x & 31);
  }
}

/** The pairs of x with all that meddles with it and cuts less (or as much, and has the higher number). */
function doublesOf(space: Space, x: number, effects: Effects): void {
  const { question, router, cuts, meddling, rowWords } = space;
  const { table } = question;
  if (cuts[x]! < 0) return withoutSource(space, x, effects);
  if (cuts[x] === 0) return;
  addGone(router, table, x, 1);
  let isLeft = false;
  for (let word = 0; word < rowWords; word++) {
    for (let bits = meddling[x * rowWords + word]!; bits !== 0; bits &= bits - 1) {
      const y = (word << 5) + 31 - Math.clz32(bits & -bits);
      const isMine = cuts[y]! >= 0 && (cuts[y]! < cuts[x]! || (cuts[y] === cuts[x] && y > x));
      if (!isMine) continue;
      if (!isLeft) leave(space, x);
      isLeft = true;
      double(space, x, y, effects);
    }
  }
  addGone(router, table, x, -1);
}

/** Every pair with an element that takes the source away is that element alone. */
function withoutSource({ question, cuts, broken, extra, late }: Space, x: number, effects: Effects): void {
  for (let y = 0; y < question.table.count; y++) {
    if (y === x || (cuts[y]! < 0 && y < x)) continue;
    const pair = pairIndex(effects.count, x, y);
    effects.broken[pair]! -= broken[y]!;
    effects.extra[pair]! -= extra[y]!;
    effects.late[pair]! -= late[y]!;
  }
}

/** The tree that x, which is gone, leaves behind. */
function leave({ question, router, whole, left }: Space, x: number): void {
  copyPaths(whole, left);
  const count = cutBelow(router, whole, question.table, x);
  reroute(router, whole);
  for (let i = 0; i < count; i++) {
    const v = router.cut[i]!;
    left.distance[v] = router.distance[v]!;
    left.parentLink[v] = router.parentLink[v]!;
    left.parent[v] = router.parent[v]!;
  }
  orderTree(left);
}

/** Adds what {x, y} does beyond x and y, with x gone and `left` as it left it. */
function double(space: Space, x: number, y: number, effects: Effects): void {
  const { question, router, left, sum, broken, extra, late } = space;
  const { table } = question;
  clearSum(sum);
  if (cutBelow(router, left, table, y) > 0) {
    weigh(space, left.distance, -1);
    addGone(router, table, y, 1);
    reroute(router, left);
    weigh(space, router.distance, 1);
    addGone(router, table, y, -1);
  }
  sum.broken -= unreachedDown(space, y);
  const pair = pairIndex(effects.count, x, y);
  effects.broken[pair]! += sum.broken - broken[y]!;
  effects.extra[pair]! += sum.extra - extra[y]!;
  effects.late[pair]! += sum.late - late[y]!;
}

/** Ends that y takes down where x had broken their pair already: a pair without both ends is not broken. */
function unreachedDown({ question: { table, isEnd }, router, whole, left }: Space, y: number): number {
  const { offset, item } = table.nodes;
  let count = 0;
  for (let i = offset[y]!; i < offset[y + 1]!; i++) {
    const v = item[i]!;
    if (isEnd[v] && left.enter[v]! < 0 && whole.enter[v]! >= 0 && !router.goneNode[v]) count++;
  }
  return count;
}

function lateOf({ question: { isEnd, limit }, whole }: Space): number {
  let late = 0;
  for (let i = 0; i < whole.reached; i++) {
    const v = whole.order[i]!;
    if (isEnd[v] && whole.distance[v]! > limit) late++;
  }
  return late;
}

function clearSum(sum: Effect): void {
  sum.broken = 0;
  sum.extra = 0;
  sum.late = 0;
}
