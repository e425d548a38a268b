import type { LineReader } from '../importer.ts';
import { MAX_LINE, splitLines } from '../text.ts';
import type { Mistake, Note } from '../topology/parsed.ts';
import type { Connection, ConnectionFormat, ConnectionReader, ReadContext } from './connection.ts';
import { chooseReader, connectionReaders } from './readers.ts';

/** A time, or the time of the reading, in which something was missed. */
export interface Gap {
  line: number;
  atMs: number | null;
  message: string;
}

export interface ReadHandlers {
  connection(one: Connection): void;
  mistake?(one: Mistake): void;
  note?(one: Note): void;
  gap?(one: Gap): void;
}

export interface ReadCounts {
  format: ConnectionFormat | null;
  /** Why this format was taken. */
  detected: string;
  lines: number;
  connections: number;
  /** Lines of which nothing could be made; the first twenty were told one by one. */
  mistakes: number;
  gaps: number;
}

export interface ConnectionReading {
  push(bytes: Uint8Array): void;
  /** Null until enough was read to know it. */
  format(): ConnectionFormat | null;
  end(): ReadCounts;
}

/** Lines, and characters of them, that are looked at before a format is chosen. */
const headLines = 100;
const headCharacters = 64 * 1024;
const maxTold = 20;

/**
 * Reads a text of connections piece by piece. Formats with a time per line hand each connection on at once; lists of sockets do at the
 * end, as only the whole list says who listens. Nothing is thrown, whatever the bytes are; every line that is not understood is counted,
 * and the first ones are told with their place.
 */
export function startReading(
  context: ReadContext & { format?: ConnectionFormat },
  handlers: ReadHandlers,
): ConnectionReading {
  const counts: ReadCounts = { format: null, detected: '', lines: 0, connections: 0, mistakes: 0, gaps: 0 };
  let head: string[] = [];
  let headLength = 0;
  let open: LineReader | null = null;

  const mistake = (line: number, key: string, message: string) => {
    if (++counts.mistakes <= maxTold) handlers.mistake?.({ line, key, message });
  };
  const decide = () => {
    const text = head.join('\n').slice(0, headCharacters);
    const chosen = context.format ? { reader: byFormat(context.format), why: 'by its name' } : chooseReader(text);
    if (!chosen) return;
    counts.format = chosen.reader.format;
    counts.detected = chosen.why;
    open = chosen.reader.open(context, {
      connection: (one) => {
        counts.connections++;
        handlers.connection(one);
      },
      mistake,
      note: (line, message) => handlers.note?.({ line, message }),
      gap: (line, atMs, message) => {
        counts.gaps++;
        handlers.gap?.({ line, atMs, message });
      },
    });
    for (const [i, line] of head.entries()) open.line(line, i + 1);
    head = [];
  };
  const splitter = splitLines((text, cut) => {
    counts.lines++;
    if (cut) mistake(counts.lines, 'file', `found a line longer than ${MAX_LINE} characters`);
    if (open) {
      open.line(text, counts.lines);
      return;
    }
    if (headLength >= headCharacters) return;
    head.push(text);
    headLength += text.length + 1;
    // A format with a heading shows itself at once, and then a log that grows is read as it comes.
    if (head.length >= headLines || headLength >= headCharacters || text.startsWith('#Fields:')) {
      decide();
      if (!open && head.length >= headLines) headLength = headCharacters;
    }
  });
  return {
    push: (bytes) => splitter.push(bytes),
    format: () => counts.format,
    end: () => {
      splitter.end();
      if (!open && headLength > 0) decide();
      open?.end();
      if (!open && counts.lines > 0) {
        const list = connectionReaders.map(({ about }) => about).join('; ');
        mistake(1, 'file', `is none of what is read here: ${list}`);
      }
      return counts;
    },
  };
}

/** A whole text at once: what startReading() does, collected. */
export function readConnections(
  text: string | Uint8Array,
  context: Partial<ReadContext> & { format?: ConnectionFormat } = {},
): { connections: Connection[]; mistakes: Mistake[]; notes: Note[]; gaps: Gap[]; counts: ReadCounts } {
  const connections: Connection[] = [];
  const mistakes: Mistake[] = [];
  const notes: Note[] = [];
  const gaps: Gap[] = [];
  const reading = startReading(
    { source: 'text', atMs: null, zoneMinutes: 0, ...context },
    {
      connection: (one) => connections.push(one),
      mistake: (one) => mistakes.push(one),
      note: (one) => notes.push(one),
      gap: (one) => gaps.push(one),
    },
  );
  reading.push(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  return { connections, mistakes, notes, gaps, counts: reading.end() };
}

function byFormat(format: ConnectionFormat): ConnectionReader {
  const found = connectionReaders.find((reader) => reader.format === format);
  if (!found) throw new RangeError(`Cannot find a reader for "${format}"`);
  return found;
}
