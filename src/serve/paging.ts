import type { AlertTransition } from '../model/alert.ts';
import type { Write } from '../store/documents.ts';
import type { Configuration } from './configuration.ts';
import { type Delivery, type DeliveryFigures, type DeliveryParts, startDelivery } from './deliver/delivery.ts';
import { outboxWrites } from './deliver/outbox.ts';
import type { Outbox } from './evaluation.ts';

export interface PagingParts extends Omit<DeliveryParts, 'receivers'> {
  configuration: Configuration;
  /** Where people find the server, without a slash at its end; absent: where it listens. */
  url?: string;
}

/**
 * The way of pages out of one server: what the evaluation commits with the states of the alerts, and the worker that sends it. Network
 * file and receivers are read at each use, so that a reload counts from the next transition and the next attempt on.
 *
 * The two halves need nothing of each other but the documents. Sending starts and stops with the lease of a cluster; what the node before
 * had claimed is sent again under its key.
 */
export class Paging implements Outbox {
  readonly #parts: PagingParts;
  #url: string | null;
  #delivery: Delivery | null = null;

  constructor(parts: PagingParts) {
    this.#parts = parts;
    this.#url = parts.url ?? null;
  }

  get figures(): Readonly<DeliveryFigures> {
    return this.#delivery?.figures ?? { accepted: 0, retried: 0, failed: 0 };
  }

  /** Where links lead when the operator has named no other place. */
  listensAt(url: string): void {
    this.#url ??= url;
  }

  start(): void {
    const { configuration } = this.#parts;
    this.#delivery ??= startDelivery({
      ...this.#parts,
      receivers: () => configuration.network.watch?.receivers ?? [],
    });
  }

  writes(transitions: readonly AlertTransition[]): Promise<Write[]> {
    const { documents, configuration } = this.#parts;
    return outboxWrites(documents, transitions, configuration.network, this.#url);
  }

  wake(): void {
    this.#delivery?.wake();
  }

  /** Ends all attempts. What was under way is sent again, under the same key, after the next start. */
  async stop(): Promise<void> {
    const delivery = this.#delivery;
    this.#delivery = null;
    await delivery?.stop();
  }
}
