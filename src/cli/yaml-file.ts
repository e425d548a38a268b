import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
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
  const lines = lineTable(text);
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const start = { line: 1, column: 1 };
  const broken = (mistakes: YamlFile['mistakes']): YamlFile => ({
    broken: true,
    value: undefined,
    mistakes,
    placeOf: () => start,
    placeOfKey: () => start,
  });
  const tooMuch = findTooMuch(text);
  if (tooMuch) return broken([{ ...place(tooMuch.offset), message: `file: ${tooMuch.message}` }]);
  try {
    const doc = parseDocument(text, { prettyErrors: false, logLevel: 'error', uniqueKeys: false });
    const syntax = firstPerPlace([...doc.errors, ...doc.warnings]).map((error) => ({
      ...place(error.pos[0]),
      message: syntaxWords(error, text),
    }));
    if (doc.errors.length > 0) return broken(syntax);
    const repeated = repeatedKeys(doc).map(({ key, offset }) => ({
      ...place(offset),
      message: `${printable(key, 60)}: found the key a second time; allowed: once`,
    }));
    return {
      broken: false,
      value: doc.toJS({ maxAliasCount: maxAliases }),
      mistakes: [...syntax, ...repeated],
      placeOf: (path) => place(locate(doc, path).value),
      placeOfKey: (path) => place(locate(doc, path).key),
    };
  } catch (error) {
    return broken([{ ...start, message: `file: ${exceptionWords(error)}` }]);
  }
}

/** Line begins of a text; filled before parsing, so that a text that is not parsed has places too. */
function lineTable(text: string): LineCounter {
  const lines = new LineCounter();
  for (let offset = 0; offset !== -1;) {
    lines.addNewLine(offset);
    const end = text.indexOf('\n', offset);
    offset = end === -1 ? -1 : end + 1;
  }
  return lines;
}

/** Levels of `[`, `{` and of columns of indentation; a network file needs 5 and 20. */
const maxNesting = 50;
const maxIndentColumns = 200;
const allowedNesting = `allowed: ${maxNesting} brackets and ${maxIndentColumns} columns of indentation`;

/** Tokens by which the lexer marks a document, a flow error and a scalar; they do not stand in the text. */
const lexerMarks = ['\u0002', '\u0018', '\u001f'];

/** Tokens of one file: ten times what a thousand endpoints need, and still parsed within seconds. */
const maxTokens = 200_000;

/**
 * The first place where a text is deeper or larger than any network file. Asked before parsing, because the parser recurses
 * per level: thousands of "[" do not make it throw but end the process.
 */
function findTooMuch(text: string): { offset: number; message: string } | undefined {
  const indented = /^[ \t\-?:]{201}/m.exec(text);
  if (indented)
    return { offset: indented.index + maxIndentColumns, message: `found too deep nesting; ${allowedNesting}` };
  let [depth, offset, tokens] = [0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > maxNesting) return { offset, message: `found too deep nesting; ${allowedNesting}` };
    if (++tokens > maxTokens)
      return { offset, message: 'found more values than can be trusted; allowed: a file of some thousand values' };
    if (!lexerMarks.includes(token)) offset += token.length;
  }
  return undefined;
}

/** Keys that stand twice in one mapping. Found here and not by the parser, which compares every key with every other. */
function repeatedKeys(doc: Document): { key: string; offset: number }[] {
  const repeated: { key: string; offset: number }[] = [];
  visit(doc, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const pair of map.items) {
        const key = keyText(pair.key);
        if (seen.has(key)) repeated.push({ key, offset: offsetOf(pair.key) ?? 0 });
        seen.add(key);
      }
    },
  });
  return repeated;
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
  const seen = new Set<number>();
  return errors.filter(({ pos: [from] }) => !seen.has(from) && seen.add(from));
}

/** The YAML library's codes in our words, where a user meets them often; else its own words. */
function syntaxWords(error: YAMLError, text: string): string {
  const [from, to] = error.pos;
  const found = printable(text.slice(from, to).split('\n')[0]!.trim(), 40);
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'file: found a tab; allowed: spaces as indentation';
    case 'MULTIPLE_DOCS':
      return 'file: found a second document ("---"); allowed: one document';
    case 'TAG_RESOLVE_FAILED':
      return `file: found the tag "${found}"; allowed: plain YAML without tags`;
    default:
      // Without the text itself: the line may hold a secret.
      return `file: is not YAML: ${printable(error.message)}`;
  }
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
      const pair = pairsByKey(container).get(String(part));
      if (!pair) return at;
      const key = offsetOf(pair.key) ?? at.key;
      node = pair.value;
      at = { key, value: hasText(node) ? (offsetOf(node) ?? key) : key };
    } else return at;
  }
  return at;
}

const pairTables = new WeakMap<YAMLMap, Map<string, Pair>>();

/** Pairs of a mapping by key, the last one of each; kept, because thousands of mistakes look into the same mapping. */
function pairsByKey(map: YAMLMap): Map<string, Pair> {
  const known = pairTables.get(map);
  if (known) return known;
  const table = new Map(map.items.map((pair) => [keyText(pair.key), pair]));
  pairTables.set(map, table);
  return table;
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
