import { setImmediate as turn } from 'node:timers/promises';
import { clip } from '../../report/ansi.ts';
import type { Io } from '../../wire/io.ts';

/** What long computations of `plan` need: a signal for Ctrl-C and the time limit, and a line on stderr after the first second. */
export interface PlanProgress {
  signal: AbortSignal;
  show(text: string): void;
  /** Shows it and gives the event loop its turn, so that Ctrl-C is heard. */
  pause(text: string): Promise<void>;
  end(): void;
}

export function planProgress(io: Io, timeLimitS: number | undefined): PlanProgress {
  const { clock, terminal, signals } = io;
  const patience = new AbortController();
  const timer = timeLimitS === undefined ? undefined : setTimeout(() => patience.abort(), timeLimitS * 1000);
  timer?.unref();
  const beganMs = clock.monoMs();
  let drawnMs = beganMs + 900;
  let isDrawn = false;
  const show = (text: string) => {
    const nowMs = clock.monoMs();
    if (!terminal.stderrIsTty || nowMs - drawnMs < 100) return;
    [drawnMs, isDrawn] = [nowMs, true];
    const line = `${((nowMs - beganMs) / 1000).toFixed(0)} s  ${text}`;
    terminal.err(`\r\u001b[2K${clip(line, Math.max(20, terminal.columns - 3))}`);
  };
  return {
    signal: AbortSignal.any([signals.interrupted, patience.signal]),
    show,
    pause: async (text) => {
      await turn();
      show(text);
    },
    end: () => {
      clearTimeout(timer);
      if (isDrawn) terminal.err('\r\u001b[2K');
      isDrawn = false;
    },
  };
}
