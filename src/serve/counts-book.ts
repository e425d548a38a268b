import type { CountsNeed } from '../judge/watch/input.ts';
import type { CountsPoint, Store } from '../store/store.ts';

interface Kept {
  endpoints: string;
  /** When everything was asked, by the monotonic clock. */
  atMs: number;
  points: readonly CountsPoint[];
}

/** Answers about counts between turns: of long windows only the end is counted anew each time, and all of it now and then. */
export class CountsBook {
  readonly #store: Pick<Store, 'counts'>;
  readonly #kept = new Map<string, Kept>();

  constructor(store: Pick<Store, 'counts'>) {
    this.#store = store;
  }

  /** What no need asks for any more is forgotten, `others` aside. */
  async answers(
    needs: readonly CountsNeed[],
    monoMs: number,
    others: (key: string) => boolean,
  ): Promise<Map<string, readonly CountsPoint[]>> {
    const wanted = new Set(needs.map(({ key }) => key));
    for (const key of this.#kept.keys()) if (!wanted.has(key) && !others(key)) this.#kept.delete(key);
    const answers = new Map<string, readonly CountsPoint[]>();
    for (const need of needs) answers.set(need.key, await this.#answer(need, monoMs));
    return answers;
  }

  async #answer({ key, query, maxAgeMs, tailMs }: CountsNeed, monoMs: number): Promise<readonly CountsPoint[]> {
    const endpoints = query.endpoints.join('\n');
    const old = this.#kept.get(key);
    const isFresh = old?.endpoints === endpoints && monoMs - old.atMs < maxAgeMs;
    if (!isFresh) {
      const points = await this.#store.counts(query);
      this.#kept.set(key, { endpoints, atMs: monoMs, points });
      return points;
    }
    if (tailMs === undefined) return old.points;
    const fromMs = Math.max(query.fromMs, Math.floor((query.toMs - tailMs) / query.stepMs) * query.stepMs);
    const tail = await this.#store.counts({ ...query, fromMs });
    old.points = [...old.points.filter(({ atMs }) => atMs >= query.fromMs && atMs < fromMs), ...tail];
    return old.points;
  }
}
