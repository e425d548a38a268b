import type { Clock } from '../../wire/io.ts';

/** How long the answer to "does my own uplink work" is good for, ms. */
const goodForMs = 1000;

/**
 * Whether the network next to this agent works, asked when something looks bad. Places of the user's choice answer whenever it
 * does; when none of them answers, what failed meanwhile says nothing about the endpoints.
 */
export class Uplink {
  readonly #clock: Clock;
  readonly #answers: (place: string) => Promise<boolean>;
  #places: readonly string[] = [];
  #checkedMs = -Infinity;
  #isUp = true;
  /** When none of the places answered the last time, CLOCK_MONOTONIC. */
  #lastDownMs = -Infinity;
  #check: Promise<void> | null = null;

  /** @param answers whether a place answers at all; never rejects */
  constructor(clock: Clock, answers: (place: string) => Promise<boolean>) {
    this.#clock = clock;
    this.#answers = answers;
  }

  watch(places: readonly string[]): void {
    this.#places = places;
  }

  /** As the last check saw it; null when there is nothing to ask. */
  get state(): 'up' | 'down' | null {
    return this.#places.length === 0 ? null : this.#isUp ? 'up' : 'down';
  }

  /** Whether it was seen down since a moment, looking now where the last look is older than a second. */
  async wasDownSince(sinceMs: number): Promise<boolean> {
    if (this.#places.length === 0) return false;
    if (this.#clock.monoMs() - this.#checkedMs > goodForMs || this.#check) await this.#look();
    return this.#lastDownMs >= sinceMs;
  }

  #look(): Promise<void> {
    this.#check ??= this.#ask().finally(() => (this.#check = null));
    return this.#check;
  }

  async #ask(): Promise<void> {
    const askedMs = this.#clock.monoMs();
    const answers = this.#places.map(async (place) => {
      if (!(await this.#answers(place))) throw new Error(place);
    });
    this.#isUp = await Promise.any(answers).then(
      () => true,
      () => false,
    );
    this.#checkedMs = this.#clock.monoMs();
    // It was down all the while that nobody answered, not only at its end.
    if (!this.#isUp) this.#lastDownMs = Math.max(askedMs, this.#checkedMs);
  }
}
