import type { Clock } from '../../src/wire/io.ts';

export interface VirtualClock extends Clock {
  /** Lets time pass, sleeper by sleeper, giving real I/O a chance in between while `isBusy` says that it is under way. */
  run(ms: number, isBusy?: () => boolean): Promise<void>;
  /** Moves the wall clock alone, as NTP or an operator does. */
  step(ms: number): void;
  /** Makes the process stand still: time passes and no sleeper wakes before its end. */
  freeze(ms: number): void;
  sleepers(): number;
}

interface Sleeper {
  dueMs: number;
  wake: () => void;
}

/** A clock whose time passes only when a test says so; any number may sleep on it at once. */
export function virtualClock(wallMs = Date.UTC(2026, 0, 2, 3, 4, 5)): VirtualClock {
  const sleepers = new Set<Sleeper>();
  let nowMs = 1000;
  let offsetMs = wallMs - nowMs;
  return {
    monoMs: () => nowMs,
    wallMs: () => nowMs + offsetMs,
    sleep: (ms, signal) =>
      new Promise((done, fail) => {
        if (signal?.aborted) return fail(signal.reason as Error);
        const sleeper: Sleeper = { dueMs: nowMs + Math.max(0, ms), wake: done };
        const end = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', abort);
        };
        const abort = () => {
          end();
          fail(signal?.reason as Error);
        };
        sleeper.wake = () => {
          end();
          done();
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', abort, { once: true });
      }),
    async run(ms, isBusy = () => false) {
      const untilMs = nowMs + ms;
      await settle(isBusy);
      for (;;) {
        const next = [...sleepers].reduce<Sleeper | undefined>((a, b) => (a && a.dueMs <= b.dueMs ? a : b), undefined);
        if (!next || next.dueMs > untilMs) break;
        nowMs = Math.max(nowMs, next.dueMs);
        next.wake();
        await settle(isBusy);
      }
      nowMs = Math.max(nowMs, untilMs);
    },
    step: (ms) => {
      offsetMs += ms;
    },
    freeze: (ms) => {
      nowMs += ms;
    },
    sleepers: () => sleepers.size,
  };
}

/** All that can run without time passing has run. */
async function settle(isBusy: () => boolean): Promise<void> {
  do for (let i = 0; i < 6; i++) await new Promise((done) => setImmediate(done));
  while (isBusy());
}
