import { allowedWords, foundAndAllowed, foundWords, hidden, type JsonSchema, toJsonSchema } from './allowed.ts';
import { actionPlace, actionsWith, type Command, type Flag, type FlagTable, UsageError } from './command.ts';
import { nearest } from './suggest.ts';

/** What a command line said, checked against the flags of its command. */
export interface ParsedArgs {
  /** What is to run: the command, or the action of it that the line names. */
  command: Command;
  flags: Record<string, unknown>;
  positionals: string[];
  rest: string[];
}

/** Flag as it is typed: `promptTokens` → `--prompt-tokens`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** True when the user asks for help before any bare `--`. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).some((arg) => arg === '--help' || arg === '-h');
}

/**
 * Reads the arguments of one command: `--flag value`, `--flag=value`, `--switch`, `--no-switch`, `-s value`, `--` rest.
 * @throws UsageError that lists every mistake, one per line.
 */
export function parseArgs(command: Command, argv: readonly string[]): ParsedArgs {
  const seen = scan(command, argv);
  if (!command.acceptsRest) seen.positionals.push(...seen.rest.splice(0));
  const chosen = command.actions ? takeAction(command, seen) : command;
  const flags = checkFlags(chosen.flags, seen);
  checkPositionals(chosen, seen);
  if (seen.mistakes.length > 0)
    throw new UsageError(seen.mistakes.join('\n'), `inferpath ${chosen.name} --help lists the flags`);
  return { command: chosen, flags, positionals: seen.positionals, rest: seen.rest };
}

/** Takes the first arguments as the action, and tells of flags that go with others. */
function takeAction(command: Command, seen: Scan): Command {
  const chosen = namedByArguments(command, seen);
  const word = chosen.name.slice(command.name.length + 1);
  if (chosen.actions) return chosen;
  for (const key of new Set([...seen.given.keys(), ...seen.broken]))
    if (!Object.hasOwn(chosen.flags, key))
      seen.mistakes.push(
        `${flagName(key)}: goes with ${actionsWith(key, command).join(', ')}; found with ${word || 'none of them'}`,
      );
  return chosen;
}

/** The action that the first arguments name; the group itself where nothing follows its word. */
function namedByArguments(command: Command, seen: Scan): Command {
  const { actions, whole } = command;
  if (!actions) return command;
  const [word = ''] = seen.positionals;
  const chosen = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (chosen) {
    seen.positionals.shift();
    return namedByArguments(chosen, seen);
  }
  if (whole) return whole;
  if (seen.positionals.length === 0) return command;
  const allowed = Object.keys(actions).join(', ');
  seen.mistakes.push(`${actionPlace(command.name)}: found ${foundWords(word)}; allowed: ${allowed}`);
  throw new UsageError(seen.mistakes.join('\n'), `inferpath ${command.name} --help tells what each does`);
}

interface Scan {
  given: Map<string, (string | boolean)[]>;
  positionals: string[];
  rest: string[];
  mistakes: string[];
  /** Flags whose mistake is told already. */
  broken: Set<string>;
  /** A flag of another program was there: its value, perhaps a secret, may stand among the arguments. */
  hasUnknown: boolean;
}

interface Known {
  key: string;
  flag: Flag;
  /** What a switch is set to; undefined for flags with a value. */
  on?: boolean;
}

function scan(command: Command, argv: readonly string[]): Scan {
  const known = knownFlags(command.flags);
  const seen: Scan = {
    given: new Map(),
    positionals: [],
    rest: [],
    mistakes: [],
    broken: new Set(),
    hasUnknown: false,
  };
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      seen.rest = argv.slice(i + 1);
      break;
    }
    if (arg === '-' || !arg.startsWith('-') || isNegativeNumber(arg)) {
      seen.positionals.push(arg);
      continue;
    }
    const [typed, inline] = splitAtEquals(arg);
    const found = known.get(typed);
    if (!found) {
      const meant = nearest(typed, [...known.keys(), '--help']);
      seen.mistakes.push(`${foundWords(typed)}: unknown flag${meant ? `; did you mean ${meant}?` : ''}`);
      seen.hasUnknown = true;
      // What follows is the value of the flag that was meant, not an argument.
      if (meant && known.get(meant)?.on === undefined && inline === undefined && isValue(argv[i + 1] ?? '--')) i++;
    } else if (takeValue(seen, found, typed, inline, argv[i + 1])) i++;
  }
  return seen;
}

/** Records one flag. Returns true when the value was the next argument. */
function takeValue(seen: Scan, found: Known, typed: string, inline: string | undefined, next: string | undefined) {
  if (found.on !== undefined) {
    if (inline === undefined) give(seen, found.key, found.on);
    else seen.mistakes.push(`${typed}: found the value ${foundWords(inline)}; allowed: no value`);
    return false;
  }
  const value = inline ?? (next !== undefined && isValue(next) ? next : undefined);
  if (value === undefined || value === '') {
    seen.mistakes.push(missingValue(found, typed, next));
    seen.broken.add(found.key);
  } else give(seen, found.key, value);
  return inline === undefined && value !== undefined;
}

function missingValue({ key, flag }: Known, typed: string, next: string | undefined): string {
  const allowed = allowedByFlag(flag);
  const isText = allowed.startsWith('text') || allowed === flag.value;
  const dash = isText && next?.startsWith('-') ? `; a value that begins with "-" is written ${flagName(key)}=…` : '';
  return `${typed}: found no value; allowed: ${allowed}${dash}`;
}

function give(seen: Scan, key: string, value: string | boolean): void {
  seen.given.set(key, [...(seen.given.get(key) ?? []), value]);
}

function knownFlags(flags: FlagTable): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const [key, flag] of Object.entries(flags)) {
    const entry: Known = flag.value === undefined ? { key, flag, on: true } : { key, flag };
    known.set(flagName(key), entry);
    if (flag.short) known.set(`-${flag.short}`, entry);
    if (entry.on) known.set(`--no-${flagName(key).slice(2)}`, { key, flag, on: false });
  }
  return known;
}

function checkFlags(table: FlagTable, seen: Scan): Record<string, unknown> {
  const flags: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(table)) {
    const given = seen.given.get(key);
    if (seen.broken.has(key)) continue;
    if (given && given.length > 1 && !flag.repeated && flag.value !== undefined) {
      seen.mistakes.push(`${flagName(key)}: given ${given.length} times; allowed: once`);
      continue;
    }
    const input = flag.repeated ? given : given?.at(-1);
    const value = checkFlag(key, flag, input, seen.mistakes);
    if (value !== undefined) flags[key] = value;
  }
  return flags;
}

function checkFlag(key: string, flag: Flag, input: unknown, mistakes: string[]): unknown {
  try {
    const result = flag.schema.safeParse(input);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const index = issue?.path[0];
    const given: unknown = Array.isArray(input) && typeof index === 'number' ? input[index] : input;
    const value = flag.secret && given !== undefined ? hidden : given;
    if (value === undefined) mistakes.push(`${flagName(key)}: is required; allowed: ${allowedByFlag(flag)}`);
    else mistakes.push(`${flagName(key)}: ${foundAndAllowed(value, issue, flagSchema(flag))}`);
  } catch (error) {
    // A transform may throw instead of adding an issue; its words are then the explanation.
    const why = error instanceof Error ? error.message : String(error);
    const shown = flag.secret ? hidden : Array.isArray(input) ? input.join(' ') : input;
    mistakes.push(`${flagName(key)}: found ${foundWords(shown)}; ${why}`);
  }
  return undefined;
}

/** What may stand after a flag, in words; where the schema takes any text, the placeholder says more. */
export function allowedByFlag(flag: Flag): string {
  const words = allowedWords(flagSchema(flag));
  const isVague = words === 'any value' || words === 'text' || words.startsWith('text like');
  return isVague ? (flag.value ?? 'no value') : words;
}

/** JSON Schema of one value of a flag. Coerced numbers are only told by the output side, transformed texts by the input side. */
export function flagSchema(flag: Flag): JsonSchema {
  const output = toJsonSchema(flag.schema, 'output');
  const told = output.type ?? output.enum ?? output.anyOf ?? output.const;
  const schema = told === undefined ? toJsonSchema(flag.schema, 'input') : output;
  return flag.repeated && typeof schema.items === 'object' ? schema.items : schema;
}

function checkPositionals({ positionals: wanted }: Command, { positionals: found, mistakes, hasUnknown }: Scan): void {
  const [min, max] = wanted ? [wanted.min, wanted.max] : [0, 0];
  if (found.length < min) mistakes.push(`<${wanted?.name}>: is required; ${wanted?.about}`);
  else if (found.length > max && !hasUnknown)
    mistakes.push(`${foundWords(found[max])}: unexpected argument; allowed: ${max === 0 ? 'none' : `at most ${max}`}`);
}

function splitAtEquals(arg: string): [string, string | undefined] {
  const at = arg.indexOf('=');
  return at === -1 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

const isNegativeNumber = (text: string): boolean => /^-\.?\d/.test(text);
const isValue = (text: string): boolean => text === '-' || !text.startsWith('-') || isNegativeNumber(text);
