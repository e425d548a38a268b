import { type Command, defineCommand, exitCode, UsageError } from '../command.ts';
import { completionScript } from '../completion.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `inferpath completion <shell>`. Takes the list as a function, because the list holds this command too. */
export function completionCommand(list: () => Promise<readonly Command[]>): Command {
  return defineCommand({
    name: 'completion',
    summary: 'Print a script that completes commands and flags in your shell.',
    about: 'Prints a completion script for bash, zsh or fish, made from the same tables as this help.',
    positionals: { name: 'shell', about: 'bash, zsh or fish', min: 1, max: 1 },
    flags: {},
    examples: [
      { line: 'source <(inferpath completion bash)', about: 'in ~/.bashrc; the same with zsh in ~/.zshrc.' },
      { line: 'inferpath completion fish | source', about: 'in ~/.config/fish/config.fish.' },
    ],
    run: async ({ positionals: [name], io }) => {
      const shell = shells.find((s) => s === name);
      if (!shell) throw new UsageError(`<shell>: found "${name}"; allowed: ${shells.join(', ')}`);
      io.terminal.out(completionScript(shell, await list()));
      return exitCode.ready;
    },
  });
}
