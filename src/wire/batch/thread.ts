import type { Worker } from 'node:worker_threads';
import { startWorker } from '../worker.ts';
import { openSweep } from './answer.ts';
import type { SweepAnswer, SweepJob } from './job.ts';

/** A thread that is ready, or getting ready, to run sweeps, one after the other. */
export interface SweepThread {
  /** Runs the job; to stop it early, set `columns.control[0]`. Rejects only when the thread itself breaks. */
  run(job: SweepJob): Promise<SweepAnswer>;
  close(): void;
}

/** Starts the thread at once, so that it loads while its caller still reads targets. */
export function startSweepThread(): SweepThread {
  const worker: Worker = startWorker(import.meta.url, './sweep.worker', {});
  worker.unref();
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        worker.ref();
        const exited = () => reject(new Error('The thread of the sweep ended without an answer'));
        worker.once('error', reject);
        worker.once('exit', exited);
        worker.once('message', (answer: SweepAnswer) => {
          worker.off('error', reject);
          worker.off('exit', exited);
          worker.unref();
          resolve(answer);
        });
        worker.postMessage(job);
      }),
    close: () => void worker.terminate(),
  };
}

/** How long the caller's event loop stands still at a time, ms: a Ctrl-C waits for that long. */
const SLICE_MS = 50;

/**
 * The same on the calling thread, in slices: for a sweep at full speed that nobody watches, where a thread of its own would
 * cost more to start than it saves. A schedule would suffer from whatever else this thread does.
 */
export function sweepHere(monoMs: () => number): SweepThread {
  return {
    run: async (job) => {
      const opened = openSweep(job);
      if ('failed' in opened) return opened;
      const { sweep } = opened;
      try {
        while (!sweep.step(monoMs() + SLICE_MS)) await new Promise((resume) => setImmediate(resume));
        return { end: sweep.end() };
      } finally {
        sweep.close();
      }
    },
    close: () => undefined,
  };
}
