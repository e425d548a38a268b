import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';

/**
 * Writes a report beside what is printed, and says so on stderr.
 * @throws UsageError naming the file and why it cannot be written
 */
export async function writeReport(path: string, text: string, io: Io): Promise<void> {
  try {
    await io.fs.writeText(path, text);
    io.terminal.err(`wrote ${path}\n`);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(`cannot write ${path}: ${reason}`);
  }
}
