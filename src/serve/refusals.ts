import type { Clock } from '../wire/io.ts';
import type { Audit } from './audit.ts';

const windowMs = 60_000;
const mostPerWindow = 10;

/** Refused credentials in the audit log: the first of each address and minute, and ten a minute at most, so that nobody can fill it. */
export class Refusals {
  readonly #audit: Audit;
  readonly #clock: Clock;
  #beganMs = -Infinity;
  #unseen = 0;
  #addresses = new Set<string>();

  constructor(audit: Audit, clock: Clock) {
    this.#audit = audit;
    this.#clock = clock;
  }

  async note(address: string): Promise<void> {
    const nowMs = this.#clock.monoMs();
    if (nowMs - this.#beganMs >= windowMs) {
      this.#beganMs = nowMs;
      this.#addresses = new Set();
    }
    if (this.#addresses.has(address) || this.#addresses.size >= mostPerWindow) {
      this.#unseen++;
      return;
    }
    this.#addresses.add(address);
    const detail = { unseenBefore: this.#unseen };
    this.#unseen = 0;
    await this.#audit.commit({ actor: 'unknown', address, action: 'credential.refused', subject: address, detail });
  }
}
