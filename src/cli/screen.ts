import { cells, clipStyled } from '../report/ansi.ts';
import type { Io } from '../wire/io.ts';

/**
 * Live views on a terminal, on stderr: stdout stays for results. Nothing is drawn twice: a frame writes only the lines that
 * changed, inside one synchronised update where the terminal knows that, at most ten times a second, and never a line that
 * would wrap. On what is no terminal both views are silent.
 */
export interface View {
  /** What is shown has changed: draws now, or soon when the last frame is fresh. */
  changed(): void;
  /** Takes the view away and gives the terminal back. */
  end(): void;
}

/** Lines for a view of this size; more lines than rows are cut off below. */
export type Draw = (size: { columns: number; rows: number }) => readonly string[];

const frameMs = 100;
const esc = '\u001b[';
const hideCursor = `${esc}?25l`;
const showCursor = `${esc}?25h`;
const beginUpdate = `${esc}?2026h`;
const endUpdate = `${esc}?2026l`;
const clearRight = `${esc}K`;
const clearBelow = `${esc}J`;
const silent: View = { changed: () => undefined, end: () => undefined };

/** True where a full-screen view with keys can be had: the user sees stderr and types on stdin, and the terminal can draw. */
export function canFillScreen({ terminal, env }: Io): boolean {
  return terminal.stderrIsTty && terminal.stdinIsTty && env['TERM'] !== 'dumb';
}

/** The whole terminal, on its second buffer: what was there before is there again afterwards. Keys go to `key` by their names. */
export function fullScreen(io: Io, draw: Draw, key: (name: string) => void): View {
  if (!canFillScreen(io)) return silent;
  const paint = (before: readonly string[], after: readonly string[]) => {
    let out = '';
    for (let row = 0; row < Math.max(before.length, after.length); row++)
      if (before[row] !== after[row]) out += `${esc}${row + 1};1H${after[row] ?? ''}${clearRight}`;
    return out;
  };
  const hold = { enter: `${esc}?1049h${hideCursor}`, leave: `${showCursor}${esc}?1049l`, key };
  return view(io, { draw, paint, wipe: `${esc}2J`, hold, roomBelow: 0, roomRight: 0 });
}

/**
 * A block of lines that is redrawn where the cursor stands, for commands that go on printing below. Goes away at its end.
 * The last cells of a line stay free: the terminal writes a Ctrl-C there, and what wraps cannot be redrawn.
 */
export function redrawnBlock(io: Io, draw: Draw): View {
  if (!io.terminal.stderrIsTty || io.env['TERM'] === 'dumb') return silent;
  // The cursor always rests at the begin of the first line below the block.
  const paint = (before: readonly string[], after: readonly string[]) => {
    let out = before.length > 0 ? `${esc}${before.length}A` : '';
    for (const [row, line] of after.entries()) out += line === before[row] ? '\r\n' : `\r${line}${clearRight}\r\n`;
    return after.length < before.length ? `${out}${clearBelow}` : out;
  };
  const hold = { enter: hideCursor, leave: showCursor };
  return view(io, { draw, paint, wipe: null, hold, roomBelow: 1, roomRight: 3 });
}

interface ViewParts {
  draw: Draw;
  /** The sequence that turns the lines on the terminal into the new ones. */
  paint: (before: readonly string[], after: readonly string[]) => string;
  /** Clears everything before a complete redraw; null: what is known to be there is painted over. */
  wipe: string | null;
  hold: { enter: string; leave: string; key?: (name: string) => void };
  roomBelow: number;
  roomRight: number;
}

function view(io: Io, { draw, paint, wipe, hold, roomBelow, roomRight }: ViewParts): View {
  let shown: readonly string[] = [];
  let drawnMs = -Infinity;
  let timer: NodeJS.Timeout | null = null;
  let ended = false;
  let drawnFor = { columns: 0, rows: 0 };

  const frame = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    drawnMs = io.clock.monoMs();
    const { columns, rows } = io.terminal;
    drawnFor = { columns, rows };
    const size = { columns: Math.max(1, columns - roomRight), rows: Math.max(1, rows - roomBelow) };
    const lines = draw(size)
      .slice(0, size.rows)
      .map((line) => clipStyled(line, size.columns));
    if (shown.length === lines.length && lines.every((line, i) => line === shown[i])) return;
    io.terminal.err(`${beginUpdate}${paint(shown, lines)}${endUpdate}`);
    shown = lines;
  };
  const redraw = () => {
    if (ended) return;
    const { columns, rows } = io.terminal;
    const isResized = columns !== drawnFor.columns || rows !== drawnFor.rows;
    if (wipe !== null) io.terminal.err(wipe);
    // Terminals break lines anew when they become narrower. At the same size it was somebody else who wrote below us, as a
    // shell does when it stops and continues a job: what stands there is theirs.
    else if (isResized && shown.length > 0) io.terminal.err(`${esc}${brokenRows(shown, columns)}A\r${clearBelow}`);
    shown = [];
    frame();
  };
  const release = io.terminal.takeOver({ ...hold, redraw });
  return {
    changed: () => {
      if (ended || timer) return;
      const waitMs = drawnMs + frameMs - io.clock.monoMs();
      if (waitMs <= 0) frame();
      else {
        timer = setTimeout(() => !ended && frame(), waitMs);
        timer.unref();
      }
    },
    end: () => {
      if (ended) return;
      ended = true;
      if (timer) clearTimeout(timer);
      if (wipe === null && shown.length > 0) io.terminal.err(`${esc}${shown.length}A\r${clearBelow}`);
      release();
    },
  };
}

/** Rows that lines take on a terminal that became this wide. */
function brokenRows(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(cells(line) / Math.max(1, columns))), 0);
}
