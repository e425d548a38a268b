import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../abi.ts';
import { check, libc, memory } from '../libc.ts';
import { startWorker } from '../worker.ts';
import {
  endedBy,
  makeShared,
  type MoverSetup,
  type MoverStream,
  type Shared,
  STREAM_FIELDS,
  streamField,
  WORKER_FIELDS,
  workerField,
} from './layout.ts';

export interface MoverOptions {
  protocol: 'tcp' | 'udp';
  streams: number;
  /** Threads; one per core by default, never more than there are streams. */
  threads?: number | undefined;
  blockBytes: number;
  /** Per sending stream; 0: as fast as it goes. */
  bitsPerS: number;
  counters64: boolean;
  /** Octets that all senders together may send; undefined: no bound. */
  budgetBytes: number | undefined;
}

/** One stream so far. UDP numbers are those of the receiver, but for `packets`, which a sender counts as well. */
export interface StreamCounters {
  bytes: number;
  packets: number;
  lost: number;
  outOfOrder: number;
  jitterMs: number;
  ended: 'running' | 'peer' | 'error' | 'budget';
  errno: number;
}

export interface CpuUse {
  userMs: number;
  systemMs: number;
  /** CPU time of the busiest thread per time: near 1, that thread could do no more. */
  busiestShare: number;
  /** Share of the time in which a thread was ready to run and had no core, of the one that waited most. */
  waitedShare: number;
}

/** Threads that move the octets of a test between sockets and nowhere. The sockets stay the caller's: closed after stop(). */
export class Mover {
  /** The threads run and have their memory: what starts now starts at once. */
  readonly ready: Promise<void>;
  readonly #workers: Worker[] = [];
  readonly #exited: Promise<unknown>;
  readonly #shared: Shared;
  readonly #wakeFd: number;
  readonly #options: MoverOptions;
  #failure: Error | null = null;
  #started = false;
  #stopping: Promise<void> | null = null;

  constructor(options: MoverOptions) {
    const threads = Math.max(1, Math.min(options.threads ?? availableParallelism(), options.streams));
    this.#options = options;
    this.#shared = makeShared(options.streams, threads);
    this.#shared.budget[0] = BigInt(Math.floor(options.budgetBytes ?? 0));
    this.#wakeFd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 'eventfd');
    for (let worker = 0; worker < threads; worker++) this.#workers.push(this.#start(worker));
    this.#exited = Promise.all(this.#workers.map((w) => new Promise((done) => w.once('exit', done))));
    this.ready = Promise.all(this.#workers.map(firstMessage)).then(() => undefined);
    // Whoever awaits it hears of it; nobody has to.
    this.ready.catch(() => undefined);
  }

  /** Streams are dealt out to the threads in turn. */
  start(streams: readonly Omit<MoverStream, 'index'>[]): void {
    this.#started = true;
    const dealt = this.#workers.map((): MoverStream[] => []);
    streams.forEach((stream, index) => dealt[index % dealt.length]!.push({ ...stream, index }));
    this.#workers.forEach((worker, i) => worker.postMessage(dealt[i]));
  }

  /** Octets that may still be sent from now on; only with a budget from the start. */
  setBudget(bytes: number): void {
    Atomics.store(this.#shared.budget, 0, BigInt(Math.floor(bytes)));
  }

  /** A thread that broke; null while all is well. */
  get failure(): Error | null {
    return this.#failure;
  }

  counters(index: number): StreamCounters {
    const at = index * STREAM_FIELDS;
    const field = (name: keyof typeof streamField) => this.#shared.streams[at + streamField[name]]!;
    const why = field('ended');
    const ended = (Object.keys(endedBy) as (keyof typeof endedBy)[]).find((name) => endedBy[name] === why);
    return {
      bytes: field('bytes'),
      packets: field('packets'),
      lost: field('lost'),
      outOfOrder: field('outOfOrder'),
      jitterMs: field('jitterMs'),
      ended: ended ?? 'running',
      errno: field('errno'),
    };
  }

  /** CPU time of the threads since they began to move. */
  cpu(): CpuUse {
    const use: CpuUse = { userMs: 0, systemMs: 0, busiestShare: 0, waitedShare: 0 };
    for (let i = 0; i < this.#workers.length; i++) {
      const field = (name: keyof typeof workerField) => this.#shared.workers[i * WORKER_FIELDS + workerField[name]]!;
      const [userMs, systemMs] = [field('userMs'), field('systemMs')];
      const spanMs = field('untilMs') - field('sinceMs');
      use.userMs += userMs;
      use.systemMs += systemMs;
      if (!(spanMs > 0)) continue;
      use.busiestShare = Math.max(use.busiestShare, (userMs + systemMs) / spanMs);
      use.waitedShare = Math.max(use.waitedShare, field('waitedMs') / spanMs);
    }
    return use;
  }

  /** No octet moves after this resolves. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    Atomics.store(this.#shared.control, 0, 1);
    const one = memory(8);
    one.writeBigUInt64LE(1n);
    libc().write(this.#wakeFd, one, 8);
    if (!this.#started) await Promise.all(this.#workers.map((w) => w.terminate()));
    await this.#exited;
    libc().close(this.#wakeFd);
  }

  #start(worker: number): Worker {
    const { streams, protocol, blockBytes, bitsPerS, counters64, budgetBytes } = this.#options;
    const setup: MoverSetup = {
      shared: this.#shared.buffer,
      worker,
      streams,
      wakeFd: this.#wakeFd,
      protocol,
      blockBytes,
      bitsPerS,
      counters64,
      budgeted: budgetBytes !== undefined,
    };
    const thread = startWorker(import.meta.url, './mover.worker', { workerData: setup });
    thread.on('error', (error) => {
      this.#failure ??= error;
    });
    return thread;
  }
}

function firstMessage(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread ended before it began')));
  });
}
