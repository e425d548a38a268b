import type { SessionProgress } from '../measure/inference/session.ts';
import type { Exchange } from '../measure/inference/exchange.ts';
import { describeOutcome } from '../model/outcome.ts';
import { clip } from '../report/ansi.ts';
import type { Io } from '../wire/io.ts';
import type { AssessProgress } from './assess-run.ts';

const redrawMs = 100;
const strip = '▁▂▃▄▅▆▇█';

/** Room for one redrawn line: the terminal echoes a Ctrl-C as two cells behind it, and what wraps cannot be redrawn. */
function lineCells(io: Io): number {
  return Math.max(20, io.terminal.columns - 3);
}

/** What is shown on stderr while requests run: nothing when it is no terminal, else one line that is redrawn. */
export function liveRequests(total: number, io: Io, label = ''): { progress: SessionProgress; end(): void } {
  if (!io.terminal.stderrIsTty)
    return { progress: { started: () => undefined, finished: () => undefined }, end: () => undefined };
  let done = 0;
  let inFlight = 0;
  let last = '';
  let drawnMs = -Infinity;
  const draw = (force: boolean) => {
    const nowMs = io.clock.monoMs();
    if (!force && nowMs - drawnMs < redrawMs) return;
    drawnMs = nowMs;
    const line = `${label}${done}/${total} requests, ${inFlight} in flight${last}`;
    io.terminal.err(`\r\u001b[2K${clip(line, lineCells(io))}`);
  };
  const timer = setInterval(() => draw(true), 500);
  timer.unref();
  return {
    progress: {
      started: () => {
        inFlight++;
        draw(false);
      },
      finished: (exchange, outcome, count) => {
        inFlight--;
        done = count;
        last = `  ${exchange && outcome.kind === 'answered' ? glimpse(exchange) : describeOutcome(outcome)}`;
        draw(false);
      },
    },
    end: () => {
      clearInterval(timer);
      io.terminal.err('\r\u001b[2K');
    },
  };
}

/** The last request in a line: set-up, wait, stream, and the pace of its tokens. */
function glimpse(exchange: Exchange): string {
  const first = exchange.tokens[0];
  const last = exchange.tokens.at(-1);
  if (!first || !last) return '';
  const parts = [
    exchange.reused ? null : `set-up ${(exchange.handedMs - exchange.startMs).toFixed(0)}`,
    `first token ${(first.atMs - exchange.startMs).toFixed(0)}`,
    `stream ${(last.atMs - first.atMs).toFixed(0)} ms`,
  ];
  return `${parts.filter(Boolean).join(' · ')}  ${cadence(exchange.tokens.map((t) => t.atMs))}`;
}

/** One character per gap, the longest gap full height; at most 40. */
function cadence(at: readonly number[]): string {
  const gaps = at.slice(1).map((ms, i) => ms - (at[i] as number));
  const shown = gaps.slice(-40);
  const longest = Math.max(1, ...shown);
  return shown.map((gap) => strip[Math.min(7, Math.floor((gap / longest) * 7.99))]).join('');
}

/** What is shown on stderr while an assessment runs: one redrawn line on a terminal, else a line every ten seconds. */
export function liveEndpoints(names: readonly string[], io: Io): { progress: AssessProgress; end(): void } {
  const beganMs = io.clock.monoMs();
  const state = new Map(names.map((name) => [name, 'waiting']));
  const tty = io.terminal.stderrIsTty;
  const draw = () => {
    const seconds = Math.round((io.clock.monoMs() - beganMs) / 1000);
    const line = `${seconds} s  ${[...state].map(([name, what]) => `${name} ${what}`).join(' · ')}`;
    if (tty) io.terminal.err(`\r\u001b[2K${clip(line, lineCells(io))}`);
    else io.terminal.err(`${line}\n`);
  };
  const timer = setInterval(draw, tty ? 250 : 10_000);
  timer.unref();
  return {
    progress: {
      step: (endpoint, what) => {
        state.set(endpoint, what);
      },
      requests: (endpoint, done, total) => {
        state.set(endpoint, `${done}/${total}`);
      },
    },
    end: () => {
      clearInterval(timer);
      if (tty) io.terminal.err('\r\u001b[2K');
    },
  };
}
