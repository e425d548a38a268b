import type { Graph } from '../../stats/graph/graph.ts';
import type { RiskMap } from './risk-map.ts';

/** Who has to reach whom: the source any of the targets. What is excepted never fails here, such as the site of the source itself. */
export interface Reachability {
  map: RiskMap;
  source: number;
  targets: readonly number[];
  /** 1 where a risk is left out. */
  excepted: Uint8Array;
}

export interface CutSets {
  /** Risks that together cut the source off, none of them for nothing; by size, then by their numbers. */
  sets: number[][];
  /** False where looking was stopped: there may be more. */
  isComplete: boolean;
}

/**
 * All minimal cut sets of at most `order` risks. Every cut holds a risk of every path, so that it is enough to fail the risks of one
 * path, one after the other, and to go on with the path that is left (Reiter's hitting-set tree, 1987); the risks before the one that
 * was failed may not fail below it, by which each set comes once. At most L^order searches for paths of L risks; few, in practice.
 * @param maxSearches after so many it gives up
 */
export function cutSets(question: Reachability, order: number, maxSearches = 2_000_000): CutSets {
  const search = makeSearch(question);
  const { sets, spare } = { sets: [] as number[][], spare: new Uint8Array(question.map.risks.length) };
  let isComplete = true;
  spare.set(question.excepted);
  const failed: number[] = [];
  const go = (): void => {
    if (search.count() >= maxSearches) {
      isComplete = false;
      return;
    }
    const path = search.risksOfPath(failed);
    if (!path) {
      if (isMinimal(failed, search)) sets.push([...failed].sort((a, b) => a - b));
      return;
    }
    if (failed.length === order) return;
    const candidates = path.filter((r) => !spare[r]);
    for (const r of candidates) {
      failed.push(r);
      go();
      failed.pop();
      spare[r] = 1;
    }
    for (const r of candidates) spare[r] = 0;
  };
  go();
  sets.sort((a, b) => a.length - b.length || compare(a, b));
  return { sets, isComplete };
}

function isMinimal(set: readonly number[], search: Search): boolean {
  return set.every((_, i) => search.risksOfPath(set.filter((_, j) => j !== i)) !== null);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value - b[i]!;
  return 0;
}

interface Search {
  /** The risks on a path with few links from the source to a target while some risks have happened; null where there is none. */
  risksOfPath(failed: readonly number[]): number[] | null;
  count(): number;
}

/** Breadth first over flat columns: this is asked a million times. */
function makeSearch({ map, source, targets }: Reachability): Search {
  const { graph, risks, risksOfLink, risksOfNode } = map;
  const isTarget = new Uint8Array(graph.nodes);
  for (const t of targets) isTarget[t] = 1;
  const [goneLinks, goneNodes] = [new Uint8Array(graph.links), new Uint8Array(graph.nodes)];
  const [queue, parent] = [new Int32Array(graph.nodes), new Int32Array(graph.nodes)];
  let count = 0;
  const mark = (failed: readonly number[], by: 1 | -1) => {
    for (const r of failed) {
      for (const link of risks[r]!.links) goneLinks[link]! += by;
      for (const node of risks[r]!.nodes) goneNodes[node]! += by;
    }
  };
  const risksOn = (target: number): number[] => {
    const found = new Set(risksOfNode[target]);
    for (let at = target; at !== source;) {
      const link = parent[at]!;
      for (const r of risksOfLink[link]!) found.add(r);
      at = graph.from[link] === at ? graph.to[link]! : graph.from[link]!;
      for (const r of risksOfNode[at]!) found.add(r);
    }
    return [...found];
  };
  return {
    count: () => count,
    risksOfPath(failed) {
      count++;
      mark(failed, 1);
      const target = goneNodes[source]
        ? -1
        : firstTarget(graph, source, isTarget, { goneLinks, goneNodes, queue, parent });
      mark(failed, -1);
      return target < 0 ? null : risksOn(target);
    },
  };
}

interface Scratch {
  goneLinks: Uint8Array;
  goneNodes: Uint8Array;
  queue: Int32Array;
  parent: Int32Array;
}

/** The target with the fewest links, -1 where none is reached. */
function firstTarget(
  { offset, target, link }: Graph,
  source: number,
  isTarget: Uint8Array,
  { goneLinks, goneNodes, queue, parent }: Scratch,
): number {
  if (isTarget[source]) return source;
  parent.fill(-1);
  parent[source] = -2;
  queue[0] = source;
  for (let read = 0, end = 1; read < end; read++) {
    const at = queue[read]!;
    for (let arc = offset[at]!, last = offset[at + 1]!; arc < last; arc++) {
      const next = target[arc]!;
      if (parent[next] !== -1 || goneNodes[next] || goneLinks[link[arc]!]) continue;
      parent[next] = link[arc]!;
      if (isTarget[next]) return next;
      queue[end++] = next;
    }
  }
  return -1;
}
