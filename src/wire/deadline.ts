import { setMaxListeners } from 'node:events';

/** A signal that aborts with `signal` or after a time, whichever is first. */
export interface Deadline {
  signal: AbortSignal;
  /** Releases the timer; call it when the work is done. */
  clear(): void;
}

/**
 * `AbortSignal.any([signal, AbortSignal.timeout(ms)])` without its trap: Node 20 holds the sources of a combined signal only
 * weakly, so that under memory pressure the time-out is collected and never fires. A peer that floods us would switch off
 * the very limit that is there to stop it.
 * @param ms aborts with a TimeoutError after so many milliseconds
 */
export function deadlineOf(signal: AbortSignal, ms: number): Deadline {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  const onTime = () => controller.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError'));
  // One listener for each request in flight: thousands are no leak here.
  setMaxListeners(0, signal);
  const timer = setTimeout(onTime, ms);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
