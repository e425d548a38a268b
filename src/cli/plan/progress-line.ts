import { clip } from '../../report/ansi.ts';
import { num } from '../../report/format.ts';
import type { Io } from '../../wire/io.ts';

const redrawMs = 100;
/** Where stderr is no terminal, a line this often: for logs of long searches. */
const logMs = 30_000;

/** How far a search is, on stderr from the second second on: one line that is redrawn, or lines now and then where it is no terminal. */
export function progressLine(io: Io, what: string) {
  const beganMs = io.clock.monoMs();
  const isTty = io.terminal.stderrIsTty;
  let nextMs = beganMs + (isTty ? 1000 : logMs);
  let drawn = false;
  let first: { done: number; atMs: number } | null = null;
  return {
    show: (done: number, total: number) => {
      const nowMs = io.clock.monoMs();
      first ??= { done, atMs: nowMs };
      if (nowMs < nextMs) return;
      nextMs = nowMs + (isTty ? redrawMs : logMs);
      const line = `${done}/${total} ${what} (${Math.floor((100 * done) / total)} %)${leftText(first, done, total, nowMs)}`;
      io.terminal.err(isTty ? `\r\u001b[2K${clip(line, Math.max(20, io.terminal.columns - 3))}` : `${line}\n`);
      drawn = isTty;
    },
    end: () => {
      if (drawn) io.terminal.err('\r\u001b[2K');
    },
  };
}

/** The time that is left at the pace so far. */
function leftText(first: { done: number; atMs: number }, done: number, total: number, nowMs: number): string {
  if (done <= first.done) return '';
  const leftS = ((nowMs - first.atMs) / 1000 / (done - first.done)) * (total - done);
  return leftS >= 100 ? `, about ${num(leftS / 60)} min left` : `, about ${num(Math.ceil(leftS))} s left`;
}
