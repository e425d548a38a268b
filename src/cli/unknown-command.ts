import { printable } from '../model/outcome.ts';
import { type LazyCommand, UsageError } from './command.ts';
import { nearest } from './suggest.ts';

/** The mistake of a first argument that is no command. */
export function unknownCommand(name: string, commands: readonly Pick<LazyCommand, 'name'>[]): UsageError {
  const near = nearest(name, [...commands.map((c) => c.name), '--version', '--help']);
  const what = name.startsWith('-') ? 'unknown flag' : 'unknown command';
  return new UsageError(
    `"${printable(name, 60)}": ${what}${near ? `; did you mean ${near}?` : ''}`,
    'inferpath help lists the commands',
  );
}
