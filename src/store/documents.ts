/** A small thing that changes: a token, an agent, the state of an alert, an entry of the outbox, a lease. */
export interface Document {
  /** What it is, e.g. `alert`; documents of one collection are listed together. */
  collection: string;
  id: string;
  /** 1 at first; one more with every change. */
  version: number;
  /** JSON value. */
  body: unknown;
}

/**
 * `version` is what the document must have had for the change to be made: 0 for "must not exist". `check` changes nothing and
 * wants that version all the same: a lease with it makes sure that whoever lost it commits nothing any more.
 */
export type Write =
  | { put: { collection: string; id: string; body: unknown }; version: number }
  | { remove: { collection: string; id: string }; version: number }
  | { check: { collection: string; id: string }; version: number };

/**
 * Documents with compare-and-set. `commit` makes all of its changes or none; it resolves to false, with nothing changed,
 * when any version is not what was expected. What was committed survives a crash. Serve nodes agree through this alone.
 */
export interface Documents {
  about: string;
  get(collection: string, id: string): Promise<Document | undefined>;
  list(collection: string): Promise<Document[]>;
  commit(writes: readonly Write[]): Promise<boolean>;
  /** Takes away what a process that died has left behind; to be called now and then. */
  sweep?(): Promise<void>;
  close(): Promise<void>;
}
