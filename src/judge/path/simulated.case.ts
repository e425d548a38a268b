import type { TraceAnswer, TraceRecord } from '../../model/trace-record.ts';
import { seededRandom } from '../../stats/random.ts';

/** A hop of a simulated path, with everything that makes a trace lie. */
export interface SimulatedHop {
  /** One, or several that take turns packet by packet; none: never answers. */
  addresses: readonly string[];
  /** Round trip from here to this hop, ms, if nothing gets in the way. */
  rttMs: number;
  /** Share of packets lost on the link in front of this hop, there and back together. */
  loss?: number;
  /** Answers per second at most, from a bucket that holds `burst`. */
  limit?: { perS: number; burst: number };
  /** Share of probes that the hop answers at all, though it forwards everything. */
  willing?: number;
  /** What its control plane takes before it answers, ms. */
  slowMs?: number;
  /** More fields of its answers. */
  answer?: Partial<TraceAnswer>;
}

export interface SimulationOptions {
  rounds: number;
  seed?: number;
  intervalMs?: number;
  /** Spread of each round trip, ms: an even draw from 0 to this is added. */
  noiseMs?: number;
  flow?: number;
  startMs?: number;
}

/** The last hop is the target. Same seed, same records. */
export function simulateRounds(
  hops: readonly SimulatedHop[],
  { rounds, seed = 1, intervalMs = 1000, noiseMs = 0.2, flow = 0, startMs = 0 }: SimulationOptions,
): TraceRecord[][] {
  const random = seededRandom(seed);
  const tokens = hops.map((hop) => hop.limit?.burst ?? 0);
  return Array.from({ length: rounds }, (_, round) => {
    const atMs = startMs + round * intervalMs;
    return hops.map((hop, k) => {
      const isLost = hops.slice(0, k + 1).some(({ loss = 0 }) => random() < loss);
      const isUnwilling = random() >= (hop.willing ?? 1);
      const rttMs = hop.rttMs + (hop.slowMs ?? 0) + random() * noiseMs;
      const address = hop.addresses[Math.floor(random() * hop.addresses.length)];
      if (hop.limit && round > 0)
        tokens[k] = Math.min(hop.limit.burst, tokens[k]! + (hop.limit.perS * intervalMs) / 1000);
      const record = { flow, ttl: k + 1, atMs };
      if (address === undefined || isLost || isUnwilling) return { ...record, answer: null };
      if (hop.limit && tokens[k]! < 1) return { ...record, answer: null };
      tokens[k]!--;
      // The target answers as to any client, unless its `answer` says otherwise.
      const own = k === hops.length - 1 ? { end: 'target' as const, icmp: null } : { end: null };
      return { ...record, answer: { ...plainAnswer, address, rttMs, ...own, ...hop.answer } };
    });
  });
}

export const plainAnswer = {
  icmp: { type: 11, code: 0, message: 'time exceeded in transit' },
  replyTtl: null,
  quotedTtl: null,
  natRewrite: null,
  dscp: null,
  mpls: [],
  interfaces: [],
};

/** A path of that many hops: 10.0.<n>.1, each `stepMs` farther. */
export function plainPath(length: number, stepMs = 2): SimulatedHop[] {
  return Array.from({ length }, (_, k) => ({ addresses: [`10.0.${k + 1}.1`], rttMs: (k + 1) * stepMs }));
}
