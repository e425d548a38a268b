/**
 * One UDP test per client address may open streams at a time: their first datagrams carry nothing but four octets that are the
 * same for all, so only the address can tell whose they are.
 */
export class AddressLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves with the release of the lock, once everybody who asked before has released it. */
  async take(address: string): Promise<() => void> {
    const before = this.#tails.get(address);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const tail = (before ?? Promise.resolve()).then(() => held);
    this.#tails.set(address, tail);
    await before;
    return () => {
      release();
      if (this.#tails.get(address) === tail) this.#tails.delete(address);
    };
  }
}
