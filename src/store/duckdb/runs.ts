import type { DuckDBConnection } from '@duckdb/node-api';
import { type SampleKind, sampleVerdict } from '../../model/sample.ts';
import { mostFailures, type Run } from '../store.ts';
import { eachChunk, lastBatch } from './rows.ts';
import type { Words } from './words.ts';

const [OK, BAD] = (['ok', 'bad'] as const).map((verdict) => sampleVerdict.options.indexOf(verdict));

interface Line {
  endpoint: number;
  agent: number;
  kind: number;
  lastMs: number;
  lastOkMs: number;
  /** Rising. */
  badMs: number[];
  /** What was told of it, while that holds. */
  told: Run | null;
}

/**
 * How the newest results of each series went: what was known the last time, and what came since, late or not. An evaluation asks every
 * few seconds, and failures are few.
 */
export class Runs {
  #sinceMs = Infinity;
  #batch = 0;
  #lines = new Map<number, Line>();
  #turn: Promise<unknown> = Promise.resolve();

  /** One after the other, as `Newest`. */
  runs(connection: DuckDBConnection, words: Words, sinceMs: number): Promise<Run[]> {
    const turn = this.#turn.then(() => this.#runs(connection, words, sinceMs));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #runs(connection: DuckDBConnection, words: Words, sinceMs: number): Promise<Run[]> {
    const isLonger = sinceMs < this.#sinceMs;
    const lines = isLonger ? new Map<number, Line>() : this.#lines;
    const after = isLonger ? 0 : this.#batch;
    const last = await lastBatch(connection);
    const where = `FROM samples WHERE batch > ${after} AND batch <= ${last} AND at_ms >= ${sinceMs}`;
    const series = 'endpoint::DOUBLE, agent::DOUBLE, kind::DOUBLE';
    const lineOf = (endpoint: number, agent: number, kind: number) => {
      // Ids of endpoints have 26 bits here, of agents 22, of kinds 5: texts as keys take longer.
      const key = (agent * 2 ** 5 + kind) * 2 ** 26 + endpoint;
      let line = lines.get(key);
      if (!line) {
        const times = { lastMs: -Infinity, lastOkMs: -Infinity, badMs: [] };
        lines.set(key, (line = { endpoint, agent, kind, ...times, told: null }));
      }
      line.told = null;
      return line;
    };
    await eachChunk(
      connection,
      `SELECT ${series}, max(at_ms) ${where} AND verdict = ${OK} GROUP BY endpoint, agent, kind`,
      (columns) => {
        const [endpoint, agent, kind, at] = columns.leading(4);
        for (let i = 0; i < columns.count; i++) succeeded(lineOf(endpoint[i]!, agent[i]!, kind[i]!), at[i]!);
      },
    );
    await eachChunk(connection, `SELECT ${series}, at_ms ${where} AND verdict = ${BAD} ORDER BY at_ms`, (columns) => {
      const [endpoint, agent, kind, at] = columns.leading(4);
      for (let i = 0; i < columns.count; i++) failed(lineOf(endpoint[i]!, agent[i]!, kind[i]!), at[i]!);
    });
    this.#lines = lines;
    this.#sinceMs = sinceMs;
    this.#batch = last;
    return this.#told(words, sinceMs);
  }

  #told(words: Words, sinceMs: number): Run[] {
    const runs: Run[] = [];
    for (const [key, line] of this.#lines)
      if (line.lastMs < sinceMs) this.#lines.delete(key);
      else runs.push(runOf(line, words, sinceMs));
    return runs;
  }
}

/** The same object as the last time where nothing has become of it. */
function runOf(line: Line, words: Words, sinceMs: number): Run {
  const { endpoint, agent, kind, lastMs, badMs, told } = line;
  if (told && (badMs.length === 0 || badMs[0]! >= sinceMs)) return told;
  return (line.told = {
    endpoint: words.word('endpoint', endpoint),
    agent: words.word('agent', agent),
    kind: words.word('kind', kind) as SampleKind,
    lastMs,
    badMs: badMs.length === 0 ? badMs : badMs.filter((ms) => ms >= sinceMs),
  });
}

function succeeded(line: Line, atMs: number): void {
  line.lastMs = Math.max(line.lastMs, atMs);
  line.lastOkMs = Math.max(line.lastOkMs, atMs);
  if (line.badMs.length > 0) line.badMs = line.badMs.filter((ms) => ms > line.lastOkMs);
}

function failed(line: Line, atMs: number): void {
  line.lastMs = Math.max(line.lastMs, atMs);
  if (atMs <= line.lastOkMs) return;
  // Replaced, not changed: readers hold the list of before.
  line.badMs = [...line.badMs, atMs].sort((a, b) => a - b).slice(-mostFailures);
}
