import type { Verdict } from '../model/finding.ts';
import type { Part } from './facts.ts';

export interface TextOptions {
  /** Width of the terminal in cells. */
  columns: number;
  /** Whether colour escape sequences may be written. */
  colors: boolean;
}

export type Paint = (text: string) => string;
export interface Palette {
  bold: Paint;
  dim: Paint;
  verdict: Record<Verdict, Paint>;
  part: Record<Part, Paint>;
}

// 256-colour indexes nearest to the colours of the HTML report: blues are network, orange server, purple client, grey open.
const partColor: Record<Part, number> = {
  dns: 153,
  tcp: 117,
  tls: 75,
  upload: 33,
  network: 32,
  undetermined: 246,
  server: 208,
  client: 176,
};

/** Functions that colour text, or leave it alone when colours are off. */
export function palette(colors: boolean): Palette {
  const sgr =
    (code: string): Paint =>
    (text) =>
      colors && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  const part = Object.fromEntries(Object.entries(partColor).map(([k, n]) => [k, sgr(`38;5;${n}`)])) as Record<
    Part,
    Paint
  >;
  return { bold: sgr('1'), dim: sgr('2'), verdict: { fail: sgr('1;31'), unknown: sgr('1;33'), pass: sgr('32') }, part };
}

const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const wide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
const none = /\p{M}|\p{Cf}/u;

/** Cells that a text takes in a terminal: colour sequences and combining marks none, East Asian wide characters and emoji two. */
export function cells(text: string): number {
  let n = 0;
  // Latin text, box drawing and blocks are nearly all of a report; the Unicode classes cost a hundred times more.
  const simple = (c: string) => c < '\u0300' || (c >= '\u2500' && c < '\u25fd');
  for (const c of text.replace(escapes, '')) n += simple(c) ? 1 : none.test(c) ? 0 : wide.test(c) ? 2 : 1;
  return n;
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cells(text)));
}

export function padLeft(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - cells(text))) + text;
}

/** Cuts a plain text to `width` cells, with an ellipsis where something is missing. */
export function clip(text: string, width: number): string {
  if (cells(text) <= width) return text;
  let out = '';
  for (const c of text) {
    if (cells(out + c) > width - 1) break;
    out += c;
  }
  return `${out}…`;
}

/** As `clip`, for text that may carry colour: sequences take no room, and none stays open behind the cut. */
export function clipStyled(text: string, width: number): string {
  if (!text.includes('\u001b')) return clip(text, width);
  if (cells(text) <= width) return text;
  let out = '';
  let used = 0;
  for (const part of text.split(new RegExp(`(${escapes.source})`))) {
    if (part.startsWith('\u001b')) {
      out += part;
      continue;
    }
    for (const c of part) {
      const taken = cells(c);
      if (used + taken > width - 1) return `${out}…\u001b[0m`;
      out += c;
      used += taken;
    }
  }
  return out;
}

/**
 * Breaks text at spaces into lines of at most `width` cells; a word longer than that is broken inside. A number stays
 * together with the unit behind it where the width allows.
 */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(2, width);
  const lines: string[] = [];
  let line = '';
  for (const word of glue(text).split(/ +/)) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (cells(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const c of word) {
      if (cells(line + c) > room) {
        lines.push(line);
        line = '';
      }
      line += c;
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines.map((l) => l.replaceAll('\u00a0', ' '));
}

/** Wraps with a prefix on the first line (it may carry colour) and an indent below it, as wide as the prefix unless given. */
export function hang(prefix: string, text: string, columns: number, indent = cells(prefix)): string[] {
  const [first = '', ...rest] = wrap(text, columns - cells(prefix));
  const below = indent === cells(prefix) ? rest : rest.length > 0 ? wrap(rest.join(' '), columns - indent) : [];
  return [prefix + first, ...below.map((l) => ' '.repeat(indent) + l)];
}

function glue(text: string): string {
  return text
    .replace(/(\d) (?=(ms|s|%|KB|MB|Mbit\/s|tokens)(?![\p{L}\d]))/gu, '$1\u00a0')
    .replace(/ = (?=\d)/g, '\u00a0=\u00a0');
}
