/**
 * How late our own event loop runs. A timer is due every `tickMs`; what it comes late is time in which nothing else of this
 * thread could run. Accuracy: one tick. Kernel stamps are immune to it, user stamps are not, and a schedule is not.
 */
export interface LoopLag {
  /** Longest lateness in ms since a moment on the monotonic clock. */
  maxSinceMs(sinceMs: number): number;
  /** All recorded latenesses in ms, newest last, bounded. */
  samples(): readonly number[];
  stop(): void;
}

const tickMs = 10;
const kept = 6000;

/** @param monoMs CLOCK_MONOTONIC in ms */
export function watchLoopLag(monoMs: () => number): LoopLag {
  const at: number[] = [];
  const late: number[] = [];
  let dueMs = monoMs() + tickMs;
  const timer = setInterval(() => {
    const nowMs = monoMs();
    at.push(nowMs);
    late.push(Math.max(0, nowMs - dueMs));
    if (at.length > 2 * kept) {
      at.splice(0, kept);
      late.splice(0, kept);
    }
    dueMs = nowMs + tickMs;
  }, tickMs);
  timer.unref();
  return {
    maxSinceMs: (sinceMs) => {
      // Whatever is overdue right now has not been recorded yet.
      let max = Math.max(0, monoMs() - dueMs);
      for (let i = at.length - 1; i >= 0 && (at[i] as number) >= sinceMs; i--) max = Math.max(max, late[i] as number);
      return max;
    },
    samples: () => late,
    stop: () => clearInterval(timer),
  };
}
