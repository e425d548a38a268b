import type { Graph } from '../../stats/graph/graph.ts';

/**
 * A shortest-path tree in Euler order: what hangs below a node stands side by side in `order`, from enter[node] up to but not
 * including leave[node]. So what a failure cuts off is a slice, and "is u below v" two comparisons.
 */
export interface Tree {
  source: number;
  readonly distance: Float64Array;
  /** Link and node above each node; -1 at the source and where nothing leads. */
  readonly parentLink: Int32Array;
  readonly parent: Int32Array;
  readonly order: Int32Array;
  /** -1 where no path leads. */
  readonly enter: Int32Array;
  readonly leave: Int32Array;
  /** The node below each link; -1 for links outside the tree. */
  readonly below: Int32Array;
  reached: number;
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
}

export function makeTree({ nodes, links }: Graph): Tree {
  const column = () => new Int32Array(nodes);
  return {
    source: -1,
    distance: new Float64Array(nodes),
    parentLink: column(),
    parent: column(),
    order: column(),
    enter: column(),
    leave: column(),
    below: new Int32Array(links),
    reached: 0,
    firstChild: column(),
    nextSibling: column(),
  };
}

export function copyPaths(from: Tree, into: Tree): void {
  into.source = from.source;
  into.distance.set(from.distance);
  into.parentLink.set(from.parentLink);
  into.parent.set(from.parent);
}

/** Puts the nodes in Euler order after their parents changed: one walk, no stack. */
export function orderTree(tree: Tree): void {
  const { parentLink, parent, order, enter, leave, below, firstChild, nextSibling, source } = tree;
  firstChild.fill(-1);
  enter.fill(-1);
  below.fill(-1);
  for (let v = parent.length - 1; v >= 0; v--) {
    const above = parent[v]!;
    if (above < 0) continue;
    nextSibling[v] = firstChild[above]!;
    firstChild[above] = v;
    below[parentLink[v]!] = v;
  }
  let [at, count] = [source, 0];
  for (;;) {
    enter[at] = count;
    order[count++] = at;
    if (firstChild[at]! >= 0) {
      at = firstChild[at]!;
      continue;
    }
    leave[at] = count;
    while (at !== source && nextSibling[at]! < 0) {
      at = parent[at]!;
      leave[at] = count;
    }
    if (at === source) break;
    at = nextSibling[at]!;
  }
  tree.reached = count;
}
