import { readdirSync, readFileSync } from 'node:fs';
import { monoMs } from './arrivals.ts';

/** CPU, time and run-queue wait of this process since it was made. */
export class Meter {
  readonly #cpu = process.cpuUsage();
  readonly #beganMs = monoMs();
  readonly #waitedMs = runQueueWaitMs();

  read(): { cpuMs: number; elapsedMs: number; starved: number } {
    const { user, system } = process.cpuUsage(this.#cpu);
    const elapsedMs = monoMs() - this.#beganMs;
    return { cpuMs: (user + system) / 1000, elapsedMs, starved: (runQueueWaitMs() - this.#waitedMs) / elapsedMs };
  }
}

/** Time that threads of this process were ready to run and did not, ms (Documentation/scheduler/sched-stats.rst). */
function runQueueWaitMs(): number {
  try {
    return readdirSync('/proc/self/task').reduce((sum, thread) => {
      const text = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8');
      return sum + Number(text.split(' ')[1]) / 1e6;
    }, 0);
  } catch {
    return Number.NaN;
  }
}
