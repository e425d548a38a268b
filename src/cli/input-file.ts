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
