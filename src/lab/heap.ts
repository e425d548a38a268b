/**
 * Packets in flight, earliest due first; equal due times leave in the order they came, as a binary heap alone would not do.
 * Flat columns and no objects: a push or pop of 10,000 packets in flight moves about 14 numbers.
 */
export interface Heap {
  dueMs: Float64Array;
  order: Float64Array;
  slot: Int32Array;
  size: number;
  pushed: number;
}

export function makeHeap(capacity: number): Heap {
  return {
    dueMs: new Float64Array(capacity),
    order: new Float64Array(capacity),
    slot: new Int32Array(capacity),
    size: 0,
    pushed: 0,
  };
}

/** The heap has room for as many packets as the pool has slots, so it cannot overflow. */
export function pushHeap(heap: Heap, dueMs: number, slot: number): void {
  const { dueMs: due, order, slot: slots } = heap;
  const mine = heap.pushed;
  heap.pushed += 1;
  let at = heap.size;
  heap.size += 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    // A later push with the same due time stays below, so comparing the time alone is enough on the way up.
    if (due[parent]! <= dueMs) break;
    due[at] = due[parent]!;
    order[at] = order[parent]!;
    slots[at] = slots[parent]!;
    at = parent;
  }
  due[at] = dueMs;
  order[at] = mine;
  slots[at] = slot;
}

/** Takes the earliest packet and returns its slot; its due time is `heap.dueMs[0]` before the call. */
export function popHeap(heap: Heap): number {
  const { dueMs: due, order, slot: slots } = heap;
  const taken = slots[0]!;
  const last = heap.size - 1;
  heap.size = last;
  const lastDue = due[last]!;
  const lastOrder = order[last]!;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= last) break;
    const right = child + 1;
    if (right < last && (due[right]! < due[child]! || (due[right]! === due[child]! && order[right]! < order[child]!)))
      child = right;
    if (due[child]! > lastDue || (due[child]! === lastDue && order[child]! > lastOrder)) break;
    due[at] = due[child]!;
    order[at] = order[child]!;
    slots[at] = slots[child]!;
    at = child;
  }
  due[at] = lastDue;
  order[at] = lastOrder;
  slots[at] = slots[last]!;
  return taken;
}
