import type { AlertTransition } from '../../model/alert.ts';
import { type OutboxEntry, outboxEntry } from '../../model/delivery.ts';
import type { Network } from '../../model/network.ts';
import type { Documents, Write } from '../../store/documents.ts';
import { deliveriesOf } from './plan.ts';

export const outboxCollection = 'outbox';

export interface StoredEntry {
  entry: OutboxEntry;
  version: number;
}

/** What is in the outbox. What cannot be read is left where it is: a later version may have written it. */
export async function readOutbox(documents: Documents): Promise<StoredEntry[]> {
  const all = await documents.list(outboxCollection);
  return all.flatMap(({ body, version }) => {
    const entry = outboxEntry.safeParse(body).data;
    return entry ? [{ entry, version }] : [];
  });
}

/**
 * What the evaluation has to commit together with the states of the alerts, in the same `Documents.commit`: so that a crash
 * neither loses a page nor sends one for a state that was never reached. Wake the worker (`Delivery.wake`) after the commit.
 */
export async function outboxWrites(
  documents: Documents,
  transitions: readonly AlertTransition[],
  network: Pick<Network, 'watch'>,
  serverUrl: string | null = null,
): Promise<Write[]> {
  const told = transitions.filter(({ notify }) => notify !== null);
  if (told.length === 0) return [];
  const known = (await readOutbox(documents)).map(({ entry }) => entry);
  return told.flatMap((transition) => deliveriesOf(transition, network, known, serverUrl)).map((e) => putEntry(e, 0));
}

export function putEntry(entry: OutboxEntry, version: number): Write {
  return { put: { collection: outboxCollection, id: entry.key, body: entry }, version };
}
