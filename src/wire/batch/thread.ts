import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../worker.ts';
import { openSweep } from './answer.ts';
import { joinHalves, makeColumns } from './columns.ts';
import type { SweepAnswer, SweepJob } from './job.ts';
import type { SweepEnd } from './sweep.ts';

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
function sweepHere(monoMs: () => number): SweepThread {
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

/** Fewer targets are done before a second thread would have started. */
const WORTH_TWO_THREADS = 20_000;

/**
 * A sweep at full speed that nobody watches: on this thread, and where there are many targets and a processor to spare, half of
 * them on a second one with sockets of its own, because all of the time goes into the kernel's handling of each packet.
 * @param targets about how many there will be
 */
export function sweepAtFullSpeed(targets: number, monoMs: () => number): SweepThread {
  const here = sweepHere(monoMs);
  return targets < WORTH_TWO_THREADS || availableParallelism() < 2 ? here : inHalves(here, startSweepThread());
}

/** Runs each sweep on two threads at a time; connections are not worth it and share descriptors, so they stay on the first. */
function inHalves(here: SweepThread, there: SweepThread): SweepThread {
  return {
    run: async (job) => {
      if (job.targets < 2 || job.method === 'tcp-connect' || job.method === 'tls') return here.run(job);
      // The other one first: this one returns only after its first slice.
      const [second, first] = await Promise.all([
        there.run({ ...job, half: 1, random: otherWords(job.random) }),
        here.run({ ...job, half: 0 }),
      ]);
      if ('failed' in first) return first;
      if ('failed' in second) return second;
      joinHalves(makeColumns(job.targets, job.rounds, job.buffer));
      return { end: endOfBoth(first.end, second.end) };
    },
    close: () => {
      here.close();
      there.close();
    },
  };
}

/** A token that is not that of the first half, or each would take the answers of the other for its own. */
function otherWords([first, second, identifier]: SweepJob['random']): SweepJob['random'] {
  return [~first, second, ~identifier];
}

/** What holds of two ends at the same time: of bounds the wider one, of room the smaller one. */
function endOfBoth(a: SweepEnd, b: SweepEnd): SweepEnd {
  const isWider = (b.calibration?.stampToStampP95Ms ?? 0) > (a.calibration?.stampToStampP95Ms ?? 0);
  return {
    sockets: [...new Set([...a.sockets, ...b.sockets])],
    calibration: isWider ? b.calibration : a.calibration,
    clockStepMs: Math.abs(b.clockStepMs) > Math.abs(a.clockStepMs) ? b.clockStepMs : a.clockStepMs,
    receiveBuffer: Math.min(a.receiveBuffer, b.receiveBuffer),
    durationMs: Math.max(a.durationMs, b.durationMs),
    nic: a.nic,
  };
}
