import type { Observation } from '../model/observation.ts';
import type { ImportFormat } from '../model/import.ts';

/** How sure an importer is that a text is its own, and what made it think so. */
export interface Detection {
  /** 0: nothing of it; 1: nobody else writes this. From 0.5 on the format may be chosen. */
  confidence: number;
  why: string;
}

export interface ImportContext {
  /** What the text is called in `how`: a file name, or "stdin". */
  source: string;
  /** Vantage and target by the user's word; undefined: the text's own. */
  from: string | undefined;
  to: string | undefined;
  /** When, for texts that do not say: the start by the user's word, or the end by the file's time. */
  clock: { ms: number; of: 'start' | 'end' };
  /** Time between probes by the user's word, ms. */
  intervalMs: number | undefined;
  /** Zone of stamps that name none, minutes east of UTC. */
  zoneMinutes: number;
}

/** Where an importer puts what it reads. */
export interface Sink {
  observation(one: Observation): void;
  /** A line of which nothing could be made. */
  unread(line: number, text: string): void;
  /** Something to know about what was read; line null: about the whole. */
  warning(line: number | null, message: string): void;
}

/** Takes lines one after the other, so that a log of any length needs bounded memory. Throws at nothing. */
export interface LineReader {
  line(text: string, number: number): void;
  end(): void;
}

/** The output of one tool in one shape: one file in src/gather, one line in importers.ts. */
export interface Importer {
  format: ImportFormat;
  /** One line for help and docs. */
  about: string;
  /** Looks at the beginning of a text, some tens of kilobytes. */
  detect(head: string): Detection;
  open(context: ImportContext, sink: Sink): LineReader;
}

/** The highest of several marks that stands in the text. */
export function marks(head: string, list: readonly (readonly [RegExp, number, string])[]): Detection {
  let best: Detection = { confidence: 0, why: '' };
  for (const [pattern, confidence, why] of list) {
    if (confidence > best.confidence && pattern.test(head)) best = { confidence, why };
  }
  return best;
}
