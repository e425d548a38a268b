/**
 * Who may be inside at the same time: up to `atOnce` together, or one alone. First come, first served, so that whoever wants to be
 * alone does not wait for ever.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #waiting: { isAlone: boolean; enter: () => void }[] = [];
  #inside = 0;
  #isAlone = false;
  /** Entries so far: who sees it change while inside has had company. */
  #entries = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Runs it with others. @returns also whether there was anybody else meanwhile */
  async together<T>(task: () => Promise<T>): Promise<{ value: T; hadCompany: boolean }> {
    await this.#enter(false);
    const [others, entries] = [this.#inside - 1, this.#entries];
    try {
      const value = await task();
      return { value, hadCompany: others > 0 || this.#entries > entries };
    } finally {
      this.#leave();
    }
  }

  async alone<T>(task: () => Promise<T>): Promise<T> {
    await this.#enter(true);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  #enter(isAlone: boolean): Promise<void> {
    return new Promise((enter) => {
      this.#waiting.push({ isAlone, enter });
      this.#admit();
    });
  }

  #leave(): void {
    this.#inside--;
    this.#isAlone = false;
    this.#admit();
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.isAlone); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#inside++;
      this.#entries++;
      this.#isAlone = next.isAlone;
      next.enter();
    }
  }

  #hasRoom(isAlone: boolean): boolean {
    return isAlone ? this.#inside === 0 : !this.#isAlone && this.#inside < this.#atOnce;
  }
}

/** Runs all tasks, up to `atOnce` of them at the same time and begun in their order; results in their order. */
export async function inOrder<T>(tasks: readonly (() => Promise<T>)[], atOnce: number): Promise<T[]> {
  const results: T[] = [];
  const left = [...tasks.entries()];
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, tasks.length) }, work));
  return results;
}
