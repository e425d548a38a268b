/** What a client process of this bench hands back: when each token arrived, and what that cost. */
export interface ClientResult {
  /** x-request-id → arrival of each token event, CLOCK_MONOTONIC ms. */
  arrivals: Record<string, number[]>;
  events: number;
  /** CPU of the whole process from the first request to the last token, ms. */
  cpuMs: number;
  elapsedMs: number;
  /** Share of that time in which a thread of the process was ready and had no core. */
  starved: number;
  /** Only the tool under test: its own verdict on itself. */
  verdict?: { bottleneck: boolean; why: string; readLagP99Ms: number; processingMaxMs: number };
}

/** CLOCK_MONOTONIC in ms, the clock of the truth file. */
export function monoMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Value below which `share` of the values lie. */
export function quantile(values: Float64Array, share: number): number {
  return values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
}
