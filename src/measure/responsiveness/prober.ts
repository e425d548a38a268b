import { printable } from '../../model/outcome.ts';
import type { Io } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import { errorFacts, LinkError, type LinkOptions } from '../inference/link.ts';
import { ask } from './ask.ts';
import type { ForeignProbe } from './core.ts';
import { probeForeign } from './foreign.ts';
import type { LoadConnection } from './load.ts';

/** A probe that takes longer has failed. Far above any queue that anybody would call a network. */
export const PROBE_TIMEOUT_MS = 20_000;
/** Under way at once, per kind: beyond it a probe is left out and counted, so that a dead path costs no memory. */
const UNDER_WAY_MAX = 64;

export interface ProbeWhere {
  small: URL;
  link: LinkOptions;
  transport: TcpTransport;
  io: Io;
}

/**
 * Sends pairs of probes, one of each kind, interleaved, on an open-loop schedule whose pace can be changed, and keeps what came
 * back since it was last asked.
 */
export class Prober {
  readonly counts = { foreign: 0, self: 0, failed: 0, skipped: 0 };
  lastFailure: string | null = null;
  readonly #where: ProbeWhere;
  readonly #loads: readonly LoadConnection[];
  readonly #stop = new AbortController();
  readonly #underWay = { foreign: 0, self: 0 };
  #foreign: ForeignProbe[] = [];
  #self: number[] = [];
  #pairsPerSecond = 1;
  #sending: Promise<void> = Promise.resolve();

  constructor(where: ProbeWhere, loads: readonly LoadConnection[]) {
    this.#where = where;
    this.#loads = loads;
  }

  start(pairsPerSecond: number): void {
    this.pace(pairsPerSecond);
    this.#sending = this.#schedule();
  }

  /** From the next probe on. */
  pace(pairsPerSecond: number): void {
    this.#pairsPerSecond = pairsPerSecond;
  }

  /** What came back since the last call. */
  take(): { foreign: ForeignProbe[]; self: number[] } {
    const taken = { foreign: this.#foreign, self: this.#self };
    this.#foreign = [];
    this.#self = [];
    return taken;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#sending;
  }

  /** Half a period apart, foreign and self in turn. */
  async #schedule(): Promise<void> {
    const { clock } = this.#where.io;
    const { signal } = this.#stop;
    let dueMs = clock.monoMs();
    for (let turn = 0; !signal.aborted; turn++) {
      if (turn % 2 === 0) this.#launch('foreign');
      else this.#launch('self');
      dueMs += 500 / this.#pairsPerSecond;
      // After a stall the schedule goes on from now: a burst to catch up would be a load of its own.
      dueMs = Math.max(dueMs, clock.monoMs() - 1000);
      await clock.sleep(Math.max(0, dueMs - clock.monoMs()), signal).catch(() => undefined);
    }
  }

  #launch(kind: 'foreign' | 'self'): void {
    if (this.#underWay[kind] >= UNDER_WAY_MAX || (kind === 'self' && this.#loads.length === 0)) {
      this.counts.skipped++;
      return;
    }
    this.#underWay[kind]++;
    const work = kind === 'foreign' ? this.#probeForeign() : this.#probeSelf();
    void work
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.counts.failed++;
        this.lastFailure = describe(error);
      })
      .finally(() => this.#underWay[kind]--);
  }

  async #probeForeign(): Promise<void> {
    const { small, link, transport, io } = this.#where;
    const probe = await probeForeign(small, link, transport, io, this.#stop.signal, PROBE_TIMEOUT_MS);
    this.counts.foreign++;
    this.#foreign.push(probe);
  }

  /** On a load-generating connection, any of them with the same chance. */
  async #probeSelf(): Promise<void> {
    const { small, io } = this.#where;
    const load = this.#loads[Math.floor(io.random.next() * this.#loads.length)]!;
    const { durationMs } = await ask(load.link, small, io, this.#stop.signal, PROBE_TIMEOUT_MS);
    this.counts.self++;
    this.#self.push(durationMs);
  }
}

function describe(error: unknown): string {
  if (error instanceof LinkError) return error.outcome.kind;
  const { code, message } = errorFacts(error);
  return printable(`${code}: ${message}`, 120);
}
