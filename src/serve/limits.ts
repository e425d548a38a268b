import type { Clock } from '../wire/io.ts';

/** Keys that are remembered; the ones longest unused go first, so that a flood of addresses costs no memory. */
const mostKeys = 10_000;

class Recent<Value> {
  readonly #values = new Map<string, Value>();

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= mostKeys) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }
}

/** Token buckets: `perS` requests a second, up to `burst` at once, for each key. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perS: number;
  readonly #burst: number;
  readonly #buckets = new Recent<{ left: number; atMs: number }>();

  constructor(clock: Clock, { perS, burst }: { perS: number; burst: number }) {
    this.#clock = clock;
    this.#perS = perS;
    this.#burst = burst;
  }

  /** Takes one. @returns seconds to wait when there is none, else 0 */
  take(key: string): number {
    const nowMs = this.#clock.monoMs();
    const bucket = this.#buckets.get(key) ?? { left: this.#burst, atMs: nowMs };
    const left = Math.min(this.#burst, bucket.left + ((nowMs - bucket.atMs) / 1000) * this.#perS);
    this.#buckets.set(key, { left: left >= 1 ? left - 1 : left, atMs: nowMs });
    return left >= 1 ? 0 : Math.ceil((1 - left) / this.#perS);
  }
}

const freeFailures = 5;
const longestWaitS = 300;
const forgottenMs = 15 * 60_000;

/**
 * Waiting times after failed log-ins from one address: the sixth costs a second, each more twice as much, up to five minutes. What
 * is right passes all the same: with secrets of 256 bits there is nothing to guess, and a flood of wrong ones must not lock
 * anybody out.
 */
export class BackOff {
  readonly #clock: Clock;
  readonly #failures = new Recent<{ count: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes a failure. @returns seconds to wait, 0 while failures are still free */
  failed(key: string): number {
    const nowMs = this.#clock.monoMs();
    const before = this.#failures.get(key);
    const count = before && nowMs - before.atMs < forgottenMs ? before.count + 1 : 1;
    this.#failures.set(key, { count, atMs: nowMs });
    return count <= freeFailures ? 0 : Math.min(longestWaitS, 2 ** (count - freeFailures - 1));
  }
}
