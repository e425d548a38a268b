/**
 * Spaces the probes that one hop has to answer: routers limit how many ICMP messages they send. Starts close, backs off where
 * a hop that answers others stays silent, and comes closer again with each answer.
 */
const GAP_MS = { least: 3, most: 400 } as const;
const BACK_OFF = 4;
const RECOVER = 0.8;

export class Pace {
  readonly #gapMs: number[] = [];
  readonly #nextMs: number[] = [];

  /** Whether a probe may be sent to this TTL now; when it may, it counts as sent. */
  take(ttl: number, nowMs: number): boolean {
    if (nowMs < (this.#nextMs[ttl] ?? 0)) return false;
    this.#nextMs[ttl] = nowMs + (this.#gapMs[ttl] ?? GAP_MS.least);
    return true;
  }

  answered(ttl: number): void {
    this.#gapMs[ttl] = Math.max(GAP_MS.least, (this.#gapMs[ttl] ?? 0) * RECOVER);
  }

  /** Nothing came from a hop that has answered before. */
  missed(ttl: number): void {
    this.#gapMs[ttl] = Math.min(GAP_MS.most, (this.#gapMs[ttl] ?? GAP_MS.least) * BACK_OFF);
  }
}
