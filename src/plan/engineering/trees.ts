import type { Graph } from '../../stats/graph/graph.ts';
import { makeNodeHeap, type NodeHeap, raise, takeLeast } from '../../stats/graph/heap.ts';

/** One source's traffic, all of it along one tree: what the arcs of the tree carry. */
export interface TreeFlow {
  arcs: Int32Array;
  loads: Float64Array;
}

export interface TreeMaker {
  /** The cheapest tree for a source's volumes under lengths of arcs, and what it costs: Σ volume × distance. */
  make(source: number, volumeTo: Float64Array, arcLength: Float64Array): { tree: TreeFlow; cost: number };
}

/** All-or-nothing assignment: Dijkstra, then volumes summed towards the root. */
export function treeMaker({ nodes, offset, target, link }: Graph): TreeMaker {
  const distance = new Float64Array(nodes);
  const heap: NodeHeap = makeNodeHeap(distance);
  const [order, parentArc, parent] = [new Int32Array(nodes), new Int32Array(nodes), new Int32Array(nodes)];
  const through = new Float64Array(nodes);
  return {
    make: (source, volumeTo, arcLength) => {
      distance.fill(Infinity);
      distance[source] = 0;
      raise(heap, source);
      let settled = 0;
      while (heap.size > 0) {
        const at = takeLeast(heap);
        order[settled++] = at;
        const far = distance[at]!;
        for (let i = offset[at]!, end = offset[at + 1]!; i < end; i++) {
          const to = target[i]!;
          const length = far + arcLength[link[i]!]!;
          if (length >= distance[to]!) continue;
          distance[to] = length;
          parentArc[to] = link[i]!;
          parent[to] = at;
          raise(heap, to);
        }
      }
      through.set(volumeTo);
      let [cost, count] = [0, 0];
      for (let i = 1; i < settled; i++) cost += volumeTo[order[i]!]! * distance[order[i]!]!;
      for (let i = settled - 1; i > 0; i--) {
        const at = order[i]!;
        if (through[at] === 0) continue;
        through[parent[at]!]! += through[at]!;
        count++;
      }
      const tree = { arcs: new Int32Array(count), loads: new Float64Array(count) };
      for (let i = 1, k = 0; i < settled; i++) {
        const at = order[i]!;
        if (through[at] === 0) continue;
        tree.arcs[k] = parentArc[at]!;
        tree.loads[k++] = through[at]!;
      }
      return { tree, cost };
    },
  };
}
