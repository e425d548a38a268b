import { faultOfColumns } from './columns.ts';
import type { Batch } from './store.ts';

/** Rows that go into one group; more wait for the next. */
const GROUP_ROWS = 20_000;

type Results = ('stored' | 'duplicate')[];

interface Waiting {
  batches: readonly Batch[];
  resolve(results: Results): void;
  reject(error: unknown): void;
}

/** Groups what arrives while a group is being stored: one at a time, in order. */
export class GroupQueue {
  readonly #store: (batches: readonly Batch[]) => Promise<Results>;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(store: (batches: readonly Batch[]) => Promise<Results>) {
    this.#store = store;
  }

  /** @throws RangeError for columns that are none, with nothing of the call stored */
  async add(batches: readonly Batch[]): Promise<Results> {
    for (const { key, columns } of batches) {
      const fault = faultOfColumns(columns);
      if (fault) throw new RangeError(`Cannot store batch "${key}": ${fault}`);
    }
    return batches.length === 0 ? [] : this.#enqueue(batches);
  }

  /** Has a turn without rows, behind those that wait. */
  async turn(): Promise<void> {
    await this.#enqueue([]);
  }

  /** When what has been taken is stored or refused. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  #enqueue(batches: readonly Batch[]): Promise<Results> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ batches, resolve, reject });
      this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    });
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      try {
        const results = await this.#store(group.flatMap(({ batches }) => batches));
        for (const { batches, resolve } of group) resolve(results.splice(0, batches.length));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
  }

  #nextGroup(): Waiting[] {
    let rows = 0;
    const full = this.#queue.findIndex(({ batches }) => {
      rows += batches.reduce((sum, { columns }) => sum + columns.count, 0);
      return rows > GROUP_ROWS;
    });
    return this.#queue.splice(0, full === -1 ? this.#queue.length : Math.max(1, full));
  }
}
