import type { Problem } from './problem.ts';
import { type TreeFlow, type TreeMaker, treeMaker } from './trees.ts';

/** A routing that is being improved, and what is proved about the best there can be. */
export interface Search {
  problem: Problem;
  maker: TreeMaker;
  /** Of each source: load of every arc. */
  flows: Float64Array[];
  arcLoad: Float64Array;
  /** Utilisation of each pool. */
  share: Float64Array;
  /** Trees that were looked at, by source; each once. */
  trees: { source: number; tree: TreeFlow }[];
  seen: Set<string>;
  /** No routing has a smaller maximum utilisation. */
  bound: number;
  /** Of each pool: its part in the proof of the bound; sums to one. */
  worth: Float64Array;
}

/** Starts with every source on the shortest tree, where a pool is as long as its capacity is small. */
export function startSearch(problem: Problem): Search {
  const { graph, pool, capacity, sources, volumes } = problem;
  const search: Search = {
    problem,
    maker: treeMaker(graph),
    flows: Array.from(sources, () => new Float64Array(graph.links)),
    arcLoad: new Float64Array(graph.links),
    share: new Float64Array(capacity.length),
    trees: [],
    seen: new Set(),
    bound: 0,
    worth: new Float64Array(capacity.length),
  };
  cutNodes(search);
  const length = Float64Array.from(pool, (p) => 1 / capacity[p]!);
  sources.forEach((source, s) => {
    const { tree } = search.maker.make(source, volumes[s]!, length);
    keepTree(search, s, tree);
    tree.arcs.forEach((arc, i) => {
      search.flows[s]![arc] = tree.loads[i]!;
      search.arcLoad[arc]! += tree.loads[i]!;
      search.share[pool[arc]!]! += tree.loads[i]! / capacity[pool[arc]!]!;
    });
  });
  return search;
}

/** @returns true if the tree is new. */
export function keepTree({ trees, seen }: Search, source: number, tree: TreeFlow): boolean {
  const key = `${source}:${tree.arcs.toSorted().join()}`;
  if (seen.has(key)) return false;
  seen.add(key);
  trees.push({ source, tree });
  return true;
}

/**
 * One round of block-coordinate descent on the exponential potential Σ exp(α·share) (Bienstock 2002; the lengths are those of
 * Garg and Könemann): each source in turn moves part of its traffic to the tree that is shortest under the lengths which the loads
 * make. The larger α, the closer the potential is to the maximum, and the slower the way.
 * @param epsilon relative accuracy that α aims at
 */
export function sweep(search: Search, epsilon: number): void {
  const { problem, maker, flows } = search;
  const length = new Float64Array(problem.graph.links);
  const target = new Float64Array(problem.graph.links);
  problem.sources.forEach((source, s) => {
    const alpha = lengths(search, epsilon, length);
    const { tree } = maker.make(source, problem.volumes[s]!, length);
    keepTree(search, s, tree);
    target.fill(0);
    tree.arcs.forEach((arc, i) => (target[arc] = tree.loads[i]!));
    moveTowards(search, flows[s]!, target, alpha);
  });
  lengths(search, epsilon, length);
  raiseBound(search, length);
}

/** Derivatives of the potential by the load of each arc, up to a factor; returns α. A small part of 1/capacity keeps idle arcs apart. */
function lengths({ problem: { pool, capacity }, share }: Search, epsilon: number, into: Float64Array): number {
  const most = largest(share);
  const alpha = Math.log(capacity.length + 1) / (epsilon * most);
  for (let a = 0; a < into.length; a++) {
    const p = pool[a]!;
    into[a] = (Math.exp(alpha * (share[p]! - most)) + 1e-9) / capacity[p]!;
  }
  return alpha;
}

/** Exact line search: the potential is convex along the way, so its slope is bisected. */
function moveTowards(search: Search, flow: Float64Array, target: Float64Array, alpha: number): void {
  const { problem, share, arcLoad } = search;
  const { pool, capacity } = problem;
  const delta = new Float64Array(capacity.length);
  for (let a = 0; a < flow.length; a++) delta[pool[a]!]! += (target[a]! - flow[a]!) / capacity[pool[a]!]!;
  const touched: number[] = [];
  for (let p = 0; p < delta.length; p++) if (delta[p] !== 0) touched.push(p);
  const most = largest(share);
  const slope = (step: number) => {
    let sum = 0;
    for (const p of touched) sum += delta[p]! * Math.exp(Math.min(700, alpha * (share[p]! + step * delta[p]! - most)));
    return sum;
  };
  let [low, high] = [0, 1];
  if (slope(1) <= 0) low = 1;
  else
    for (let i = 0; i < 16; i++) {
      const middle = (low + high) / 2;
      if (slope(middle) > 0) high = middle;
      else low = middle;
    }
  for (let a = 0; a < flow.length; a++) {
    const change = low * (target[a]! - flow[a]!);
    flow[a]! += change;
    arcLoad[a]! += change;
  }
  for (const p of touched) share[p]! += low * delta[p]!;
}

/**
 * Weak duality: for any lengths ≥ 0, the volumes over their shortest distances need Σ volume·distance of "length × capacity", and
 * at utilisation u there is u·Σ length·capacity.
 * @returns the trees that the lengths ask for, with what each costs
 */
export function raiseBound(search: Search, arcLength: Float64Array): { tree: TreeFlow; cost: number }[] {
  const { problem, maker } = search;
  // Arcs of one pool have one length, so the room of a pool is counted once.
  const poolLength = new Float64Array(problem.capacity.length);
  for (let a = 0; a < arcLength.length; a++) poolLength[problem.pool[a]!] = arcLength[a]!;
  let room = 0;
  for (let p = 0; p < poolLength.length; p++) room += poolLength[p]! * problem.capacity[p]!;
  const trees = Array.from(problem.sources, (source, s) => maker.make(source, problem.volumes[s]!, arcLength));
  const need = trees.reduce((sum, { cost }) => sum + cost, 0);
  if (need / room > search.bound) {
    search.bound = need / room;
    search.worth = poolLength.map((length, p) => (length * problem.capacity[p]!) / room);
  }
  return trees;
}

/** Bounds by what leaves and enters single nodes over what can: tight more often than not, and free. */
function cutNodes(search: Search): void {
  const { graph, pool, sources, volumes } = search.problem;
  const [leaves, enters] = [new Float64Array(graph.nodes), new Float64Array(graph.nodes)];
  sources.forEach((source, s) =>
    volumes[s]!.forEach((volume, to) => {
      leaves[source]! += volume;
      enters[to]! += volume;
    }),
  );
  const poolsAt = (end: Int32Array) => {
    const pools = Array.from({ length: graph.nodes }, () => new Set<number>());
    end.forEach((node, arc) => pools[node]!.add(pool[arc]!));
    return pools;
  };
  const [out, into] = [poolsAt(graph.from), poolsAt(graph.to)];
  const isShared = new Set(pool).size < pool.length;
  for (let v = 0; v < graph.nodes; v++) {
    cutBound(search, leaves[v]!, out[v]!);
    cutBound(search, enters[v]!, into[v]!);
    // Where directions share capacity, what enters and what leaves shares it too.
    if (isShared) cutBound(search, leaves[v]! + enters[v]!, new Set([...out[v]!, ...into[v]!]));
  }
}

/** All of a volume has to cross these pools. */
function cutBound(search: Search, volume: number, pools: ReadonlySet<number>): void {
  const { capacity } = search.problem;
  let room = 0;
  for (const p of pools) room += capacity[p]!;
  if (!(volume > search.bound * room)) return;
  search.bound = volume / room;
  search.worth = capacity.map((much, p) => (pools.has(p) ? much / room : 0));
}

export function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}
