import { parentPort } from 'node:worker_threads';
import { openSweep } from './answer.ts';
import type { SweepAnswer, SweepJob } from './job.ts';

/** The thread that owns the sockets of a sweep and does nothing else: an answer to each job. */
parentPort?.on('message', (job: SweepJob) => {
  parentPort?.postMessage(answer(job));
});

function answer(job: SweepJob): SweepAnswer {
  const opened = openSweep(job);
  if ('failed' in opened) return opened;
  const { sweep } = opened;
  try {
    sweep.step(Infinity);
    return { end: sweep.end() };
  } finally {
    sweep.close();
  }
}
