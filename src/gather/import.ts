import type { ImportedFile, ImportFormat, ImportWarning } from '../model/import.ts';
import type { Observation } from '../model/observation.ts';
import { printable } from '../model/outcome.ts';
import { chooseImporter, importers } from './importers.ts';
import type { ImportContext, Importer, LineReader, Sink } from './importer.ts';
import { makeTally } from './tally.ts';
import { MAX_LINE, splitLines } from './text.ts';

export interface ImportOptions {
  /** What the text is called in `how` and in warnings. */
  name: string;
  /** Taken without looking; default: found out. */
  format?: ImportFormat;
  from?: string;
  to?: string;
  /** When, for texts that do not say; default: the epoch, which nobody mistakes for a measurement. */
  clock?: ImportContext['clock'];
  intervalMs?: number;
  zoneMinutes?: number;
}

export interface ImportHandlers {
  observation(one: Observation): void;
  warning(one: ImportWarning): void;
}

export type ImportResult =
  | { ok: true; file: ImportedFile }
  | { ok: false; nearest: { format: ImportFormat; why: string } | null; lines: number };

export interface TextImport {
  push(bytes: Uint8Array): void;
  end(): ImportResult;
}

/** Lines that are looked at before a format is chosen, and characters of them. */
const HEAD_LINES = 200;
const HEAD_CHARACTERS = 64 * 1024;
/** Warnings of one file that are told one by one. */
const MAX_WARNINGS = 100;

/**
 * Reads the output of a tool piece by piece and hands each observation on as soon as it is certain, so that a log of any
 * length needs bounded memory. Every line that is not understood becomes a warning with its number; beyond a hundred they
 * are counted. Whatever the bytes are, nothing is thrown.
 */
export function startImport(options: ImportOptions, handlers: ImportHandlers): TextImport {
  const { name, from, to, clock = { ms: 0, of: 'end' }, intervalMs, zoneMinutes = 0 } = options;
  const context: ImportContext = { source: name, from, to, clock, intervalMs, zoneMinutes };
  const tally = makeTally();
  let lines = 0;
  let unreadLines = 0;
  let warnings = 0;
  let head: string[] = [];
  let headLength = 0;
  let chosen: { importer: Importer; why: string; reader: LineReader } | null = null;
  let nearest: { format: ImportFormat; why: string } | null = null;

  const warn = (line: number | null, message: string) => {
    if (++warnings <= MAX_WARNINGS) handlers.warning({ file: name, line, message });
  };
  const sink: Sink = {
    observation: (one) => {
      tally.add(one);
      handlers.observation(one);
    },
    unread: (line, text) => {
      unreadLines++;
      warn(line, `not understood: "${printable(text, 100)}"`);
    },
    warning: warn,
  };

  const decide = () => {
    const found = options.format
      ? { ok: true as const, importer: importerOf(options.format), why: 'by --format' }
      : chooseImporter(head.join('\n').slice(0, HEAD_CHARACTERS));
    if (!found.ok) {
      nearest = found.nearest;
      return;
    }
    chosen = { importer: found.importer, why: found.why, reader: found.importer.open(context, sink) };
    for (const [i, line] of head.entries()) chosen.reader.line(line, i + 1);
    head = [];
  };

  const splitter = splitLines((line, cut) => {
    lines++;
    if (cut) warn(lines, `cut at ${MAX_LINE} characters`);
    if (chosen) {
      chosen.reader.line(line, lines);
      return;
    }
    if (head.length >= HEAD_LINES) return;
    head.push(line);
    headLength += line.length;
    if (head.length === HEAD_LINES || headLength >= HEAD_CHARACTERS) decide();
  });

  return {
    push: (bytes) => splitter.push(bytes),
    end: () => {
      splitter.end();
      if (!chosen && head.length > 0 && head.length < HEAD_LINES) decide();
      if (!chosen) return { ok: false, nearest, lines };
      const { importer, why, reader } = chosen;
      reader.end();
      if (warnings > MAX_WARNINGS)
        handlers.warning({ file: name, line: null, message: `and ${warnings - MAX_WARNINGS} more warnings` });
      const counts = { lines, unreadLines, observations: tally.count(), ...tally.span(), targets: tally.targets() };
      return {
        ok: true,
        file: { file: name, format: importer.format, detected: why, encoding: splitter.encoding(), ...counts },
      };
    },
  };
}

/** The whole of a text at once: what startImport does, collected. `result.ok` is false when no importer knows the text. */
export function importObservations(
  text: string | Uint8Array,
  name: string,
  options: Omit<ImportOptions, 'name'> = {},
): { observations: Observation[]; warnings: ImportWarning[]; result: ImportResult } {
  const observations: Observation[] = [];
  const warnings: ImportWarning[] = [];
  const reading = startImport(
    { ...options, name },
    { observation: (one) => observations.push(one), warning: (one) => warnings.push(one) },
  );
  reading.push(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  return { result: reading.end(), observations, warnings };
}

function importerOf(format: ImportFormat): Importer {
  const found = importers.find((importer) => importer.format === format);
  if (!found) throw new RangeError(`Cannot find an importer for "${format}"`);
  return found;
}
