import type { SampleKind } from '../model/sample.ts';
import type { FileFormat, StoreInfo } from '../model/store-report.ts';

/** What to export; default all. */
export interface ExportQuery {
  fromMs?: number;
  /** Exclusive. */
  toMs?: number;
  endpoint?: string;
  agent?: string;
  kind?: SampleKind;
}

export interface Imported {
  /** Samples that were not there before. */
  samples: number;
  batches: number;
  /** Batches that were there already, whole or in part. */
  duplicates: number;
}

/** The embedded store as files: out, in, and what it looks like from beside. */
export interface StoreFiles {
  /** Writes samples, in the order in which they came; resolves to how many. */
  exportTo(path: string, format: FileFormat, query?: ExportQuery): Promise<number>;
  /**
   * Stores what `exportTo` wrote, with the ids that it had. A batch of which anything is there counts as there.
   * @throws RangeError for rows that are no samples; batches before them are stored
   */
  importFrom(path: string, format: FileFormat): Promise<Imported>;
  info(): Promise<StoreInfo>;
  /** What contradicts itself, one sentence each; none is good. */
  check(): Promise<string[]>;
  /** Puts right what can be, and says what that was; null when there was nothing. */
  repair(): Promise<string | null>;
}
