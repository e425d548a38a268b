import type { AgentSeen, LevelLine, SeriesNeed } from '../judge/watch/input.ts';
import type { Store } from '../store/store.ts';

/** Endpoints whose whole range is asked in one turn: a thousand at once would keep everything else waiting. */
const endpointsPerTurn = 50;
/** Steps at the end that are asked again: batches need a while. */
const overlap = 3;

interface Level {
  toMs: number;
  lines: Map<string, LevelLine>;
  /** Endpoints whose range is known. */
  loaded: Set<string>;
  /** The newest sample of each agent when it was asked last: who was behind, is asked further back. */
  newestMs: Map<string, number>;
}

type Ranged = SeriesNeed['query'] & Pick<SeriesNeed, 'rangeMs'>;

/**
 * Levels of many lines over hours: each minute only what is new is asked, and of agents that were cut off what they have handed over since.
 * After a start ranges are read some endpoints at a time; until then nothing is known of the others.
 */
export class LevelBook {
  readonly #store: Pick<Store, 'series'>;
  readonly #levels = new Map<string, Level>();

  constructor(store: Pick<Store, 'series'>) {
    this.#store = store;
  }

  async lines(needs: readonly SeriesNeed[], silence: readonly AgentSeen[]): Promise<Map<string, readonly LevelLine[]>> {
    const wanted = new Set(needs.map(({ key }) => key));
    for (const key of this.#levels.keys()) if (!wanted.has(key)) this.#levels.delete(key);
    const answers = new Map<string, readonly LevelLine[]>();
    for (const need of needs) {
      const level = await this.#level(need, silence);
      answers.set(need.key, [...level.lines.values()]);
    }
    return answers;
  }

  async #level({ key, query, rangeMs }: SeriesNeed, silence: readonly AgentSeen[]): Promise<Level> {
    let level = this.#levels.get(key);
    // A clock that was set back: what is known lies in the future.
    if (!level || level.toMs > query.toMs)
      this.#levels.set(
        key,
        (level = { toMs: query.toMs, lines: new Map(), loaded: new Set(), newestMs: newestOf(silence) }),
      );
    const { loaded } = level;
    for (const endpoint of loaded) if (!query.endpoints.includes(endpoint)) forget(level, endpoint);
    if (level.toMs < query.toMs) await this.#moveOn(level, { ...query, rangeMs }, silence);
    const next = query.endpoints.filter((name) => !loaded.has(name)).slice(0, endpointsPerTurn);
    if (next.length > 0) {
      await this.#read(level, { ...query, rangeMs, endpoints: next });
      for (const name of next) loaded.add(name);
    }
    return level;
  }

  async #moveOn(level: Level, query: Ranged, silence: readonly AgentSeen[]): Promise<void> {
    const sinceMs = level.toMs - overlap * query.stepMs;
    const endpoints = [...level.loaded];
    const behind = [...level.newestMs].filter(([, ms]) => ms < sinceMs);
    level.toMs = query.toMs;
    level.newestMs = newestOf(silence);
    if (endpoints.length === 0) return;
    await this.#read(level, { ...query, endpoints, fromMs: Math.max(query.fromMs, sinceMs) });
    for (const [agent, ms] of behind) {
      const fromMs = Math.max(query.fromMs, Math.floor(ms / query.stepMs) * query.stepMs - query.stepMs);
      if ((level.newestMs.get(agent) ?? -Infinity) > ms)
        await this.#read(level, { ...query, endpoints, agents: [agent], fromMs });
    }
  }

  /** Values from `query.fromMs` on take the place of what was known. */
  async #read(level: Level, { rangeMs, ...query }: Ranged): Promise<void> {
    const { stepMs, toMs } = query;
    const length = Math.round(rangeMs / stepMs);
    const fromMs = toMs - length * stepMs;
    const fresh = new Map<string, LevelLine>();
    for (const { atMs, endpoint, agent, quantiles } of await this.#store.series(query)) {
      const name = `${endpoint} ${agent ?? ''}`;
      let line = fresh.get(name);
      if (!line) {
        const values = moved(level.lines.get(name), fromMs, length, stepMs);
        fresh.set(name, (line = { endpoint, agent: agent ?? '', fromMs, stepMs, values }));
      }
      line.values[(atMs - fromMs) / stepMs] = quantiles[0] ?? Number.NaN;
    }
    for (const [name, line] of fresh) level.lines.set(name, line);
  }
}

function moved(line: LevelLine | undefined, fromMs: number, length: number, stepMs: number): Float32Array {
  const values = new Float32Array(length).fill(Number.NaN);
  if (!line) return values;
  const by = Math.round((fromMs - line.fromMs) / stepMs);
  if (by < length) values.set(line.values.subarray(Math.max(0, by)), 0);
  return values;
}

/** Of one that has handed over nothing yet: the begin of time. */
function newestOf(silence: readonly AgentSeen[]): Map<string, number> {
  return new Map(silence.map(({ agent, newestSampleMs }) => [agent, newestSampleMs ?? -Infinity]));
}

function forget(level: Level, endpoint: string): void {
  level.loaded.delete(endpoint);
  for (const [name, line] of level.lines) if (line.endpoint === endpoint) level.lines.delete(name);
}
