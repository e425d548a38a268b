import * as z from 'zod';
import type { Documents } from '../documents.ts';
import type { Server } from './server.ts';

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
  /** Ranges of numbers, both ends included, that another ledger gave away, which is lost: their rows do not count. */
  foreign: z.array(z.tuple([z.number(), z.number()])).default([]),
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
  foreign: [],
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

/** The database has roll-ups of which the documents know nothing: new ones would be counted beside them. */
export class LostLedgerError extends Error {
  constructor(database: string, highest: number) {
    super(
      `The database "${database}" holds roll-ups up to number ${highest}, of which these documents know nothing: they are not the ones under which it was filled`,
    );
    this.name = 'LostLedgerError';
  }
}

/**
 * Takes a database over whose ledger is lost: what was rolled up does not count any more, and is rolled up anew from samples that are
 * kept. @returns the highest number that does not count; null when nothing was to be done
 */
export async function takeOver(server: Server, keeper: LedgerKeeper): Promise<number | null> {
  for (;;) {
    const highest = await unknownRoll(server, keeper);
    if (highest === null) return null;
    const { ledger, version } = await keeper.read();
    const foreign: Ledger['foreign'] = [...ledger.foreign, [ledger.next, highest]];
    if (await keeper.write({ ...ledger, next: highest + 1, foreign }, version)) return highest;
  }
}

/**
 * Roll-ups that the ledger has never heard of: it is not the one under which they were made, but lost, or an old copy. New ones
 * would take their numbers, and count theirs as well. @returns their highest number; null when there are none
 */
export async function unknownRoll(server: Server, keeper: LedgerKeeper): Promise<number | null> {
  const tables = ['picks', 'minutes', 'hours'].map((table) => `SELECT max(roll) AS roll FROM ${server.name(table)}`);
  const answer = await server.ask(`SELECT toFloat64(max(roll)) FROM (${tables.join(' UNION ALL ')})`);
  const highest = answer.numbers(0)[0] ?? 0;
  // Read after the rows, which are written under a number that is in the ledger already.
  const { ledger } = await keeper.read();
  return highest >= ledger.next ? highest : null;
}

/** Condition for rows of a roll-up that count, from number `after` on. */
export function countsSql(ledger: Ledger, last: number, after = 0): string {
  const failed = ledger.failed.filter((roll) => roll > after && roll <= last);
  const foreign = ledger.foreign.filter(([low, high]) => high > after && low <= last);
  return [
    `roll > ${after} AND roll <= ${last}`,
    ...(failed.length === 0 ? [] : [`roll NOT IN (${failed.join(', ')})`]),
    ...foreign.map(([low, high]) => `NOT (roll BETWEEN ${low} AND ${high})`),
  ].join(' AND ');
}
