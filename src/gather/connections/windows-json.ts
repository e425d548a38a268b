import { found } from '../topology/parsed.ts';
import { asObject, type JsonObject } from '../json.ts';
import type { ConnectionReader } from './connection.ts';
import { snapshotRows } from './snapshot-rows.ts';
import { windowsRow } from './windows-row.ts';

/** Longest document, characters: some three hundred thousand rows as PowerShell indents them. */
const maxDocument = 128_000_000;

/**
 * `Get-NetTCPConnection | Select-Object … | ConvertTo-Json`, or the same of Get-NetUDPEndpoint: an array, or one object where there is one
 * row. Several documents may stand one after the other.
 */
export const windowsJsonReader: ConnectionReader = {
  format: 'windows-json',
  about: 'Get-NetTCPConnection or Get-NetUDPEndpoint, ConvertTo-Json',
  detect: (head) =>
    /^\s*[[{]/.test(head) && /"LocalAddress"\s*:/.test(head)
      ? { confidence: 1, why: 'JSON with LocalAddress' }
      : { confidence: 0, why: '' },
  open: ({ source, atMs }, sink) => {
    const rows = snapshotRows(source, atMs, sink);
    const lines: string[] = [];
    let length = 0;
    return {
      line: (text) => {
        length += text.length + 1;
        if (length <= maxDocument) lines.push(text);
      },
      end: () => {
        if (length > maxDocument) sink.mistake(1, 'file', `found ${length} characters; allowed: ${maxDocument}`);
        else {
          for (const { text, line } of objectsOf(lines.join('\n'))) {
            const object = parsed(text);
            if (!object) {
              sink.mistake(line, 'row', `${found(text)}; allowed: a JSON object`);
              continue;
            }
            const result = windowsRow(fieldsOf(object), line);
            if (result.ok) rows.add(result.row);
            else sink.mistake(line, result.key, `${found(result.found)}; allowed: ${result.allowed}`);
          }
        }
        rows.end();
      },
    };
  },
};

function parsed(text: string): JsonObject | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}

function fieldsOf(object: JsonObject): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [key, value] of Object.entries(object)) {
    const plain = typeof value === 'object' && value !== null ? (asObject(value)?.['value'] ?? null) : value;
    if (typeof plain === 'string' || typeof plain === 'number')
      fields.set(key.toLowerCase(), String(plain).slice(0, 200));
  }
  return fields;
}

/**
 * The outermost objects of a text with the line where each begins, so that a mistake in one row can name its place and costs no other
 * row. What stands between them, brackets and commas, is passed over; a last one without an end is given out as it is.
 */
function* objectsOf(text: string): Generator<{ text: string; line: number }> {
  const marks = /["{}\n]/g;
  let [depth, line, from, fromLine] = [0, 1, 0, 1];
  for (let match = marks.exec(text); match; match = marks.exec(text)) {
    const mark = match[0];
    if (mark === '\n') line++;
    else if (mark === '"') {
      marks.lastIndex = endOfString(text, match.index);
    } else if (mark === '{') {
      if (depth++ === 0) [from, fromLine] = [match.index, line];
    } else if (depth > 0 && --depth === 0) yield { text: text.slice(from, match.index + 1), line: fromLine };
  }
  if (depth > 0) yield { text: text.slice(from), line: fromLine };
}

/** Just after the closing quote; a string ends at its line's end at the latest, as JSON has no line breaks inside. */
function endOfString(text: string, quote: number): number {
  const end = /["\\\n]/g;
  end.lastIndex = quote + 1;
  for (let match = end.exec(text); match; match = end.exec(text)) {
    if (match[0] === '"') return match.index + 1;
    if (match[0] === '\n') return match.index;
    end.lastIndex = match.index + 2;
  }
  return text.length;
}
