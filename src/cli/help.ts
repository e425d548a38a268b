import { flagName } from './args.ts';
import { actionsOf, actionsWith, type Command, type Flag } from './command.ts';

const maxHelpColumns = 100;

/** The screen of `inferpath <command> [action] --help`: usage, about, flags by group, examples last. */
export function commandHelp(command: Command, columns: number): string {
  const width = Math.min(Math.max(columns, 40), maxHelpColumns);
  const parts = [`Usage: ${usageLine(command)}`, wrap(command.about, width, '')];
  if (command.actions) parts.push(section('Actions', actionRows(command.actions), width));
  if (command.positionals)
    parts.push(section('Arguments', [[`<${command.positionals.name}>`, command.positionals.about]], width));
  for (const [group, flags] of flagGroups(command)) parts.push(section(group, flags.map(flagRow), width));
  const examples = command.examples.map((e) => `  ${e.line}\n${wrap(e.about, width, '      ')}`);
  if (examples.length > 0) parts.push(`Examples:\n${examples.join('\n')}`);
  return `${parts.join('\n\n')}\n`;
}

/** `inferpath infer <url> [flags]`. */
export function usageLine(command: Command): string {
  const words = ['inferpath', command.name, ...argumentWords(command)];
  if (Object.keys(command.flags).length > 0) words.push('[flags]');
  if (command.acceptsRest) words.push('[-- command …]');
  return words.join(' ');
}

function argumentWords({ positionals: p, actions, whole }: Command): string[] {
  if (actions && whole) return ['[action]', ...argumentWords(whole)];
  if (actions)
    return Object.values(actions).some((action) => action.positionals ?? action.actions)
      ? ['<action> …']
      : ['<action>'];
  return p ? [`${p.min > 0 ? `<${p.name}>` : `[${p.name}]`}${p.max > 1 ? ' …' : ''}`] : [];
}

/** `show <id>` and what it does. */
export function actionRows(actions: Readonly<Record<string, Command>>): [string, string][] {
  return Object.entries(actions).map(([word, action]) => [[word, ...argumentWords(action)].join(' '), action.about]);
}

/** Flags by heading, those without one first; a flag of some actions only stands under a heading that names them. */
export function flagGroups(command: Command): Map<string, [string, Flag][]> {
  const groups = new Map<string, [string, Flag][]>();
  const entries = Object.entries(command.flags);
  const ungrouped = entries.filter(([, flag]) => flag.group === undefined);
  for (const [key, flag] of [...ungrouped, ...entries.filter(([, flag]) => flag.group !== undefined)]) {
    const heading = `${flag.group ?? 'Flags'}${ofActions(key, command)}`;
    groups.set(heading, [...(groups.get(heading) ?? []), [key, flag]]);
  }
  return groups;
}

function ofActions(key: string, command: Command): string {
  const { whole } = command;
  const words = actionsWith(key, command);
  if (whole && words.length === 0) return ' (without an action)';
  const isOfAll = words.length === actionsOf(command).length && (!whole || Object.hasOwn(whole.flags, key));
  return isOfAll ? '' : ` (${words.join(', ')})`;
}

/** `-n, --requests N`, as it stands in help and in the reference; a switch that is on by default shows how to turn it off. */
export function flagUsage(key: string, flag: Flag): string {
  const name = flagName(key);
  const isOn = flag.value === undefined && flag.schema.safeParse(undefined).data === true;
  const long = isOn ? `--[no-]${name.slice(2)}` : `${name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
  return `${flag.short ? `-${flag.short}, ` : ''}${long}${flag.repeated ? ' …' : ''}`;
}

function flagRow([key, flag]: [string, Flag]): [string, string] {
  return [flagUsage(key, flag), flag.about];
}

/** The screen of `inferpath` and `inferpath help`: what it is and the commands. */
export function overview(commands: readonly Command[], columns: number): string {
  const width = Math.min(Math.max(columns, 40), maxHelpColumns);
  const first = commands[0] ? `inferpath ${commands[0].name} --help` : 'inferpath --help';
  return [
    'inferpath: is my network ready for AI inference, and if not, what exactly do I change?',
    'Usage: inferpath <command> [arguments] [flags]',
    section(
      'Commands',
      commands.map((c) => [c.name, c.summary.replace(/\.$/, '')]),
      width,
    ),
    section(
      'Everywhere',
      [
        ['--help, -h', 'What a command does, its flags and examples.'],
        ['--version', 'The version of inferpath.'],
      ],
      width,
    ),
    `Begin with \`inferpath init\`, then \`inferpath assess\`; \`${first}\` tells more.\n`,
  ].join('\n\n');
}

function section(heading: string, rows: readonly (readonly [string, string])[], width: number): string {
  const column = Math.min(Math.max(...rows.map(([left]) => left.length)), 30) + 4;
  const lines = rows.map(([left, right]) => {
    const text = wrap(right, width, ' '.repeat(column));
    // A left half that is too long for its column stands on a line of its own.
    return left.length + 4 > column ? `  ${left}\n${text}` : `  ${left.padEnd(column - 2)}${text.trimStart()}`;
  });
  return `${wrap(`${heading}:`, width, '')}\n${lines.join('\n')}`;
}

/** Text broken into lines of at most `width` columns, each beginning with `indent`; blank lines stay. */
export function wrap(text: string, width: number, indent: string): string {
  const paragraphs = text.split(/\n\s*\n/).map((paragraph) => {
    const lines: string[] = [];
    let line = indent;
    for (const word of paragraph.split(/\s+/).filter(Boolean)) {
      if (line.length > indent.length && line.length + 1 + word.length > width) {
        lines.push(line);
        line = indent;
      }
      line += line.length > indent.length ? ` ${word}` : word;
    }
    return [...lines, line].join('\n');
  });
  return paragraphs.join('\n\n');
}
