import type { AgentSeen, LevelLine, SeriesNeed } from '../judge/watch/input.ts';
import type { Store } from '../store/store.ts';
import { newestOf } from './newest-of.ts';

/** Endpoints whose whole range is asked in one turn: a thousand at once would keep everything else waiting. */
const endpointsPerTurn = 50;
/** All endpoints move on within so many turns, if they are more than one turn may read at once: there are a dozen turns in a minute. */
const turnsToMoveOn = 5;
/** Steps at the end that are asked again: batches need a while. */
const overlap = 3;

interface Level {
  toMs: number;
  lines: Map<string, LevelLine>;
  /** Endpoints whose range is known. */
  loaded: Set<string>;
  /** The newest sample of each agent when it moved on last: who was behind, is asked further back. */
  newestMs: Map<string, number>;
  /** On the way from the step before. */
  move: Move | null;
}

/** Endpoints that have yet to be asked what is new: of agents that were `behind` from where they were, of the others from `fromMs` on. */
interface Move {
  fromMs: number;
  toMs: number;
  behind: [fromMs: number, agents: string[]][];
  endpoints: string[];
  perTurn: number;
}

type Ranged = SeriesNeed['query'] & Pick<SeriesNeed, 'rangeMs'>;

/**
 * Levels of many lines over hours: each minute only what is new is asked, and of agents that were cut off what they have handed over since.
 * That is spread over some turns, so that none of them takes much longer than the others. After a start ranges are read some endpoints at a time; until then nothing is known of the others.
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
        (level = { toMs: query.toMs, lines: new Map(), loaded: new Set(), newestMs: newestOf(silence), move: null }),
      );
    const { loaded } = level;
    for (const endpoint of loaded) if (!query.endpoints.includes(endpoint)) forget(level, endpoint);
    if (level.toMs < query.toMs) {
      // Turns may be far between: whoever has not moved on with the others does so now.
      await this.#moveOn(level, { ...query, rangeMs }, Infinity);
      level.move = moveOf(level, query, silence);
    }
    await this.#moveOn(level, { ...query, rangeMs }, level.move?.perTurn ?? 0);
    const next = query.endpoints.filter((name) => !loaded.has(name)).slice(0, endpointsPerTurn);
    if (next.length > 0) {
      await this.#read(level, { ...query, rangeMs, endpoints: next });
      for (const name of next) loaded.add(name);
    }
    return level;
  }

  async #moveOn(level: Level, query: Ranged, most: number): Promise<void> {
    const { move } = level;
    if (!move) return;
    const { fromMs, toMs, behind } = move;
    const endpoints = move.endpoints.slice(0, most).filter((name) => level.loaded.has(name));
    if (endpoints.length > 0) {
      const part = { ...query, endpoints, toMs };
      await this.#read(level, { ...part, fromMs });
      for (const [sinceMs, agents] of behind) await this.#read(level, { ...part, agents, fromMs: sinceMs });
    }
    // Only now: what failed is to be tried again.
    move.endpoints = move.endpoints.slice(most);
    if (move.endpoints.length === 0) level.move = null;
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

/** The next move, from where all endpoints are to the time that `query` ends at. */
function moveOf(level: Level, query: SeriesNeed['query'], silence: readonly AgentSeen[]): Move {
  const { stepMs } = query;
  const sinceMs = level.toMs - overlap * stepMs;
  const before = level.newestMs;
  level.toMs = query.toMs;
  level.newestMs = newestOf(silence);
  // Those that were cut off together come back together: one question.
  const behind = new Map<number, string[]>();
  for (const [agent, ms] of before) {
    if (ms >= sinceMs || (level.newestMs.get(agent) ?? -Infinity) <= ms) continue;
    const fromMs = Math.max(query.fromMs, Math.floor(ms / stepMs) * stepMs - stepMs);
    behind.set(fromMs, [...(behind.get(fromMs) ?? []), agent]);
  }
  const endpoints = [...level.loaded];
  const perTurn = Math.max(endpointsPerTurn, Math.ceil(endpoints.length / turnsToMoveOn));
  return { fromMs: Math.max(query.fromMs, sinceMs), toMs: query.toMs, behind: [...behind], endpoints, perTurn };
}

function forget(level: Level, endpoint: string): void {
  level.loaded.delete(endpoint);
  for (const [name, line] of level.lines) if (line.endpoint === endpoint) level.lines.delete(name);
}
