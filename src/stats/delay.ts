import { quantile, sorted } from './quantile.ts';
import { mean } from './interval.ts';

/**
 * What a series of delays says, in the unit of the samples. Definitions: RFC 2681 (round trip), RFC 5481 (PDV, IPDV),
 * RFC 3550 A.8 (interarrival jitter).
 */
export interface DelaySummary {
  count: number;
  min: number;
  median: number;
  mean: number;
  p95: number;
  p99: number;
  max: number;
  /** PDV(i) = D(i) − D_min over the sample; its p99 sizes a de-jitter buffer and is the headline jitter. */
  pdvP99: number;
  /** Median of |D(i) − D(i − 1)|, of packets sent one after the other and both received. */
  ipdvMedian: number;
  /** p99 of the same. */
  ipdvP99: number;
  /** RFC 3550: running mean of |D(i) − D(i − 1)| with gain 1/16, in order of arrival. */
  jitter3550: number;
}

/**
 * @param delays by sequence number of sending; null where the packet was lost
 * @returns null when nothing arrived
 */
export function summariseDelays(delays: readonly (number | null)[]): DelaySummary | null {
  const rising = sorted(delays.filter((d) => d !== null));
  if (rising.length === 0) return null;
  const steps = ipdv(delays).map(Math.abs);
  const risingSteps = sorted(steps);
  const min = rising[0]!;
  return {
    count: rising.length,
    min,
    median: quantile(rising, 0.5),
    mean: mean(rising),
    p95: quantile(rising, 0.95),
    p99: quantile(rising, 0.99),
    max: rising.at(-1)!,
    pdvP99: quantile(rising, 0.99) - min,
    ipdvMedian: steps.length === 0 ? 0 : quantile(risingSteps, 0.5),
    ipdvP99: steps.length === 0 ? 0 : quantile(risingSteps, 0.99),
    jitter3550: jitter3550(delays.filter((d) => d !== null)),
  };
}

/** IPDV (RFC 5481 §4.1): D(i) − D(i − 1) for neighbours that both arrived; a loss breaks the pair. */
export function ipdv(delays: readonly (number | null)[]): number[] {
  const steps: number[] = [];
  for (let i = 1; i < delays.length; i++) {
    const [before, now] = [delays[i - 1], delays[i]];
    if (before != null && now != null) steps.push(now - before);
  }
  return steps;
}

/** RFC 3550 §6.4.1: J += (|D| − J) / 16 over packets in the order in which they arrived; 0 for fewer than two. */
export function jitter3550(arrived: readonly number[]): number {
  let jitter = 0;
  for (let i = 1; i < arrived.length; i++) jitter += (Math.abs(arrived[i]! - arrived[i - 1]!) - jitter) / 16;
  return jitter;
}

/** The longest run of losses in a row, and how many runs there were (RFC 3357's loss period). */
export function lossRuns(lost: readonly boolean[]): { longest: number; runs: number } {
  let [longest, runs, run] = [0, 0, 0];
  for (const one of lost) {
    run = one ? run + 1 : 0;
    if (run === 1) runs++;
    longest = Math.max(longest, run);
  }
  return { longest, runs };
}
