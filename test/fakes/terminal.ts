import { cells } from '../../src/report/ansi.ts';

/**
 * A terminal of a few sequences: those that src/cli/screen.ts writes, and no other. Anything else throws, so a view that
 * begins to need more has to say so here. Lines scroll as on a real one.
 */
export class FakeTerminal {
  readonly columns: number;
  readonly rows: number;
  lines: string[];
  scrolledOut: string[] = [];
  cursor = { row: 0, column: 0 };
  cursorIsVisible = true;
  #saved: { lines: string[]; cursor: { row: number; column: number } } | null = null;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.lines = Array.from({ length: rows }, () => '');
  }

  get onSecondBuffer(): boolean {
    return this.#saved !== null;
  }

  /** What is visible, without the empty lines at its end. */
  screen(): string[] {
    return this.lines.slice(0, this.lines.findLastIndex((line) => line !== '') + 1);
  }

  write(text: string): void {
    // oxlint-disable-next-line no-control-regex -- a terminal is about these
    for (const part of text.match(/\u001b\[[0-9;?]*[A-Za-z]|[\s\S]/gu) ?? []) {
      if (part.length > 1 && part.startsWith('\u001b')) this.#sequence(part.slice(2));
      else this.#character(part);
    }
  }

  #character(char: string): void {
    if (char === '\r') this.cursor.column = 0;
    else if (char === '\n') this.#lineFeed();
    else if (char < ' ') throw new Error(`control character ${JSON.stringify(char)}`);
    else {
      if (this.cursor.column + cells(char) > this.columns) throw new Error(`line ${this.cursor.row} wraps at ${char}`);
      const before = this.#upTo(this.cursor.column);
      const after = Array.from(this.lines[this.cursor.row]!)
        .slice(Array.from(before).length + 1)
        .join('');
      this.lines[this.cursor.row] = before + char + after;
      this.cursor.column += cells(char);
    }
  }

  #upTo(column: number): string {
    let out = '';
    for (const char of this.lines[this.cursor.row]!) {
      if (cells(out) >= column) break;
      out += char;
    }
    return out + ' '.repeat(Math.max(0, column - cells(out)));
  }

  #lineFeed(): void {
    if (this.cursor.row < this.rows - 1) this.cursor.row++;
    else {
      this.scrolledOut.push(this.lines.shift()!);
      this.lines.push('');
    }
  }

  #sequence(body: string): void {
    const n = Number(/^\d+/.exec(body)?.[0] ?? 1);
    const final = body.at(-1);
    if (body === '?2026h' || body === '?2026l' || final === 'm') return;
    if (body === '?25l' || body === '?25h') this.cursorIsVisible = body === '?25h';
    else if (body === '?1049h') {
      this.#saved = { lines: this.lines, cursor: this.cursor };
      this.lines = Array.from({ length: this.rows }, () => '');
      this.cursor = { row: 0, column: 0 };
    } else if (body === '?1049l') {
      if (!this.#saved) throw new Error('left a second buffer that was not entered');
      ({ lines: this.lines, cursor: this.cursor } = this.#saved);
      this.#saved = null;
    } else if (body === '2J') this.lines = this.lines.map(() => '');
    else if (body === 'J') {
      this.lines[this.cursor.row] = this.#upTo(this.cursor.column).trimEnd();
      this.lines.fill('', this.cursor.row + 1);
    } else if (body === 'K') this.lines[this.cursor.row] = this.#upTo(this.cursor.column).trimEnd();
    else if (final === 'A') this.cursor.row = Math.max(0, this.cursor.row - n);
    else if (final === 'H') this.cursor = { row: n - 1, column: 0 };
    else throw new Error(`unknown sequence ${body}`);
  }
}
