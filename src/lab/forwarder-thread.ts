import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { libc, memory } from '../wire/libc.ts';
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
  const worker = newWorker({ plan, counters });
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

/**
 * Built, the thread is a plain file beside this one. From source (tsx, vitest) it needs the TypeScript loader, which does not
 * reach worker threads by itself: a line of plain JavaScript registers it there first.
 */
function newWorker(workerData: ForwarderInput): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./forwarder.worker.js', import.meta.url), { workerData });
  // require() finds the CommonJS twin, which cannot register in a worker.
  const found = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  const [loader, entry] = [pathToFileURL(found).href, new URL('./forwarder.worker.ts', import.meta.url).href];
  const code = `import(${JSON.stringify(loader)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(entry)}); })`;
  return new Worker(code, { eval: true, execArgv: [], workerData });
}
