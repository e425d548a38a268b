import { printable } from '../../model/outcome.ts';

/** One thing wrong in a file. Lines count from 1; `key` names the field as the format's own description does. */
export interface Mistake {
  line: number;
  key: string;
  message: string;
}

/** Something that was read in one of several ways, or left out: no mistake, but the reader should know. */
export interface Note {
  line: number;
  message: string;
}

export type Parsed<T> = { ok: true; value: T; notes: Note[] } | { ok: false; mistakes: Mistake[] };

/** Mistakes that are told one by one; the rest is counted. */
const maxMistakes = 20;

/** Rows of one kind that one file may have: a hundred times the largest public data set. */
export const maxRows = 2_000_000;

export interface Findings {
  mistake(line: number, key: string, message: string): void;
  note(line: number, message: string): void;
  /** True once a mistake was seen. */
  failed(): boolean;
  /** The value, or the mistakes when there are some. */
  result<T>(make: () => T): Parsed<T>;
}

/** Collects what is wrong with a file. Bounded: after twenty mistakes they are only counted. */
export function startFindings(): Findings {
  const mistakes: Mistake[] = [];
  const notes: Note[] = [];
  let more = 0;
  return {
    mistake: (line, key, message) => {
      if (mistakes.length < maxMistakes) mistakes.push({ line, key, message });
      else more++;
    },
    note: (line, message) => {
      if (notes.length < maxMistakes) notes.push({ line, message });
    },
    failed: () => mistakes.length > 0,
    result: (make) => {
      if (mistakes.length === 0) return { ok: true, value: make(), notes };
      mistakes.sort((a, b) => a.line - b.line);
      const last = mistakes.at(-1)!;
      if (more > 0) mistakes.push({ line: last.line, key: 'file', message: `and ${more} more mistakes` });
      return { ok: false, mistakes };
    },
  };
}

/** `abilene.txt:34: LINKS capacity: found "x"; allowed: a number ≥ 0` */
export function mistakeText(file: string, { line, key, message }: Mistake): string {
  return `${printable(file, 300)}:${line}: ${printable(key, 80)}: ${message}`;
}

/** What was found instead, short and printable. */
export function found(text: string | undefined): string {
  return text === undefined ? 'found nothing' : `found ${JSON.stringify(printable(text, 60))}`;
}

/** A plain decimal number, or null: no hexadecimal, no Infinity, no empty text. */
export function decimal(text: string | undefined): number | null {
  if (text === undefined || text.length > 40 || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text))
    return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
