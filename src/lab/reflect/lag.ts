const ringSize = 8192;

export interface LagSummary {
  events: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Lateness of events against their schedule: quantiles over the most recent 8192, maximum over all. */
export class LagMeter {
  readonly #ring = new Float64Array(ringSize);
  #events = 0;
  #maxMs = 0;

  add(lagMs: number): void {
    this.#ring[this.#events++ % ringSize] = lagMs;
    if (lagMs > this.#maxMs) this.#maxMs = lagMs;
  }

  summary(): LagSummary {
    const sorted = this.#ring.slice(0, Math.min(this.#events, ringSize)).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { events: this.#events, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: this.#maxMs };
  }
}
