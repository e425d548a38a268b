import type { Clock, Log } from '../../wire/io.ts';
import { beatMs, type Cluster, type Task } from './cluster.ts';

/** Work that goes on until it is stopped, and may be started again. */
export interface Work {
  start(): void;
  stop(): Promise<void>;
}

/** Has work done by whoever holds the lease of its task: started when it comes to this node, stopped when it goes. */
export async function whileHeld(
  work: Work,
  { cluster, task }: { cluster: Cluster; task: Task },
  { clock, log }: { clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  let isRunning = false;
  while (!signal.aborted) {
    const isOurs = await cluster.fence(task).then(
      (fence) => fence !== null,
      (error: unknown) => {
        log.warn(`whose turn it is cannot be told: ${error instanceof Error ? error.message : String(error)}`);
        return false;
      },
    );
    if (isOurs && !isRunning) work.start();
    if (!isOurs && isRunning) await work.stop();
    isRunning = isOurs;
    await clock.sleep(beatMs, signal).catch(() => undefined);
  }
  if (isRunning) await work.stop();
}
