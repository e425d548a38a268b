import { printable } from '../model/outcome.ts';
import type { Io } from '../wire/io.ts';

/** Questions at once: a resolver at home has no patience for a hundred. */
const atOnce = 8;
/** Addresses that are asked about in one run at most. */
const most = 2000;
/** RFC 1035 §2.3.4 allows 255 octets. */
const longestName = 255;

/**
 * Names of addresses by PTR records, asked in the background: whoever asks gets what is known by now and waits for nothing.
 * Every address is asked about once. The names are what their owners say, and made printable.
 */
export class PtrNames {
  readonly #names = new Map<string, string | null>();
  readonly #waiting: string[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #io: Pick<Io, 'dns'>;
  readonly #learned: () => void;

  /** @param learned called when another name is known */
  constructor(io: Pick<Io, 'dns'>, learned: () => void) {
    this.#io = io;
    this.#learned = learned;
  }

  /** The name, or null while it is not known or when there is none. */
  of(address: string): string | null {
    const known = this.#names.get(address);
    if (known !== undefined) return known;
    if (this.#names.size < most) {
      this.#names.set(address, null);
      this.#waiting.push(address);
      this.#start();
    }
    return null;
  }

  /** Resolves when every question has its answer, or when `until` does. */
  async settled(until: Promise<unknown>): Promise<void> {
    const end = until.then(() => true);
    for (let late = false; this.#running.size > 0 && !late;)
      late = await Promise.race([end, ...[...this.#running].map((question) => question.then(() => false))]);
  }

  #start(): void {
    while (this.#running.size < atOnce && this.#waiting.length > 0) {
      const address = this.#waiting.shift()!;
      const question = this.#ask(address).finally(() => {
        this.#running.delete(question);
        this.#start();
      });
      this.#running.add(question);
    }
  }

  async #ask(address: string): Promise<void> {
    // No name and no answer look the same to the reader: the address stands for itself.
    const names = await this.#io.dns.reverse(address.replace(/%.*/, '')).catch(() => []);
    const name = printable((names[0] ?? '').replace(/\.$/, ''), longestName).trim();
    if (name === '') return;
    this.#names.set(address, name);
    this.#learned();
  }
}
