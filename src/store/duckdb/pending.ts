import type { Promised } from './journal.ts';

/** Batches that are in the journal and in memory, and not in the tables. */
export class Pending {
  #batches: Promised[] = [];
  #keys = new Set<string>();
  #rows = 0;
  #waiting: { rows: number; resolve: () => void }[] = [];

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
    this.#waiting = this.#waiting.filter(({ rows, resolve }) => this.#rows >= rows || resolve());
  }

  /** Resolves when fewer rows than these are here. */
  async below(rows: number): Promise<void> {
    if (this.#rows >= rows) await new Promise<void>((resolve) => this.#waiting.push({ rows, resolve }));
  }
}
