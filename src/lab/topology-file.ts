import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { z } from 'zod';
import { topologyProblems, type Problem } from './topology-problems.ts';
import { topologySchema, type Topology } from './topology.ts';

const MAX_CHARACTERS = 1_000_000;
const MAX_SHOWN = 60;

/** Every mistake of a topology file, one line each: `file:line:column: key: what is wrong`. */
export class TopologyError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'TopologyError';
    this.problems = problems;
  }
}

/**
 * Reads a topology from YAML (or JSON) text.
 * @param file name used in messages
 * @throws TopologyError naming all mistakes at once
 */
export function readTopology(text: string, file: string): Topology {
  if (text.length > MAX_CHARACTERS)
    throw new TopologyError([`${file}: ${text.length} characters, at most ${MAX_CHARACTERS} are allowed`]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0)
    throw new TopologyError(document.errors.map((error) => `${place(file, lines, error.pos[0])}: ${error.message}`));
  const value = plainValue(document, file);
  const parsed = topologySchema.safeParse(value);
  const problems = parsed.success
    ? topologyProblems(parsed.data)
    : parsed.error.issues.flatMap((issue) => explain(issue, value));
  if (parsed.success && problems.length === 0) return parsed.data;
  const placed = problems.map(({ path, message }) => ({
    offset: offsetOf(document, path),
    key: keyText(path),
    message,
  }));
  placed.sort((x, y) => x.offset - y.offset);
  throw new TopologyError(
    placed.map(({ offset, key, message }) => `${place(file, lines, offset)}: ${key}: ${message}`),
  );
}

function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new TopologyError([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function place(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
}

function keyText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'topology';
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

/** Where the value at `path` starts, or the nearest thing above it that exists. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const offset = ownOffset(document, path.slice(0, length));
    if (offset !== undefined) return offset;
  }
  return 0;
}

function ownOffset(document: Document, path: readonly (string | number)[]): number | undefined {
  const last = path.at(-1);
  const parent: unknown = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  if (path.length > 0 && isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
    if (pair && isNode(pair.key)) return startOf(pair.key);
    return undefined;
  }
  const node: unknown = path.length > 0 ? document.getIn(path, true) : document.contents;
  return isNode(node) ? startOf(node) : undefined;
}

function startOf(node: Node): number | undefined {
  return node.range?.[0];
}

/** One schema issue in words: what was found, what is allowed. */
function explain(issue: z.core.$ZodIssue, root: unknown): Problem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key; allowed here: ${allowedKeys(path).join(', ')}`,
    }));
  if (issue.code === 'invalid_union') return explainUnion(issue, path, root);
  const found = valueAt(root, path);
  return [
    { path, message: `${found === undefined ? 'missing' : `found ${shown(found)}`}; wanted ${wanted(issue.message)}` },
  ];
}

/** The allowed part of a schema message: `Too small: expected number to be >=0` is `number >=0`. */
function wanted(message: string): string {
  return message
    .replace(/^(Invalid input|Too small|Too big): expected /, '')
    .replace(/, received .*$/, '')
    .replace(/ to (be|have) /, ' ');
}

/** Of a number-or-map choice, speak of the branch that the user wrote. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: (string | number)[], root: unknown): Problem[] {
  const found = valueAt(root, path);
  const fitting = issue.errors.find((branch) =>
    branch.every((inner) => inner.code !== 'invalid_type' || inner.path.length > 0),
  );
  if (fitting) return fitting.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] }, root));
  const allowed =
    path.at(-1) === 'icmp' ? 'true, false or {perSecond, burst}' : 'a ratio from 0 to 1 or {ratio, meanBurst}';
  return [{ path, message: `found ${shown(found)}; wanted ${allowed}` }];
}

const keysOf = {
  topology: Object.keys(topologySchema.shape),
  hosts: Object.keys(topologySchema.shape.hosts.element.shape),
  routers: Object.keys(topologySchema.shape.routers.unwrap().element.shape),
  links: Object.keys(topologySchema.shape.links.unwrap().element.shape),
};

function allowedKeys(path: readonly (string | number)[]): string[] {
  const last = path.at(-1);
  if (last === undefined) return keysOf.topology;
  if (last === 'loss') return ['ratio', 'meanBurst'];
  if (last === 'icmp') return ['perSecond', 'burst'];
  if (last === 'ab' || last === 'ba')
    return keysOf.links.filter((key) => !['a', 'b', 'ab', 'ba', 'cost'].includes(key));
  const section = path[0];
  return section === 'hosts' || section === 'routers' || section === 'links' ? keysOf[section] : [];
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
