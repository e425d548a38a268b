import { allowedByFlag, flagSchema } from '../../src/cli/args.ts';
import type { Command, Flag } from '../../src/cli/command.ts';
import { actionRows, flagGroups, flagUsage, usageLine } from '../../src/cli/help.ts';
import { code, generatedNote, table } from './markdown.ts';

/** docs/reference/cli.md: every command with its flags, from the values that parse the command line. */
export function cliReference(commands: readonly Command[]): string {
  const parts = [
    generatedNote,
    '# Command line',
    'Everything `inferpath <command> --help` says, on one page. Exit codes are in [exit-codes.md](../exit-codes.md).',
    commands.map((c) => `- [${c.name}](#${c.name}): ${c.summary.replace(/\.$/, '')}`).join('\n'),
    'Values follow their flag after a space or `=`; switches are turned off by `--no-…`; `--help` and `-h` work everywhere.',
    ...commands.flatMap(commandParts),
  ];
  return `${parts.join('\n\n')}\n`;
}

function commandParts(command: Command): string[] {
  const { positionals, actions } = command;
  return [
    `## ${command.name}`,
    `\`\`\`\n${usageLine(command)}\n\`\`\``,
    command.about,
    ...(actions
      ? [
          table(
            ['Action', 'What'],
            actionRows(actions).map(([call, about]) => [code(call), about]),
          ),
        ]
      : []),
    ...(positionals ? [`**\`<${positionals.name}>\`**: ${positionals.about}`] : []),
    ...[...flagGroups(command)].flatMap(([group, flags]) => [
      ...(group === 'Flags' ? [] : [`**${group}**`]),
      table(['Flag', 'Allowed', 'Default', 'What'], flags.map(flagRow)),
    ]),
    `\`\`\`sh\n${command.examples.map((e) => `# ${e.about}\n${e.line}`).join('\n')}\n\`\`\``,
  ];
}

function flagRow([key, flag]: [string, Flag]): string[] {
  const allowed = flag.value === undefined ? 'switch' : allowedByFlag(flag);
  return [code(flagUsage(key, flag)), allowed, defaultOf(flag), flag.about];
}

function defaultOf(flag: Flag): string {
  const given = flag.schema.safeParse(undefined);
  const value: unknown = given.success ? given.data : undefined;
  if (!given.success) return 'required';
  if (value === true) return 'on';
  if (value === undefined || typeof value === 'boolean' || (Array.isArray(value) && value.length === 0)) return '';
  // Transformed values are no longer what a user types; those tell their default in their own words.
  const typed = flagSchema(flag).default ?? value;
  const isPlain = typeof typed === 'string' || typeof typed === 'number';
  return isPlain ? code(String(typed)) : '';
}
