import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { printable } from '../model/outcome.ts';

/** A place in a text; lines and columns count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A YAML text as a plain value that still knows where everything stands. */
export interface YamlFile {
  /** True when the text is no YAML; `value` is then undefined. */
  broken: boolean;
  value: unknown;
  mistakes: (Place & { message: string })[];
  /** Where the value at a path begins, or its nearest parent where there is none. */
  placeOf(path: readonly PropertyKey[]): Place;
  /** Where the key of the last part of a path begins. */
  placeOfKey(path: readonly PropertyKey[]): Place;
}

/** Aliases that one file may resolve; enough to share settings, too few for a bomb. */
const maxAliases = 100;

/** Parses YAML 1.2 (core schema, no merge keys, one document). Bounded: aliases are counted, deep nesting is an error. Never throws. */
export function parseYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const start = { line: 1, column: 1 };
  const broken = (mistakes: YamlFile['mistakes']): YamlFile => ({
    broken: true,
    value: undefined,
    mistakes,
    placeOf: () => start,
    placeOfKey: () => start,
  });
  const tooDeep = findDeepNesting(text);
  if (tooDeep) return broken([{ ...tooDeep, message: `file: found too deep nesting; ${allowedNesting}` }]);
  try {
    const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error', strict: true });
    const mistakes = firstPerPlace([...doc.errors, ...doc.warnings]).map((error) => ({
      ...place(error.pos[0]),
      message: syntaxWords(error, text),
    }));
    if (doc.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return broken(mistakes);
    return {
      broken: false,
      value: doc.toJS({ maxAliasCount: maxAliases }),
      mistakes,
      placeOf: (path) => place(locate(doc, path).value),
      placeOfKey: (path) => place(locate(doc, path).key),
    };
  } catch (error) {
    return broken([{ ...start, message: `file: ${exceptionWords(error)}` }]);
  }
}

/** Levels of `[`, `{` and of columns of indentation; a network file needs 5 and 20. */
const maxNesting = 50;
const maxIndentColumns = 200;
const allowedNesting = `allowed: ${maxNesting} brackets and ${maxIndentColumns} columns of indentation`;

/** Tokens by which the lexer marks a document, a flow error and a scalar; they do not stand in the text. */
const lexerMarks = ['\u0002', '\u0018', '\u001f'];

/**
 * The first place where a text nests deeper than any network file. Asked before parsing, because the parser recurses per
 * level: thousands of "[" do not make it throw but end the process.
 */
function findDeepNesting(text: string): Place | undefined {
  const indented = text.split('\n').findIndex((line) => /^[ \t\-?:]*/.exec(line)![0].length > maxIndentColumns);
  if (indented !== -1) return { line: indented + 1, column: maxIndentColumns + 1 };
  let [depth, offset] = [0, 0];
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > maxNesting) {
      const before = text.slice(0, offset).split('\n');
      return { line: before.length, column: before.at(-1)!.length + 1 };
    }
    if (!lexerMarks.includes(token)) offset += token.length;
  }
  return undefined;
}

function exceptionWords(error: unknown): string {
  if (error instanceof RangeError) return `found too deep nesting; ${allowedNesting}`;
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes('Excessive alias'))
    return `found more aliases than can be trusted; allowed: at most ${maxAliases}`;
  if (message.includes('Unresolved alias')) return 'found an alias without its anchor; allowed: anchors before aliases';
  return `is not YAML: ${printable(message)}`;
}

/** The parser tells one mistake in several ways; the first is the one that the user made. */
function firstPerPlace(errors: readonly YAMLError[]): YAMLError[] {
  return errors.filter((error, i) => errors.findIndex((other) => other.pos[0] === error.pos[0]) === i);
}

/** The YAML library's codes in our words, where a user meets them often; else its own words. */
function syntaxWords(error: YAMLError, text: string): string {
  const [from, to] = error.pos;
  const found = printable(text.slice(from, to).split('\n')[0]!.trim(), 40);
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'file: found a tab; allowed: spaces as indentation';
    case 'DUPLICATE_KEY':
      return `${wordAt(text, from)}: found the key a second time; allowed: once`;
    case 'MULTIPLE_DOCS':
      return 'file: found a second document ("---"); allowed: one document';
    case 'TAG_RESOLVE_FAILED':
      return `file: found the tag "${found}"; allowed: plain YAML without tags`;
    default:
      // Without the text itself: the line may hold a secret.
      return `file: is not YAML: ${printable(error.message)}`;
  }
}

function wordAt(text: string, offset: number): string {
  return printable(/^[^:\n]*/.exec(text.slice(offset, offset + 64))?.[0].trim() ?? '', 60);
}

/** Offsets of the key and the value that a path leads to; where it leads nowhere, those of the last part that exists. */
function locate(doc: Document, path: readonly PropertyKey[]): { key: number; value: number } {
  let node: unknown = doc.contents;
  let at = { key: offsetOf(node) ?? 0, value: offsetOf(node) ?? 0 };
  for (const part of path) {
    const container: unknown = isAlias(node) ? node.resolve(doc) : node;
    if (isSeq(container) && typeof part === 'number') {
      node = container.items[part];
      const offset = offsetOf(node);
      if (offset === undefined) return at;
      at = { key: offset, value: offset };
    } else if (isMap(container)) {
      const pair = container.items.findLast((p) => keyText(p.key) === String(part));
      if (!pair) return at;
      const key = offsetOf(pair.key) ?? at.key;
      node = pair.value;
      at = { key, value: hasText(node) ? (offsetOf(node) ?? key) : key };
    } else return at;
  }
  return at;
}

/** An empty value has a place after its colon, which no editor shows; its key is the better place. */
function hasText(node: unknown): boolean {
  return !(isScalar(node) && node.value === null && (node.source ?? '') === '');
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
