import { printable } from '../model/outcome.ts';
import type { Documents } from '../store/documents.ts';
import { isFull } from '../store/full.ts';
import type { Clock, Log } from '../wire/io.ts';

/** What a server keeps: what agents have measured, and states, tokens and pages. */
export type Kept = 'samples' | 'documents';

/** Something that cannot be kept. */
export interface Trouble {
  what: Kept;
  isFull: boolean;
  /** CLOCK_MONOTONIC. */
  sinceMs: number;
  lastMs: number;
  /** In the words of the engine: for the log, not for strangers. */
  words: string;
}

/** A failure is believed for so long: whoever is told "not ready" may keep away the very agents whose next batch would find that it is over. */
const believedMs = 120_000;

/** Whether writes succeed, by what became of the last ones. Told once when it begins and once when it is over. */
export class Keeping {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #troubles = new Map<Kept, Trouble>();

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  kept(what: Kept): void {
    const trouble = this.#troubles.get(what);
    if (!trouble) return;
    this.#troubles.delete(what);
    const seconds = Math.round((this.#clock.monoMs() - trouble.sinceMs) / 1000);
    this.#log.warn(`${what} can be stored again, after ${seconds} s`);
  }

  failed(what: Kept, error: unknown): void {
    const nowMs = this.#clock.monoMs();
    const before = this.#troubles.get(what);
    const words = printable(error instanceof Error ? error.message : String(error));
    this.#troubles.set(what, {
      what,
      isFull: isFull(error),
      sinceMs: before?.sinceMs ?? nowMs,
      lastMs: nowMs,
      words,
    });
    if (!before) this.#log.error(`${what} cannot be stored: ${words}`);
  }

  /** What cannot be kept now; documents first, because without them nobody is paged. */
  trouble(): Trouble | null {
    const nowMs = this.#clock.monoMs();
    const known = (['documents', 'samples'] as const).flatMap((what) => this.#troubles.get(what) ?? []);
    return known.find(({ lastMs }) => nowMs - lastMs < believedMs) ?? null;
  }

  of(what: Kept): Trouble | null {
    return this.#troubles.get(what) ?? null;
  }

  /** The same documents, whose commits are watched. */
  watched(documents: Documents): Documents {
    return {
      about: documents.about,
      get: (collection, id) => documents.get(collection, id),
      list: (collection) => documents.list(collection),
      close: () => documents.close(),
      commit: async (writes) => {
        try {
          const done = await documents.commit(writes);
          this.kept('documents');
          return done;
        } catch (error) {
          this.failed('documents', error);
          throw error;
        }
      },
    };
  }
}

/** For whoever asks, without a path or a host. */
export function wordsOf({ what, isFull }: Pick<Trouble, 'what' | 'isFull'>): string {
  return isFull ? 'the disk of the store is full' : `the store takes no ${what}`;
}
