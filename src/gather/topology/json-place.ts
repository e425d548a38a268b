/** A place in a text; lines and columns count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** What is wrong in a file, where, and under which key. */
export interface Mistake extends Place {
  file: string;
  /** Such as `elements[3].params.length`; empty for the file as a whole. */
  key: string;
  message: string;
}

export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/** `elements[3].params.length` of its parts. */
export function keyOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((key, part) => {
    if (typeof part === 'number') return `${key}[${part}]`;
    const text = String(part);
    if (!/^[\w-]+$/.test(text)) return `${key}[${JSON.stringify(text)}]`;
    return key === '' ? text : `${key}.${text}`;
  }, '');
}

/**
 * Where the value at a path begins in a JSON text that parses, or its nearest parent where there is none. Walks the text once; asked
 * only for what is wrong, so that what is right costs nothing.
 */
export function placeOf(text: string, path: readonly PropertyKey[]): Place {
  let at = skipSpace(text, 0);
  for (const part of path) {
    const inside =
      text[at] === '{' ? memberOf(text, at, String(part)) : text[at] === '[' ? itemOf(text, at, Number(part)) : -1;
    if (inside < 0) break;
    at = inside;
  }
  return placeAt(text, at);
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return at;
}

function memberOf(text: string, open: number, key: string): number {
  let found = -1;
  for (let at = skipSpace(text, open + 1); text[at] === '"';) {
    const end = skipString(text, at);
    const name: unknown = JSON.parse(text.slice(at, end));
    const value = skipSpace(text, skipSpace(text, end) + 1);
    // Of a key that stands twice, the parser keeps the later.
    if (name === key) found = value;
    at = skipSpace(text, skipValue(text, value));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return found;
}

function itemOf(text: string, open: number, index: number): number {
  let at = skipSpace(text, open + 1);
  for (let k = 0; at < text.length && text[at] !== ']'; k++) {
    if (k === index) return at;
    at = skipSpace(text, skipValue(text, at));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return -1;
}

function skipString(text: string, at: number): number {
  for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
  return at + 1;
}

function skipValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length;) {
    const letter = text[at]!;
    if (letter === '"') at = skipString(text, at);
    else {
      if (letter === '{' || letter === '[') depth++;
      if (letter === '}' || letter === ']') depth--;
      if (depth < 0 || (depth === 0 && letter === ',')) return at;
      at++;
    }
    if (depth === 0 && (letter === '"' || letter === '}' || letter === ']')) return at;
  }
  return text.length;
}
