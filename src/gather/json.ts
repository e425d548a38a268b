import type { LineReader, Sink } from './importer.ts';

/** Longest document that is held whole, characters. */
const MAX_DOCUMENT = 64_000_000;

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A finite number, also one written as text, as some versions do. */
export function asNumber(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

export function asText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Collects all lines and hands over the JSON documents in them: one, or several one after the other. */
export function documentReader(
  sink: Sink,
  read: (document: JsonObject | readonly unknown[], line: number) => void,
): LineReader {
  let lines: string[] = [];
  let length = 0;
  let first = 1;
  const attempt = (): boolean => {
    let value: unknown;
    try {
      value = JSON.parse(lines.join('\n'));
    } catch {
      return false;
    }
    if (typeof value === 'object' && value !== null) read(value as JsonObject | unknown[], first);
    else sink.unread(first, lines[0] ?? '');
    lines = [];
    length = 0;
    return true;
  };
  const giveUp = (why: string) => {
    if (lines.length === 0) return;
    sink.warning(first, `no JSON document: ${why}`);
    for (const [i, line] of lines.entries()) if (line.trim() !== '') sink.unread(first + i, line);
    lines = [];
    length = 0;
  };
  return {
    line: (text, number) => {
      if (lines.length === 0) {
        if (text.trim() === '') return;
        // What stands before a document, a shell prompt for instance, is not part of it.
        if (!/^\s*[[{]/.test(text)) {
          sink.unread(number, text);
          return;
        }
        first = number;
      }
      lines.push(text);
      length += text.length;
      if (length > MAX_DOCUMENT) giveUp(`longer than ${MAX_DOCUMENT} characters`);
      // A document ends with an unindented bracket, which saves trying to parse at every line.
      else if (/^[\]}]\s*$/.test(text) || /^[[{].*[\]}]\s*$/.test(text)) attempt();
    },
    end: () => {
      if (lines.length > 0 && !attempt()) giveUp('it is cut off, or was never one');
    },
  };
}

/** Hands over each line as one JSON object. */
export function ndjsonReader(
  sink: Sink,
  read: (object: JsonObject, line: number) => boolean,
  end?: () => void,
): LineReader {
  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      let object: JsonObject | null = null;
      try {
        object = asObject(JSON.parse(text));
      } catch {
        // Not JSON: unread, below.
      }
      if (!object || !read(object, number)) sink.unread(number, text);
    },
    end: () => end?.(),
  };
}
