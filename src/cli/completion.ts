import { flagName, flagSchema } from './args.ts';
import { type Command, type Flag, runnable } from './command.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** A shell script that completes commands, actions, flags and the values of flags that have a fixed set; files elsewhere. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return shell === 'fish' ? fishScript(commands) : bashScript(commands, shell);
}

/** zsh reads the completion of bash after bashcompinit. */
function bashScript(commands: readonly Command[], shell: Shell): string {
  const names = commands.map((c) => c.name).join(' ');
  const lines = [
    ...(shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_inferpath() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" at="${COMP_WORDS[1]}"',
    '  COMPREPLY=()',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${names} --help --version" -- "$word"))`,
    '    return',
    '  fi',
    ...bashActions(commands),
    '  case "$at $before" in',
    ...runnable(commands).flatMap((c) =>
      valueSets(c).map(({ name, values }) => bashCase(`"${c.name} ${name}"`, values)),
    ),
    `    "help "*) COMPREPLY=($(compgen -W "${names}" -- "$word")); return ;;`,
    '  esac',
    '  case "$at $word" in',
    ...runnable(commands).map((c) => bashCase(`"${c.name} -"*`, flagNames(c))),
    '  esac',
    '}',
    'complete -o default -F _inferpath inferpath',
  ];
  return `${lines.join('\n')}\n`;
}

/** Offers the actions of a command as second word, those of a group as third; after that, what counts is all of these words. */
function bashActions(commands: readonly Command[], depth = 2): string[] {
  const withActions = commands.filter(({ actions }) => actions);
  if (withActions.length === 0) return [];
  const cases = withActions.flatMap(({ name, actions = {} }) => [
    bashCase(`"${name} ${depth}"`, [...Object.keys(actions), '--help']),
    `    "${name} "*) at="$at \${COMP_WORDS[${depth}]}" ;;`,
  ]);
  const inner = withActions.flatMap(({ actions = {} }) => Object.values(actions));
  return ['  case "$at $COMP_CWORD" in', ...cases, '  esac', ...bashActions(inner, depth + 1)];
}

function bashCase(pattern: string, words: readonly string[]): string {
  return `    ${pattern}) COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$word")); return ;;`;
}

function fishScript(commands: readonly Command[]): string {
  const names = commands.map((c) => c.name).join(' ');
  const line = (words: string) => `complete -c inferpath ${words}`;
  const lines = [
    ...commands.map((c) => line(`-n __fish_use_subcommand -f -a ${c.name} -d ${quoted(c.summary)}`)),
    line(`-n '${fishSeen('help')}' -f -a '${names}'`),
    ...commands.flatMap(fishActions).map(line),
    ...runnable(commands).flatMap(({ name, flags }) =>
      Object.entries(flags).map(([key, flag]) => line(`-n '${fishSeen(...name.split(' '))}' ${fishFlag(key, flag)}`)),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** The condition that all of these stand on the line. */
const fishSeen = (...words: string[]): string =>
  words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');

function fishActions({ name, actions = {} }: Command): string[] {
  const open = `${fishSeen(...name.split(' '))}; and not ${fishSeen(Object.keys(actions).join(' '))}`;
  return Object.entries(actions).flatMap(([word, action]) => [
    `-n '${open}' -f -a ${word} -d ${quoted(action.about.split('\n')[0]!)}`,
    ...fishActions(action),
  ]);
}

function fishFlag(key: string, flag: Flag): string {
  const values = fixedValues(flag);
  const takes = flag.value === undefined ? '' : values.length > 0 ? ` -x -a '${values.join(' ')}'` : ' -r';
  return `-l ${flagName(key).slice(2)}${flag.short ? ` -s ${flag.short}` : ''}${takes} -d ${quoted(flag.about)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function flagNames(command: Command): string[] {
  const names = Object.entries(command.flags).flatMap(([key, flag]) =>
    flag.value === undefined ? [flagName(key), `--no-${flagName(key).slice(2)}`] : [flagName(key)],
  );
  return [...names, '--help'];
}

function valueSets(command: Command): { name: string; values: string[] }[] {
  return Object.entries(command.flags)
    .map(([key, flag]) => ({ name: flagName(key), values: fixedValues(flag) }))
    .filter(({ values }) => values.length > 0);
}

function fixedValues(flag: Flag): string[] {
  if (flag.value === undefined) return [];
  const schema = flagSchema(flag);
  const values = [schema, ...(schema.anyOf ?? [])].flatMap((s) => [...(s.enum ?? []), s.const]);
  return values.filter((v) => typeof v === 'string');
}
