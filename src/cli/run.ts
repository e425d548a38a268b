import { printable } from '../model/outcome.ts';
import { withoutSecrets } from '../model/secrets.ts';
import type { Io } from '../wire/io.ts';
import { asksForHelp, parseArgs } from './args.ts';
import { type Command, type ExitCode, exitCode, type LazyCommand, UsageError } from './command.ts';
import { commands as allCommands, innerCommands } from './commands/index.ts';
import { commandHelp, overview } from './help.ts';
import { unknownCommand } from './unknown-command.ts';
import { version } from './version.ts';

/**
 * The whole command line as a function call: picks the command, reads its arguments, runs it and turns every error into
 * words on stderr and an exit code. Never throws.
 */
export async function runCli(
  argv: readonly string[],
  io: Io,
  commands: readonly (Command | LazyCommand)[] = allCommands,
): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h')
    return print(io, overview(await Promise.all(commands.map(loaded)), io.terminal.columns));
  if (name === '--version' || name === '-V') return print(io, `inferpath ${version}\n`);
  const found = [...commands, ...innerCommands].find((c) => c.name === name);
  if (!found) return report(unknownCommand(name, commands), undefined, io);
  const { command, argv: its } = await commandOf(found, rest);
  if (asksForHelp(its)) return print(io, commandHelp(named(command, its), io.terminal.columns));
  try {
    const { command: chosen, ...input } = parseArgs(command, its);
    return await chosen.run({ ...input, io });
  } catch (error) {
    return report(error, found, io);
  }
}

/** The command, or its one action that the line begins with, where that can be loaded without the others. */
async function commandOf(
  found: Command | LazyCommand,
  argv: readonly string[],
): Promise<{ command: Command; argv: readonly string[] }> {
  const [word = '', ...rest] = argv;
  const single = 'load' in found && Object.hasOwn(found.actions ?? {}, word) ? found.actions?.[word] : undefined;
  if (!single) return { command: await loaded(found), argv };
  const action = await single();
  return { command: { ...action, name: `${found.name} ${word}`, summary: action.about }, argv: rest };
}

/** For help: the action, or group of them, that a line names, whatever else is wrong on it. */
function named(command: Command, argv: readonly string[]): Command {
  const { actions = {} } = command;
  const at = argv.findIndex((word) => Object.hasOwn(actions, word));
  return at === -1 ? command : named(actions[argv[at]!]!, argv.slice(at + 1));
}

async function loaded(command: Command | LazyCommand): Promise<Command> {
  return 'load' in command ? command.load() : command;
}

function print(io: Io, text: string): ExitCode {
  io.terminal.out(text);
  return exitCode.ready;
}

function report(error: unknown, command: { name: string } | undefined, io: Io): ExitCode {
  // Messages repeat what was typed, and systems what they were given.
  const err = (text: string) => io.terminal.err(withoutSecrets(text));
  const prefix = command ? `inferpath ${command.name}` : 'inferpath';
  if (error instanceof UsageError) {
    err(`${mistakeLines(error, prefix)}\n${error.hint ? `hint: ${error.hint}\n` : ''}`);
    return exitCode.usage;
  }
  if (io.signals.interrupted.aborted && isAbort(error, io)) {
    io.terminal.err(`${prefix}: interrupted\n`);
    return exitCode.interrupted;
  }
  err(`${prefix}: ${errorWords(error)}\n`);
  if (io.env['INFERPATH_DEBUG'] === '1' && error instanceof Error) err(`${error.stack ?? ''}\n`);
  else io.terminal.err('hint: INFERPATH_DEBUG=1 shows where this came from\n');
  return exitCode.couldNotMeasure;
}

function mistakeLines(error: UsageError, prefix: string): string {
  // Places stand at the line begin, where editors and terminals make links of them.
  if (error.heading !== undefined) return `${prefix}: ${error.heading}\n${error.message}`;
  return error.message
    .split('\n')
    .map((line) => `${prefix}: ${line}`)
    .join('\n');
}

function isAbort(error: unknown, io: Io): boolean {
  return error === io.signals.interrupted.reason || (error instanceof Error && error.name === 'AbortError');
}

/** An error as one line with its operation and address, where it has them: `open "x.html" failed: EACCES …`. */
export function errorWords(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error), 500);
  const { syscall, code, address, port, path } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const host = address?.includes(':') ? `[${address}]` : address;
  const where = path ?? (host === undefined || port === undefined ? host : `${host}:${port}`);
  const message = printable(error.message, 500);
  if (!syscall || !code) return message;
  return `${syscall}${where === undefined ? '' : ` "${printable(where)}"`} failed: ${code} (${message})`;
}
