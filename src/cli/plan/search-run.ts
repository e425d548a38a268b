import { setImmediate as turn } from 'node:timers/promises';
import type { Io } from '../../wire/io.ts';
import type { PlanProgress } from './progress.ts';

/** Between two looks at Ctrl-C and the time limit. */
const sliceMs = 40;

/**
 * Runs a search that yields what it knows until it ends, or until the time is over or the user interrupts; then the last that it
 * knew is the answer. Stays on this thread: a search of a second is not worth another.
 */
export async function runSearch<T>(
  search: Generator<T, T>,
  io: Io,
  progress: PlanProgress,
  show: (standing: T) => string,
): Promise<{ standing: T; stopped: 'time' | 'interrupted' | null }> {
  for (;;) {
    const untilMs = io.clock.monoMs() + sliceMs;
    let step = search.next();
    while (!step.done && io.clock.monoMs() < untilMs) step = search.next();
    if (step.done) return { standing: step.value, stopped: null };
    progress.show(show(step.value));
    await turn();
    if (progress.signal.aborted)
      return { standing: step.value, stopped: io.signals.interrupted.aborted ? 'interrupted' : 'time' };
  }
}
