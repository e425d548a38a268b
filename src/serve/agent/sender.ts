import type { Clock, Log, Random } from '../../wire/io.ts';
import type { EncodedBatch } from './batch-file.ts';
import type { Delivery } from './server-link.ts';
import type { Spool, SpoolEntry } from './spool.ts';

export interface SenderOptions {
  /** Batches on their way at once. */
  inFlight: number;
  /** Wait after the first failure, ms; doubles with each further one. */
  firstBackOffMs: number;
  maxBackOffMs: number;
}

export const senderOptions: SenderOptions = { inFlight: 4, firstBackOffMs: 1000, maxBackOffMs: 60_000 };

export interface SenderDeps {
  spool: Spool;
  deliver: (batch: EncodedBatch, signal: AbortSignal) => Promise<Delivery>;
  clock: Clock;
  random: Random;
  log: Log;
  /** The server says that it does not know us: time to look at the certificate. */
  onUnauthorised?: (why: string) => void;
  options?: SenderOptions;
}

export interface SenderFigures {
  acknowledged: number;
  acknowledgedSamples: number;
  /** Of them, what the server had already. */
  duplicates: number;
  refused: number;
  /** Attempts that have to be made again. */
  failures: number;
  failuresInARow: number;
  /** Why the last attempt failed; null when it did not. */
  trouble: string | null;
  /** CLOCK_MONOTONIC, ms; null before the first. */
  lastAckMs: number | null;
}

/** Every so many attempts while nothing works, the second oldest goes first: is it the server, or this batch alone? */
const otherBatchEvery = 4;
/** A batch that alone fails waits by itself: this long at first, ms, doubling, and in the end it goes to quarantine. */
const firstBlameMs = 15_000;
const maxBlameMs = 3_600_000;
const maxBlames = 12;

/** What is remembered of a batch that failed. */
interface Suspect {
  firstFailureMs: number;
  blames: number;
  notBeforeMs: number;
}

/**
 * Hands batches over until each is acknowledged, in turn the oldest and the newest: after an outage the server knows at once how things
 * are, and what was kept follows in order. While the server is away one batch at a time asks whether it is
 * back, at growing intervals: a server that comes back must not meet everything at once. A batch that fails while others get
 * through does not hold these up.
 */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #options: SenderOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #figures: SenderFigures = {
    acknowledged: 0,
    acknowledgedSamples: 0,
    duplicates: 0,
    refused: 0,
    failures: 0,
    failuresInARow: 0,
    trouble: null,
    lastAckMs: null,
  };
  /** Not before this, CLOCK_MONOTONIC. */
  #notBeforeMs = -Infinity;
  #wake: () => void = () => undefined;
  readonly #suspects = new Map<number, Suspect>();
  #lastFailed = -1;
  #isNewestTurn = false;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#options = deps.options ?? senderOptions;
  }

  figures(): SenderFigures {
    return { ...this.#figures };
  }

  /** There is something new in the spool. */
  wake(): void {
    this.#wake();
  }

  /** Forget the waiting time: there is a reason to believe that it will work now. */
  tryNow(): void {
    this.#notBeforeMs = -Infinity;
    this.#wake();
  }

  /** Runs until the signal aborts; what is on its way then goes back to the spool. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort);
    while (!signal.aborted) {
      const waitMs = this.#notBeforeMs - clock.monoMs();
      const atOnce = this.#figures.failuresInARow > 0 ? 1 : this.#options.inFlight;
      const entry = waitMs <= 0 && this.#underWay.size < atOnce ? this.#next() : undefined;
      if (entry) this.#start(entry, signal);
      else await this.#pause(waitMs > 0 ? waitMs : this.#suspects.size > 0 ? firstBlameMs : null, signal);
    }
    signal.removeEventListener('abort', onAbort);
    await Promise.all(this.#underWay);
  }

  #next(): SpoolEntry | undefined {
    const { spool, clock } = this.#deps;
    const nowMs = clock.monoMs();
    const isOthersTurn = this.#figures.failuresInARow % otherBatchEvery === otherBatchEvery - 1;
    const isWaiting = ({ sequence }: SpoolEntry) => (this.#suspects.get(sequence)?.notBeforeMs ?? 0) > nowMs;
    const other = isOthersTurn ? spool.take((e) => isWaiting(e) || e.sequence === this.#lastFailed) : undefined;
    if (other) return other;
    this.#isNewestTurn = !this.#isNewestTurn && this.#figures.failuresInARow === 0;
    return (this.#isNewestTurn ? spool.takeNewest(isWaiting) : undefined) ?? spool.take(isWaiting);
  }

  #start(entry: SpoolEntry, signal: AbortSignal): void {
    const work = this.#handOver(entry, signal).finally(() => {
      this.#underWay.delete(work);
      this.#wake();
    });
    this.#underWay.add(work);
  }

  async #handOver(entry: SpoolEntry, signal: AbortSignal): Promise<void> {
    const { spool, deliver } = this.#deps;
    try {
      const batch = await spool.read(entry);
      if (batch) await this.#settle(entry, await deliver(batch, signal));
    } catch (error) {
      spool.putBack(entry);
      if (!signal.aborted) this.#failed(`cannot send ${entry.key}: ${String(error)}`, null);
    }
  }

  async #settle(entry: SpoolEntry, delivery: Delivery): Promise<void> {
    const { spool, clock, log, onUnauthorised } = this.#deps;
    const figures = this.#figures;
    switch (delivery.kind) {
      case 'acknowledged':
        figures.acknowledged++;
        figures.acknowledgedSamples += entry.samples;
        if (delivery.result === 'duplicate') figures.duplicates++;
        figures.lastAckMs = clock.monoMs();
        if (delivery.refused)
          log.warn(
            `the server did not store ${delivery.refused} of ${entry.samples} results of ${entry.key}: by its clock they lie days ahead; is the clock of this host right?`,
          );
        this.#works(entry);
        return spool.acknowledge(entry);
      case 'refused':
        figures.refused++;
        log.warn(
          `the server refuses batch ${entry.key} (${entry.samples} results); kept in quarantine: ${delivery.why}`,
        );
        this.#works(entry);
        return spool.quarantine(entry, delivery.why);
      case 'unauthorised':
        spool.putBack(entry);
        this.#failed(delivery.why, null);
        return onUnauthorised?.(delivery.why);
      case 'later':
        return this.#later(entry, delivery);
    }
  }

  /** Of the server, unless it took others since this batch failed first. */
  async #later(entry: SpoolEntry, { why, afterMs }: { why: string; afterMs: number | null }): Promise<void> {
    const { spool, clock, log } = this.#deps;
    const nowMs = clock.monoMs();
    const suspect = this.#suspects.get(entry.sequence) ?? { firstFailureMs: nowMs, blames: 0, notBeforeMs: 0 };
    this.#suspects.set(entry.sequence, suspect);
    this.#lastFailed = entry.sequence;
    if (afterMs !== null || (this.#figures.lastAckMs ?? -Infinity) <= suspect.firstFailureMs) {
      spool.putBack(entry);
      return this.#failed(why, afterMs);
    }
    this.#figures.failures++;
    if (++suspect.blames < maxBlames) {
      suspect.notBeforeMs = nowMs + Math.min(maxBlameMs, firstBlameMs * 2 ** (suspect.blames - 1));
      return spool.putBack(entry);
    }
    this.#suspects.delete(entry.sequence);
    this.#figures.refused++;
    log.warn(`the server takes other batches and fails on ${entry.key} again and again; kept in quarantine: ${why}`);
    return spool.quarantine(entry, `failed ${maxBlames} times while others were taken; the last time: ${why}`);
  }

  #works({ sequence }: SpoolEntry): void {
    this.#suspects.delete(sequence);
    this.#figures.failuresInARow = 0;
    this.#figures.trouble = null;
    this.#notBeforeMs = -Infinity;
  }

  #failed(why: string, afterMs: number | null): void {
    const { clock, random } = this.#deps;
    const { firstBackOffMs, maxBackOffMs } = this.#options;
    const figures = this.#figures;
    figures.failures++;
    figures.trouble = why;
    // Several that were on their way together fail together: that is one failure of the server.
    const isSame = figures.failuresInARow > 0 && clock.monoMs() < this.#notBeforeMs;
    if (!isSame) figures.failuresInARow++;
    const full = Math.min(maxBackOffMs, firstBackOffMs * 2 ** Math.min(figures.failuresInARow - 1, 30));
    // Between half and all of it: agents that lost their server together must not come back together.
    const backOffMs = full * (0.5 + random.next() / 2);
    // What the server asks for is the least, with a little of our own, for the same reason.
    const waitMs = afterMs === null ? backOffMs : Math.max(afterMs * (1 + random.next() / 10), backOffMs);
    this.#notBeforeMs = Math.max(this.#notBeforeMs, clock.monoMs() + waitMs);
  }

  /** Until something happens, or `ms` have passed. */
  async #pause(ms: number | null, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const woken = new Promise<void>((done) => {
      this.#wake = done;
    });
    if (signal.aborted) return;
    const late = ms === null ? [] : [this.#deps.clock.sleep(ms, stop.signal).catch(() => undefined)];
    await Promise.race([woken, ...late]);
    stop.abort();
    this.#wake = () => undefined;
  }
}
