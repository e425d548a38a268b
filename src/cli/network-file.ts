import type { z } from 'zod';
import { type Network, network, plannedNetwork } from '../model/network.ts';
import { networkIssues } from '../model/network-check.ts';
import { printable } from '../model/outcome.ts';
import type { Io } from '../wire/io.ts';
import { foundAndAllowed, hidden, type JsonSchema, toJsonSchema } from './allowed.ts';
import { UsageError } from './command.ts';
import { nearest } from './suggest.ts';
import { parseYaml, type Place, type YamlFile } from './yaml-file.ts';

/** Largest network file that is read. A thousand endpoints need a fifth of it. */
const maxFileBytes = 1024 * 1024;

/** Mistakes that are printed; more only scroll the first ones away. */
const maxShown = 100;

/** One mistake in a network file: where it stands and what to say about it. */
export interface Mistake extends Place {
  message: string;
}

/** Every mistake of one file; `message` has one line each, `file:line:column: key.path: found X; allowed: Y`. */
export class NetworkFileError extends UsageError {
  readonly path: string;
  readonly mistakes: readonly Mistake[];
  constructor(path: string, mistakes: readonly Mistake[]) {
    const lines = mistakes.slice(0, maxShown).map((m) => `${path}:${m.line}:${m.column}: ${m.message}`);
    const more = mistakes.length - lines.length;
    super(
      [...lines, ...(more > 0 ? [`${path}: and ${more} more`] : [])].join('\n'),
      'inferpath schema network prints what a network file may hold',
      `${path} has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}`,
    );
    this.name = 'NetworkFileError';
    this.path = path;
    this.mistakes = mistakes;
  }
}

/**
 * Reads and checks a network file.
 * @throws NetworkFileError with all mistakes; UsageError when the file cannot be read.
 */
export async function loadNetworkFile(path: string, io: Io): Promise<Network> {
  return loadBy(network, path, io);
}

/**
 * The same for planning: a file that names no endpoint yet is good as well.
 * @throws as loadNetworkFile
 */
export async function loadPlannedNetwork(path: string, io: Io): Promise<Network> {
  return loadBy(plannedNetwork, path, io);
}

async function loadBy(allowed: z.ZodType<Network>, path: string, io: Io): Promise<Network> {
  const result = parseNetwork(await readNetworkText(path, io), allowed);
  if ('mistakes' in result) throw new NetworkFileError(path, result.mistakes);
  return result.network;
}

async function readNetworkText(path: string, io: Io): Promise<string> {
  try {
    return await io.fs.readText(path, maxFileBytes);
  } catch (error) {
    throw new UsageError(`${path}: ${whyUnreadable(error)}`, 'inferpath init writes a network file to start from');
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof RangeError) return `found more than ${maxFileBytes} bytes; allowed: at most 1 MiB`;
  if (error instanceof TypeError) return 'found bytes that are no UTF-8; allowed: a UTF-8 text file';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'found a directory; allowed: a YAML file';
  if (code === 'EACCES') return 'no permission to read it';
  return `cannot be read (${printable(String(code ?? error))})`;
}

/** Network or mistakes of a YAML text, the mistakes in the order of the text. Does no I/O. */
export function parseNetwork(
  text: string,
  allowed: z.ZodType<Network> = network,
): { network: Network } | { mistakes: Mistake[] } {
  const file = parseYaml(text);
  // After a syntax error the rest of the tree is a guess; mistakes found there would mislead.
  if (file.broken) return { mistakes: inOrder(file.mistakes) };
  const result = allowed.safeParse(file.value);
  if (result.success && file.mistakes.length === 0) return { network: result.data };
  // zod looks between the parts only when each has the right shape; here every mistake shall come at once.
  const between = networkIssues(file.value);
  const shape = result.success ? [] : result.error.issues.filter((i) => !between.some((b) => b.message === i.message));
  const issues: Issue[] = [...shape, ...between.map((b) => ({ code: 'custom' as const, input: undefined, ...b }))];
  return { mistakes: inOrder([...file.mistakes, ...issues.flatMap((issue) => mistakesOf(issue, file))]) };
}

type Issue = z.core.$ZodIssue;

let schema: JsonSchema | undefined;
/** Made for the first mistake: it takes longer than many a command. */
const networkSchema = (): JsonSchema => (schema ??= rootOf(toJsonSchema(network, 'input')));

function mistakesOf(issue: Issue, file: YamlFile): Mistake[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key, file));
  const value = valueAt(file.value, issue.path);
  const here = value === undefined ? issue.path.slice(0, -1) : issue.path;
  return [{ ...file.placeOf(here), message: `${pathWords(issue.path)}: ${valueWords(issue, value)}` }];
}

function valueWords(issue: Issue, value: unknown): string {
  const isSecret = issue.path.includes('auth') || (issue.code === 'custom' && issue.params?.['secret'] === true);
  // What stands where a secret may stand is never repeated on a terminal or in a CI log.
  const shown = isSecret && typeof value === 'string' ? hidden : value;
  return foundAndAllowed(shown, issue, schemaAt(networkSchema(), issue.path));
}

function unknownKey(parent: readonly PropertyKey[], key: string, file: YamlFile): Mistake {
  const path = [...parent, key];
  return { ...file.placeOfKey(path), message: `${pathWords(path)}: ${unknownKeyWords(parent, key)}` };
}

function unknownKeyWords(parent: readonly PropertyKey[], key: string): string {
  const at = schemaAt(networkSchema(), parent);
  const keys = Object.keys(at.properties ?? {});
  const known = keys.length > 0 ? keys : (at.propertyNames?.enum ?? []).map(String);
  const near = nearest(key, known);
  const why = parent.at(-1) === 'auth' ? '; keys themselves never stand in this file' : '';
  return `found an unknown key; allowed: ${known.join(', ')}${why}${near ? `; did you mean ${near}?` : ''}`;
}

/** `endpoints[0].url`; the whole file is called `file`. */
function pathWords(path: readonly PropertyKey[]): string {
  const words = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${printable(String(part), 60)}`))
    .join('');
  return words === '' ? 'file' : words.replace(/^\./, '');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined),
    value,
  );
}

function rootOf(json: JsonSchema): JsonSchema {
  const name = json.$ref?.split('/').at(-1);
  return (name === undefined ? undefined : json.$defs?.[name]) ?? json;
}

function schemaAt(root: JsonSchema, path: readonly PropertyKey[]): JsonSchema {
  return path.reduce<JsonSchema>((at, key) => {
    if (typeof key === 'number') return typeof at.items === 'object' ? at.items : {};
    const property = at.properties?.[String(key)];
    return property ?? (typeof at.additionalProperties === 'object' ? at.additionalProperties : {});
  }, root);
}

function inOrder(mistakes: Mistake[]): Mistake[] {
  return mistakes.sort((a, b) => a.line - b.line || a.column - b.column);
}
