import { faultOfColumns } from './columns.ts';
import type { Batch } from './store.ts';

/** Rows that go into one group; more wait for the next. */
const GROUP_ROWS = 20_000;

type Results = ('stored' | 'duplicate')[];

interface Waiting {
  batches: readonly Batch[];
  /** In place of batches: something to be done between two groups. */
  work?: () => Promise<void>;
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

  /** Does something behind those that wait, while no group is being stored. */
  async turn<T>(work: () => Promise<T>): Promise<T> {
    let result: { of: T } | undefined;
    await this.#enqueue([], async () => {
      result = { of: await work() };
    });
    return result!.of;
  }

  /** When what has been taken is stored or refused. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  #enqueue(batches: readonly Batch[], work?: () => Promise<void>): Promise<Results> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ batches, resolve, reject, ...(work && { work }) });
      this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    });
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      try {
        const [{ work } = {}] = group;
        if (work) await work();
        const results = work ? [] : await this.#store(group.flatMap(({ batches }) => batches));
        for (const { batches, resolve } of group) resolve(results.splice(0, batches.length));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
  }

  #nextGroup(): Waiting[] {
    let rows = 0;
    const full = this.#queue.findIndex(({ batches, work }) => {
      if (work) return true;
      rows += batches.reduce((sum, { columns }) => sum + columns.count, 0);
      return rows > GROUP_ROWS;
    });
    return this.#queue.splice(0, full === -1 ? this.#queue.length : Math.max(1, full));
  }
}
