import { setImmediate as turn } from 'node:timers/promises';
import { clip } from '../../report/ansi.ts';
import { num } from '../../report/format.ts';
import type { Io } from '../../wire/io.ts';

/** What long computations of `plan` need: a signal for Ctrl-C and the time limit, and a line on stderr after the first second. */
export interface PlanProgress {
  signal: AbortSignal;
  show(text: string): void;
  /** Shows it and gives the event loop its turn, so that Ctrl-C is heard. */
  pause(text: string): Promise<void>;
  end(): void;
}

const redrawMs = 100;
/** Where stderr is no terminal, a line this often: for logs of long searches. */
const logMs = 30_000;

export function planProgress(io: Io, timeLimitS: number | undefined): PlanProgress {
  const { clock, terminal, signals } = io;
  const patience = new AbortController();
  const timer = timeLimitS === undefined ? undefined : setTimeout(() => patience.abort(), timeLimitS * 1000);
  timer?.unref();
  const isTty = terminal.stderrIsTty;
  const beganMs = clock.monoMs();
  let nextMs = beganMs + (isTty ? 1000 : logMs);
  let isDrawn = false;
  const show = (text: string) => {
    const nowMs = clock.monoMs();
    if (nowMs < nextMs) return;
    nextMs = nowMs + (isTty ? redrawMs : logMs);
    isDrawn = isTty;
    const line = `${((nowMs - beganMs) / 1000).toFixed(0)} s  ${text}`;
    terminal.err(isTty ? `\r\u001b[2K${clip(line, Math.max(20, terminal.columns - 3))}` : `${line}\n`);
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

/** Words for how far a count is, with the time that is left at the pace so far. */
export function counter(what: string, io: Io): (done: number, total: number) => string {
  let first: { done: number; atMs: number } | null = null;
  return (done, total) => {
    const nowMs = io.clock.monoMs();
    first ??= { done, atMs: nowMs };
    const text = `${done}/${total} ${what} (${Math.floor((100 * done) / total)} %)`;
    if (done <= first.done) return text;
    const leftS = ((nowMs - first.atMs) / 1000 / (done - first.done)) * (total - done);
    return `${text}, about ${leftS >= 100 ? `${num(leftS / 60)} min` : `${num(Math.ceil(leftS))} s`} left`;
  };
}
