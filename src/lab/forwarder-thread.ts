import { libc, memory } from '../wire/libc.ts';
import { startWorker } from '../wire/worker.ts';
import type { Counters } from './counters.ts';
import type { ForwarderInput, ForwarderMessage } from './forwarder.worker.ts';
import type { Plan } from './plan.ts';

/** The running forwarder, seen from the thread that started it. */
export interface ForwarderThread {
  /** Per host a descriptor of its network namespace; closed by the forwarder at its end. */
  namespaces: number[];
  /** Resolves when the thread has ended, with the reason when it was not asked to. */
  ended: Promise<string | undefined>;
  /** Ends the thread; every device is closed when this resolves. */
  stop(): Promise<void>;
}

/** @throws Error with the failed system call when the namespaces or devices cannot be had */
export async function startForwarder(plan: Plan, counters: Counters): Promise<ForwarderThread> {
  const workerData: ForwarderInput = { plan, counters };
  const worker = startWorker(import.meta.url, './forwarder.worker', { workerData });
  let reason: string | undefined;
  const ended = new Promise<string | undefined>((resolve) => {
    worker.on('error', (error) => (reason = error.message));
    worker.on('exit', () => resolve(reason));
  });
  const first = await Promise.race([
    new Promise<ForwarderMessage>((resolve) => worker.once('message', resolve)),
    ended.then((why): ForwarderMessage => ({ kind: 'failed', message: why ?? 'the thread ended at once' })),
  ]);
  if (first.kind === 'failed') {
    await ended;
    throw new Error(`Cannot start the lab: ${first.message}`);
  }
  worker.on('message', (message: ForwarderMessage) => {
    if (message.kind === 'failed') reason = message.message;
  });
  let running = true;
  void ended.then(() => (running = false));
  return {
    namespaces: first.namespaces,
    ended,
    stop: async () => {
      // A written eventfd is readable: the loop's poll returns at once.
      const one = memory(8);
      one.writeBigUInt64LE(1n);
      if (running) libc().write(first.wakeUp, one, 8);
      await ended;
    },
  };
}
