import type * as z from 'zod';
import { mistakeText, type Parsed } from '../gather/topology/parsed.ts';
import { printable } from '../model/outcome.ts';
import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';

/**
 * The text of a file that a flag or an argument names.
 * @throws UsageError naming the file and why it cannot be read
 */
export async function readInput(file: string, maxBytes: number, io: Io): Promise<string> {
  try {
    return await io.fs.readText(file, maxBytes);
  } catch (error) {
    throw new UsageError(
      `Cannot read "${printable(file, 300)}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

interface JsonInput<T> {
  schema: z.ZodType<T>;
  maxBytes: number;
  /** What such a file is, for messages: `allowed: …`. */
  allowed: string;
}

/** @returns the value, or what is wrong with the file */
async function readJsonInput<T>(
  file: string,
  { schema, maxBytes, allowed }: JsonInput<T>,
  io: Io,
): Promise<{ value: T } | { mistake: string }> {
  const wrong = (what: string) => ({ mistake: `${printable(file, 300)}: ${what}; allowed: ${allowed}` });
  let text: string;
  try {
    text = await io.fs.readText(file, maxBytes);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return wrong(`cannot be read: ${printable(code ?? message, 80)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return wrong('found no JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data };
  const [issue] = parsed.error.issues;
  // Keys of a file are as hostile as its values.
  return wrong(
    `${printable(issue?.path.join('.') || 'document', 60)}: ${printable(issue?.message ?? 'not understood')}`,
  );
}

/**
 * Saved JSON documents that a flag or arguments name, held against a schema.
 * @throws UsageError with the mistakes of all of them, each behind `flag` where there is one
 */
export async function readJsonInputs<T>(
  files: readonly string[],
  input: JsonInput<T>,
  io: Io,
  flag?: string,
): Promise<T[]> {
  const read = await Promise.all(files.map((file) => readJsonInput(file, input, io)));
  const mistakes = read.flatMap((one) => ('mistake' in one ? [one.mistake] : []));
  if (mistakes.length > 0)
    throw new UsageError(mistakes.map((one) => (flag === undefined ? one : `${flag}: ${one}`)).join('\n'));
  return read.flatMap((one) => ('value' in one ? [one.value] : []));
}

/**
 * What an importer made of a file, with its notes as lines that name the place.
 * @throws UsageError with every mistake of the file
 */
export function parsedOrMistakes<T>(file: string, result: Parsed<T>, hint?: string): { value: T; notes: string[] } {
  if (!result.ok) throw new UsageError(result.mistakes.map((one) => mistakeText(file, one)).join('\n'), hint);
  return {
    value: result.value,
    notes: result.notes.map(({ line, message }) => `${printable(file, 300)}:${line}: ${message}`),
  };
}
