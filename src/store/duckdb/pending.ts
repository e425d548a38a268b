import type { Promised } from './journal.ts';

/** Batches that are in the journal and in memory, and not in the tables. */
export class Pending {
  #batches: Promised[] = [];
  #keys = new Set<string>();
  #rows = 0;

  get batches(): readonly Promised[] {
    return this.#batches;
  }

  get rows(): number {
    return this.#rows;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(batches: readonly Promised[]): void {
    for (const promised of batches) {
      this.#batches.push(promised);
      this.#keys.add(promised.batch.key);
      this.#rows += promised.batch.columns.count;
    }
  }

  /** Lets go of what has come into the tables: everything up to a number. */
  release(last: number): void {
    const rest = this.#batches.filter(({ no }) => no > last);
    [this.#batches, this.#keys, this.#rows] = [[], new Set(), 0];
    this.add(rest);
  }
}
