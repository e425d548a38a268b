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
  /** What stands there may be a secret: it is never repeated. */
  secret?: true;
  /** Heading in help; flags without one come first. */
  group?: string;
}

export type FlagTable = Record<string, Flag>;
export type FlagValues<F extends FlagTable> = { [K in keyof F]: z.output<F[K]['schema']> };

/** What runs, with how it is called: a command, or one action of a command. */
export interface Action<F extends FlagTable = FlagTable> {
  /** One or two paragraphs for `--help`. */
  about: string;
  positionals?: { name: string; about: string; min: number; max: number };
  flags: F;
  /** Command lines with what each does; at least one, shown at the end of help. */
  examples: readonly { line: string; about: string }[];
  run(input: { flags: FlagValues<F>; positionals: string[]; rest: string[]; io: Io }): Promise<ExitCode>;
}

/**
 * One command of the CLI: one file in commands/, one line in commands/index.ts. Help, argument parsing, shell completion and
 * docs/reference/cli.md all come from this value.
 */
export interface Command<F extends FlagTable = FlagTable> extends Action<F> {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** Everything after a bare `--` arrives in `rest`. */
  acceptsRest?: true;
  /** What the first argument chooses from: commands of more words, each with flags of its own. `run` is for a line without one. */
  actions?: Readonly<Record<string, Command>>;
  /** Of a command with actions: what runs when the first argument is none of them. */
  whole?: Command;
}

/** A command before it is needed. */
export interface LazyCommand {
  name: string;
  load(): Promise<Command>;
  /** Actions that can be had without all the others, which take time to load as well. */
  actions?: Readonly<Record<string, () => Promise<Action>>>;
}

/** Actions under one word of a command: `secure policy emit` is action `emit` of the group `policy` of `secure`. */
export interface ActionGroup {
  about: string;
  actions: Readonly<Record<string, Action | ActionGroup>>;
}

type Actions<T extends Record<string, FlagTable>> = { [K in keyof T]: Action<T[K]> | ActionGroup };
type WithActions<A> = Pick<Command, 'name' | 'summary' | 'about'> & {
  actions: A;
  /** What a line means whose first argument is none of the actions: usually all of them. */
  whole?: Action;
};

/**
 * Keeps the flag types of a literal command, or of each action of one. Flags and examples of a command with actions are those of
 * its actions; where two actions have a flag of the same name, it is the same flag.
 */
export function defineCommand<const F extends FlagTable>(command: Command<F>): Command<F>;
export function defineCommand<const T extends Record<string, FlagTable>>(command: WithActions<Actions<T>>): Command;
export function defineCommand(command: Command | WithActions<ActionGroup['actions']>): Command {
  if ('run' in command) return command;
  const { name, summary, about, whole } = command;
  const actions: Record<string, Command> = {};
  for (const [word, action] of Object.entries(command.actions)) {
    const named = { name: `${name} ${word}`, summary: action.about };
    actions[word] = 'run' in action ? { ...action, ...named } : defineCommand({ ...action, ...named });
  }
  const all = [...(whole ? [whole] : []), ...Object.values(actions)];
  const flags = Object.fromEntries(all.flatMap((action) => Object.entries(action.flags)));
  const words = Object.keys(actions).join(', ');
  const run = () => Promise.reject(new UsageError(`${actionPlace(name)}: is required; allowed: ${words}`));
  return {
    name,
    summary,
    about,
    actions,
    flags,
    examples: all.flatMap(({ examples }) => examples),
    run,
    ...(whole ? { whole: { ...whole, name, summary } } : {}),
  };
}

/** How a mistake names the word that is missing or wrong: `<action>`, or `policy <action>` inside the group `policy`. */
export function actionPlace(commandName: string): string {
  return [...commandName.split(' ').slice(1), '<action>'].join(' ');
}

/** Keeps the flag types of actions that stand in a group. */
export function actionGroup<const T extends Record<string, FlagTable>>(group: {
  about: string;
  actions: Actions<T>;
}): ActionGroup {
  return group;
}

/** Keeps the flag types of an action that has a file of its own. */
export function defineAction<const F extends FlagTable>(action: Action<F>): Action<F> {
  return action;
}

/** The words of the actions that have a flag: `list`, or `policy emit` where the action stands in a group. */
export function actionsWith(key: string, command: Command): string[] {
  return actionsOf(command)
    .filter(({ flags }) => Object.hasOwn(flags, key))
    .map(({ name }) => name.slice(command.name.length + 1));
}

/** The actions of a command and of the groups in it. */
export function actionsOf({ actions = {} }: Command): Command[] {
  return Object.values(actions).flatMap((action) => (action.actions ? actionsOf(action) : [action]));
}

/** What can run: the actions of those commands that have some, and the other commands. */
export function runnable(commands: readonly Command[]): Command[] {
  return commands.flatMap((c) => (c.actions ? [...(c.whole ? [c.whole] : []), ...actionsOf(c)] : [c]));
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
