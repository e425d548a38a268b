import { type Command, defineCommand, exitCode } from '../command.ts';
import { commandHelp, overview } from '../help.ts';
import { unknownCommand } from '../unknown-command.ts';

/** `inferpath help [command]`. Takes the list as a function, because the list holds this command too. */
export function helpCommand(list: () => Promise<readonly Command[]>): Command {
  return defineCommand({
    name: 'help',
    summary: 'List the commands, or explain one of them.',
    about: 'Without an argument lists the commands; with one prints the same as `inferpath <command> --help`.',
    positionals: { name: 'command', about: 'Command to explain.', min: 0, max: 1 },
    flags: {},
    examples: [{ line: 'inferpath help init', about: 'explains the command init.' }],
    run: async ({ positionals: [name], io }) => {
      const commands = await list();
      const command = commands.find((c) => c.name === name);
      if (name !== undefined && !command) throw unknownCommand(name, commands);
      io.terminal.out(command ? commandHelp(command, io.terminal.columns) : overview(commands, io.terminal.columns));
      return exitCode.ready;
    },
  });
}
