/** Something that has to happen at a given time. `slot` belongs to the queue: the place in the heap, −1 when not queued. */
export interface DueTask {
  dueMs: number;
  slot: number;
  run(): void;
}

/** Binary min-heap by due time. Each task knows its place, so cancelling costs O(log n) as well. */
export class DueQueue {
  readonly #heap: DueTask[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** Due time of the earliest task; Infinity when empty. */
  get nextDueMs(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Adds a task that is not queued. @throws RangeError when it is. */
  push(task: DueTask): void {
    if (task.slot >= 0) throw new RangeError('Cannot queue a task twice');
    this.#heap.push(task);
    this.#up(task, this.#heap.length - 1);
  }

  /** Removes and returns the earliest task. */
  pop(): DueTask | undefined {
    const first = this.#heap[0];
    if (first) this.remove(first);
    return first;
  }

  /** Takes a task out; nothing happens when it is not queued. */
  remove(task: DueTask): void {
    const slot = task.slot;
    if (slot < 0) return;
    task.slot = -1;
    const last = this.#heap.pop();
    if (!last || last === task) return;
    this.#up(last, slot);
    this.#down(last, last.slot);
  }

  #up(task: DueTask, from: number): void {
    const heap = this.#heap;
    let slot = from;
    while (slot > 0) {
      const parentSlot = (slot - 1) >> 1;
      const parent = heap[parentSlot]!;
      if (parent.dueMs <= task.dueMs) break;
      heap[slot] = parent;
      parent.slot = slot;
      slot = parentSlot;
    }
    heap[slot] = task;
    task.slot = slot;
  }

  #down(task: DueTask, from: number): void {
    const heap = this.#heap;
    let slot = from;
    for (;;) {
      let childSlot = 2 * slot + 1;
      if (childSlot >= heap.length) break;
      if (childSlot + 1 < heap.length && heap[childSlot + 1]!.dueMs < heap[childSlot]!.dueMs) childSlot++;
      const child = heap[childSlot]!;
      if (child.dueMs >= task.dueMs) break;
      heap[slot] = child;
      child.slot = slot;
      slot = childSlot;
    }
    heap[slot] = task;
    task.slot = slot;
  }
}
