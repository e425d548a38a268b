import type { z } from 'zod';
import type { Io } from '../wire/io.ts';

/** Exit codes of every command; documented in docs/exit-codes.md. */
export const exitCode = { ready: 0, notReady: 1, usage: 2, couldNotMeasure: 3, interrupted: 130 } as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** One flag: a zod schema says type, default and range; the metadata says how it looks on a command line. */
export interface Flag<Schema extends z.ZodType = z.ZodType> {
  /** Applied to the text after the flag (coerce numbers here), or to a boolean for switches. */
  schema: Schema;
  /** One sentence: what, unit, default. */
  about: string;
  /** Placeholder for the value in help, e.g. `MS`; absent for switches (no value, `--no-x` turns off). */
  value?: string;
  short?: string;
  /** May be given several times; the schema then receives an array of texts. */
  repeated?: true;
  /** Heading in help; flags without one come first. */
  group?: string;
}

export type FlagTable = Record<string, Flag>;
export type FlagValues<F extends FlagTable> = { [K in keyof F]: z.output<F[K]['schema']> };

/**
 * One command of the CLI: one file in commands/, one line in commands/index.ts. Help, argument parsing, shell completion and
 * docs/reference/cli.md all come from this value.
 */
export interface Command<F extends FlagTable = FlagTable> {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** One or two paragraphs for `--help`. */
  about: string;
  positionals?: { name: string; about: string; min: number; max: number };
  flags: F;
  /** Command lines with what each does; at least one, shown at the end of help. */
  examples: readonly { line: string; about: string }[];
  /** Everything after a bare `--` arrives in `rest`. */
  acceptsRest?: true;
  run(input: { flags: FlagValues<F>; positionals: string[]; rest: string[]; io: Io }): Promise<ExitCode>;
}

/** A command before it is needed. */
export interface LazyCommand {
  name: string;
  load(): Promise<Command>;
}

/** Keeps the flag types of a literal command. */
export function defineCommand<const F extends FlagTable>(command: Command<F>): Command<F> {
  return command;
}

/** What the user did wrong: printed as `inferpath <command>: <message>` plus the hint, exit code 2, no stack. */
export class UsageError extends Error {
  readonly hint: string | undefined;
  /** Where the lines of the message begin with places in a file: what is wrong as a whole, for the line above them. */
  readonly heading: string | undefined;
  constructor(message: string, hint?: string, heading?: string) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
    this.heading = heading;
  }
}
