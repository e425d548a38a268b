import * as z from 'zod';
import type { Documents } from '../documents.ts';

/**
 * What has been rolled up. Statements of ClickHouse are no transactions: a roll-up writes its rows under a number of its own, and they
 * count from the moment at which that number is in the ledger, which changes by compare-and-set. A number whose roll-up failed, or was
 * given up, is never used again.
 */
const ledgerBody = z.object({
  /** The next number that has never been used. */
  next: z.number(),
  /** Numbers whose rows do not count. */
  failed: z.array(z.number()),
  /** Who is rolling up, under which number, since when. */
  running: z.object({ roll: z.number(), sinceMs: z.number() }).nullable(),
  /** Rows of minutes count up to this number. `newestMs`: when the newest batch in them was received, by the server that took it. */
  minutes: z.object({ last: z.number(), doneMs: z.number(), newestMs: z.number() }),
  /** Rows of hours count up to `last`; they hold what minutes hold up to number `upTo`. */
  hours: z.object({ last: z.number(), doneMs: z.number(), upTo: z.number() }),
  /** When what is past its time was dropped. */
  droppedMs: z.number(),
  /** Since when roll-ups have found fewer samples than were acknowledged: a replica that lags. */
  shortSinceMs: z.number().nullable(),
});
export type Ledger = z.infer<typeof ledgerBody>;

const NEVER = -1e15;
export const emptyLedger: Ledger = {
  next: 1,
  failed: [],
  running: null,
  minutes: { last: 0, doneMs: NEVER, newestMs: NEVER },
  hours: { last: 0, doneMs: NEVER, upTo: 0 },
  droppedMs: NEVER,
  shortSinceMs: null,
};

/** The ledger of one database, in the documents that all serve nodes share. */
export class LedgerKeeper {
  readonly #documents: Documents;
  readonly #at: { collection: string; id: string };

  constructor(documents: Documents, database: string) {
    this.#documents = documents;
    this.#at = { collection: 'clickhouse', id: database };
  }

  async read(): Promise<{ ledger: Ledger; version: number }> {
    const found = await this.#documents.get(this.#at.collection, this.#at.id);
    return found
      ? { ledger: ledgerBody.parse(found.body), version: found.version }
      : { ledger: emptyLedger, version: 0 };
  }

  /** False, with nothing changed, when somebody else has changed it since `version`. */
  write(body: Ledger, version: number): Promise<boolean> {
    return this.#documents.commit([{ put: { ...this.#at, body }, version }]);
  }
}

/** Condition for rows of a roll-up that count, from number `after` on. */
export function countsSql(ledger: Ledger, last: number, after = 0): string {
  const failed = ledger.failed.filter((roll) => roll > after && roll <= last);
  return `roll > ${after} AND roll <= ${last}${failed.length === 0 ? '' : ` AND roll NOT IN (${failed.join(', ')})`}`;
}
