import { startWorker } from '../../wire/worker.ts';
import type { Milp } from './milp.ts';
import type { Progress, Solution, SolveOptions, SolveReply, SolveRequest } from './solution.ts';

/** Solves linear programs, with whole variables or without, one at a time in a thread of its own; `close` ends the thread. */
export interface Solver {
  /**
   * @param signal stops the search; the promise then still gives what was found, with status `stopped`
   * @throws Error when the solver itself fails (a program that makes no sense, too little memory)
   */
  solve(
    milp: Milp,
    options?: SolveOptions,
    signal?: AbortSignal,
    onProgress?: (progress: Progress) => void,
  ): Promise<Solution>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(solution: Solution): void;
  reject(error: Error): void;
  onProgress: ((progress: Progress) => void) | undefined;
}

/**
 * HiGHS (MIT) in a worker thread. Programs of up to about a million entries; memory is WebAssembly's, at most 4 GB. The thread
 * starts with the first program and keeps no process alive while it waits.
 */
export function startSolver(): Solver {
  let worker: ReturnType<typeof startWorker> | undefined;
  let lastId = 0;
  const waiting = new Map<number, Waiting>();

  const start = () => {
    const started = startWorker(import.meta.url, './solver.worker', {});
    started.on('message', (reply: SolveReply) => {
      const asker = waiting.get(reply.id);
      if (!asker) return;
      if ('progress' in reply) return asker.onProgress?.(reply.progress);
      waiting.delete(reply.id);
      if (waiting.size === 0) started.unref();
      if ('error' in reply) asker.reject(new Error(`the solver failed: ${reply.error}`));
      else asker.resolve(reply.solution);
    });
    const failAll = (error: Error) => {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
      if (worker === started) worker = undefined;
    };
    started.on('error', failAll);
    started.on('exit', () => failAll(new Error('the thread of the solver ended')));
    return started;
  };

  return {
    async solve(milp, options = {}, signal, onProgress) {
      worker ??= start();
      const [thread, id, stop] = [worker, ++lastId, new Int32Array(new SharedArrayBuffer(4))];
      const stopNow = () => void Atomics.store(stop, 0, 1);
      if (signal?.aborted) stopNow();
      signal?.addEventListener('abort', stopNow, { once: true });
      try {
        return await new Promise<Solution>((resolve, reject) => {
          waiting.set(id, { resolve, reject, onProgress });
          thread.ref();
          thread.postMessage({ id, milp, options, stop } satisfies SolveRequest);
        });
      } finally {
        signal?.removeEventListener('abort', stopNow);
      }
    },
    async close() {
      const ending = worker;
      worker = undefined;
      await ending?.terminate();
    },
  };
}
