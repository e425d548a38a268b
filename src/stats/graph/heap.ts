/**
 * Nodes that wait, least key first: a binary heap that knows where each node stands, so that a key can be lowered in place and
 * no node stands in it twice. The keys belong to the caller (Dijkstra's distances), and the heap fits every node: it cannot overflow.
 */
export interface NodeHeap {
  readonly key: Float64Array;
  readonly node: Int32Array;
  /** Place of a node in `node`, -1 where it does not wait. */
  readonly place: Int32Array;
  size: number;
}

export function makeNodeHeap(key: Float64Array): NodeHeap {
  return { key, node: new Int32Array(key.length), place: new Int32Array(key.length).fill(-1), size: 0 };
}

/** Adds a node, or moves it up after its key became less. */
export function raise(heap: NodeHeap, node: number): void {
  const { key, node: nodes, place } = heap;
  const mine = key[node]!;
  let at = place[node]!;
  if (at < 0) at = heap.size++;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = nodes[parent]!;
    if (key[above]! <= mine) break;
    nodes[at] = above;
    place[above] = at;
    at = parent;
  }
  nodes[at] = node;
  place[node] = at;
}

/** Takes the node with the least key; the heap must not be empty. */
export function takeLeast(heap: NodeHeap): number {
  const { key, node: nodes, place } = heap;
  const least = nodes[0]!;
  place[least] = -1;
  const size = --heap.size;
  if (size === 0) return least;
  const last = nodes[size]!;
  const mine = key[last]!;
  let at = 0;
  for (let child = 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && key[nodes[child + 1]!]! < key[nodes[child]!]!) child++;
    const below = nodes[child]!;
    if (key[below]! >= mine) break;
    nodes[at] = below;
    place[below] = at;
    at = child;
  }
  nodes[at] = last;
  place[last] = at;
  return least;
}
