import type * as z from 'zod';
import { printable } from '../../../model/outcome.ts';
import { keyOf, type Mistake, placeAt, placeOf } from '../json-place.ts';

/** A file by the name that the user gave. */
export interface NamedText {
  name: string;
  text: string;
}

/** Longest file that is read: several times the largest published topology. */
const MAX_LENGTH = 64_000_000;
/** Mistakes of one file that are told. */
const MAX_MISTAKES = 20;

export type Reading<T> = { ok: true; value: T } | { ok: false; mistakes: Mistake[] };

/** Parses a JSON file and checks it; every mistake with its line and key. Never throws. */
export function readJson<T>({ name, text }: NamedText, schema: z.ZodType<T>): Reading<T> {
  if (text.length > MAX_LENGTH)
    return {
      ok: false,
      mistakes: [{ file: name, line: 1, column: 1, key: '', message: `is longer than ${MAX_LENGTH} characters` }],
    };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { ok: false, mistakes: [syntaxMistake(name, text, error)] };
  }
  const checked = schema.safeParse(parsed);
  if (checked.success) return { ok: true, value: checked.data };
  const mistakes = checked.error.issues
    .slice(0, MAX_MISTAKES)
    .map((issue) => mistakeAt({ name, text }, issue.path, issue.message));
  return { ok: false, mistakes };
}

export function mistakeAt({ name, text }: NamedText, path: readonly PropertyKey[], message: string): Mistake {
  return { file: name, ...placeOf(text, path), key: printable(keyOf(path), 120), message: printable(message, 300) };
}

/** JSON.parse tells the place as an offset, as line and column, or not at all, depending on the version of the engine. */
function syntaxMistake(file: string, text: string, error: unknown): Mistake {
  const words = error instanceof Error ? error.message : String(error);
  const offset = /at position (\d+)/.exec(words);
  const place = placeAt(text, offset ? Number(offset[1]) : endOfInput(words) ? text.length : 0);
  return {
    file,
    ...place,
    key: '',
    message: `is not JSON: ${printable(words.replace(/ in JSON at position.*| at position.*/s, ''), 120)}`,
  };
}

function endOfInput(words: string): boolean {
  return words.includes('end of JSON input') || words.includes('Unterminated');
}
