import { randomBytes } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../../../wire/abi.ts';
import { check, libc, memory } from '../../../wire/libc.ts';
import { startWorker } from '../../../wire/worker.ts';
import type { ReflectionPolicy } from './reflection.ts';
import type { StampWorkerMessage, StampWorkerSetup } from './stamp.worker.ts';
import { readStampStats, stampCounters, type StampStats } from './stats.ts';

export interface StampOptions extends ReflectionPolicy {
  /** An IP address, no name. */
  address: string;
  /** 0 for a free one. */
  port: number;
}

export interface StampReflector {
  address: string;
  port: number;
  stats(): StampStats;
  /** Rejects when the thread dies by itself; never resolves. */
  failed: Promise<never>;
  stop(): Promise<void>;
}

/** Bounds of a reflector that nobody configured: far above any measurement, far below what fills a machine. */
export const stampLimits = { sessions: 10_000, perSecond: 50_000, perSessionPerSecond: 10_000 };

/**
 * Starts a STAMP reflector in a thread of its own; resolves when it listens. Linux only.
 * @throws Error with `code` (EACCES, EADDRINUSE …) when it cannot listen
 */
export async function startStampReflector(options: StampOptions): Promise<StampReflector> {
  const wakeFd = check(libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 'eventfd');
  const counters = new Float64Array(new SharedArrayBuffer(8 * stampCounters.length));
  const { address, port, ...policy } = options;
  const workerData: StampWorkerSetup = { address, port, policy, secret: randomBytes(32), wakeFd, counters };
  const worker = startWorker(import.meta.url, './stamp.worker', { workerData });
  const ended = endOf(worker).finally(() => libc().close(wakeFd));
  const failed = new Promise<never>((_resolve, reject) => void ended.catch(reject));
  // Whoever waits for it hears of it; nobody has to.
  failed.catch(() => undefined);
  const first = await firstMessage(worker, ended);
  if (first.kind === 'failed') throw Object.assign(new Error(first.message), { code: first.code });
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const one = memory(8);
    one.writeBigUInt64LE(1n);
    libc().write(wakeFd, one, 8);
    await ended;
  };
  return {
    address: first.address,
    port: first.port,
    stats: () => readStampStats(counters),
    failed,
    stop: () => (stopped ??= stop()),
  };
}

function endOf(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: StampWorkerMessage) => {
      if (message.kind === 'failed') reject(new Error(message.message));
    });
    worker.on('exit', () => resolve());
  });
}

function firstMessage(worker: Worker, ended: Promise<void>): Promise<StampWorkerMessage> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    ended.then(() => reject(new Error('The thread of the STAMP reflector ended at once')), reject);
  });
}
