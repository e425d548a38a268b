import type { AgentSeen, CountsNeed } from '../judge/watch/input.ts';
import type { CountsPoint, Store } from '../store/store.ts';
import { newestOf } from './newest-of.ts';

interface Kept {
  endpoints: string;
  /** When everything was asked, by the monotonic clock. */
  atMs: number;
  points: readonly CountsPoint[];
  /** The newest sample of each agent when it was asked last. */
  newestMs: ReadonlyMap<string, number>;
}

/** Results come in the order in which they began, or nearly so: a slow one began before quick ones that are known already. */
const disorderMs = 120_000;
/** Nothing is known for no longer than this: what is left of a month is told soon after the first results, not after ten minutes. */
const emptyMs = 60_000;

/**
 * Answers about counts between turns: of long windows only the end is counted anew each time, and all of it now and then. Agents that
 * were cut off hand over what they kept: then as much as they were behind.
 */
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
    silence: readonly AgentSeen[],
    others: (key: string) => boolean,
  ): Promise<Map<string, readonly CountsPoint[]>> {
    const wanted = new Set(needs.map(({ key }) => key));
    for (const key of this.#kept.keys()) if (!wanted.has(key) && !others(key)) this.#kept.delete(key);
    const newestMs = newestOf(silence);
    const answers = new Map<string, readonly CountsPoint[]>();
    for (const need of needs) answers.set(need.key, await this.#answer(need, monoMs, newestMs));
    return answers;
  }

  async #answer(
    { key, query, maxAgeMs, tailMs }: CountsNeed,
    monoMs: number,
    newestMs: ReadonlyMap<string, number>,
  ): Promise<readonly CountsPoint[]> {
    const endpoints = query.endpoints.join('\n');
    const old = this.#kept.get(key);
    const isFresh =
      old?.endpoints === endpoints &&
      monoMs - old.atMs < Math.min(maxAgeMs, old.points.length === 0 ? emptyMs : Infinity);
    if (!isFresh) {
      const points = await this.#store.counts(query);
      this.#kept.set(key, { endpoints, atMs: monoMs, points, newestMs });
      return points;
    }
    if (tailMs === undefined) return old.points;
    const sinceMs = Math.min(query.toMs - tailMs, heardSinceMs(old.newestMs, newestMs) - disorderMs);
    const fromMs = Math.max(query.fromMs, Math.floor(sinceMs / query.stepMs) * query.stepMs);
    const tail = await this.#store.counts({ ...query, fromMs });
    old.newestMs = newestMs;
    old.points = [...old.points.filter(({ atMs }) => atMs >= query.fromMs && atMs < fromMs), ...tail];
    return old.points;
  }
}

/** Since when there may be results that were not counted then: from where the agent that was furthest behind has gone on. */
function heardSinceMs(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number {
  let sinceMs = Infinity;
  for (const [agent, ms] of now) {
    const knownMs = before.get(agent) ?? -Infinity;
    if (ms > knownMs) sinceMs = Math.min(sinceMs, knownMs);
  }
  return sinceMs;
}
