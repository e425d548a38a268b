import type { BatchBody } from '../model/agent-protocol.ts';
import { packed, type SampleColumns } from '../store/columns.ts';
import { isFull } from '../store/full.ts';
import type { Store } from '../store/store.ts';
import type { Io } from '../wire/io.ts';
import { checkMeaning, withoutFuture } from './batch-check.ts';
import type { Configuration } from './configuration.ts';
import type { EventHub } from './events.ts';
import { type Keeping, wordsOf } from './keeping.ts';
import type { Meter } from './metrics/meter.ts';
import { Problem } from './problem.ts';

/** Rows and batches that may be on their way into the store; beyond, agents are asked to come back: they have a spool, we have memory. */
const mostRows = 500_000;
const mostBatches = 64;
/** After a failure nothing is even read for so long: ten thousand agents are not to try a full disk all at once and all the time. */
const tryEveryMs = 1000;
/** At most one event about samples within this time. */
const eventStepMs = 1000;

/** When an agent was last heard of, by our clock. */
export interface Arrival {
  agent: string;
  lastArrivalMs: number;
  newestSampleMs: number | null;
  batches: number;
  rows: number;
}

/** The way of batches into the store: bounded, and acknowledged only when the store can no longer lose them. */
export class Ingest {
  readonly #store: Store;
  readonly #configuration: Configuration;
  readonly #events: EventHub;
  readonly #meter: Meter;
  readonly #keeping: Keeping;
  readonly #io: Pick<Io, 'clock' | 'log' | 'random'>;
  readonly #arrivals = new Map<string, Arrival>();
  #rows = 0;
  #batches = 0;
  #toldAtMs = -Infinity;
  #totals = { batches: 0, duplicates: 0, rows: 0, refused: 0, failed: 0 };

  constructor(parts: {
    store: Store;
    configuration: Configuration;
    events: EventHub;
    meter: Meter;
    keeping: Keeping;
    io: Pick<Io, 'clock' | 'log' | 'random'>;
  }) {
    this.#store = parts.store;
    this.#configuration = parts.configuration;
    this.#events = parts.events;
    this.#meter = parts.meter;
    this.#keeping = parts.keeping;
    this.#io = parts.io;
  }

  totals(): Readonly<{ batches: number; duplicates: number; rows: number; refused: number; failed: number }> {
    return this.#totals;
  }

  pending(): { rows: number; batches: number } {
    return { rows: this.#rows, batches: this.#batches };
  }

  arrivals(): Arrival[] {
    return [...this.#arrivals.values()];
  }

  /** Before a body is read. @throws Problem 503 when there is no room */
  admit(): void {
    const trouble = this.#keeping.of('samples');
    const isTried = trouble !== null && this.#io.clock.monoMs() - trouble.lastMs < tryEveryMs;
    const isBehind = this.#batches >= mostBatches || this.#rows >= mostRows;
    if (!isTried && !isBehind) return;
    this.#totals.refused++;
    throw this.#busy(trouble && isTried ? wordsOf(trouble) : 'the store does not follow');
  }

  /** An agent that asks for its jobs lives, too. */
  heard(agent: string): void {
    const before = this.#arrivals.get(agent);
    if (!before) this.#meter.expect(agent, this.#configuration.jobsFor(agent).jobs);
    const fresh = { agent, newestSampleMs: null, batches: 0, rows: 0 };
    this.#arrivals.set(agent, { ...(before ?? fresh), lastArrivalMs: this.#io.clock.wallMs() });
  }

  /**
   * Stores a checked batch, without rows of a far future. Resolves when a crash can no longer lose it.
   * @throws Problem 422 for what cannot be, 503 when the store fails: nothing is stored then, and the same batch may come again
   */
  async store(body: BatchBody, agent: string): Promise<{ result: 'stored' | 'duplicate'; refused: number }> {
    checkMeaning(body, (name) => this.#configuration.knowsEndpoint(name), agent);
    this.admit();
    const { columns: list, rows, refused } = withoutFuture(body, this.#io.clock.wallMs());
    const columns = packed(list);
    if (refused > 0)
      this.#io.log.warn(
        `${refused} of ${body.count} rows of ${agent} lie more than three days in the future: not stored`,
      );
    // No agent can spend the key of another.
    const key = `${agent}/${body.key}`;
    this.#rows += body.count;
    this.#batches++;
    try {
      const [result = 'stored'] = await this.#store.append([{ key, agent, columns, ...(rows && { rows }) }]);
      this.#keeping.kept('samples');
      this.#note(columns, agent, result);
      return { result, refused };
    } catch (error) {
      this.#totals.failed++;
      this.#keeping.failed('samples', error);
      throw this.#busy(wordsOf({ what: 'samples', isFull: isFull(error) }));
    } finally {
      this.#rows -= body.count;
      this.#batches--;
    }
  }

  #note(body: SampleColumns, agent: string, result: 'stored' | 'duplicate'): void {
    this.heard(agent);
    if (result === 'duplicate') {
      this.#totals.duplicates++;
      return;
    }
    this.#totals.batches++;
    this.#totals.rows += body.count;
    this.#meter.add(body, agent, this.#io.clock.wallMs());
    const arrival = this.#arrivals.get(agent) as Arrival;
    arrival.batches++;
    arrival.rows += body.count;
    for (let row = 0; row < body.count; row++)
      arrival.newestSampleMs = Math.max(arrival.newestSampleMs ?? 0, body.atMs[row]!);
    const nowMs = this.#io.clock.monoMs();
    if (nowMs - this.#toldAtMs < eventStepMs) return;
    this.#toldAtMs = nowMs;
    this.#events.publish('samples', { agent, rows: body.count, newestMs: arrival.newestSampleMs });
  }

  #busy(why: string): Problem {
    // Spread, or all agents would come back at once.
    const waitS = 1 + Math.floor(this.#io.random.next() * 5);
    return new Problem('busy', `${why}; nothing of this was stored, send it again`, {
      headers: { 'retry-after': String(waitS) },
    });
  }
}
