import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Receiver } from '../../model/watch.ts';
import type { Documents, Write } from '../../store/documents.ts';

const collection = 'receiver-disabled';
const body = z.object({ configuration: z.string(), words: z.string(), atMs: z.number() });

/**
 * Receivers that answered 410 Gone: they want nothing more (Standard Webhooks 1.0.0). One stays off until its lines in the
 * network file change; other receivers of the same routes are told as ever.
 */
export class Disabled {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** Why nothing is sent to it; null when it is not off. */
  async reason(receiver: Receiver): Promise<string | null> {
    const found = body.safeParse((await this.#documents.get(collection, receiver.name))?.body).data;
    if (!found || found.configuration !== hashOf(receiver)) return null;
    return `off since ${new Date(found.atMs).toISOString()}, when it answered ${found.words}; change its lines in the network file to turn it on`;
  }

  async writes(receiver: Receiver, words: string, atMs: number): Promise<Write[]> {
    const version = (await this.#documents.get(collection, receiver.name))?.version ?? 0;
    return [
      { put: { collection, id: receiver.name, body: { configuration: hashOf(receiver), words, atMs } }, version },
    ];
  }
}

/** Names of variables and files, never what is in them. */
function hashOf(receiver: Receiver): string {
  return createHash('sha256').update(JSON.stringify(receiver)).digest('hex');
}
