import { mean } from '../../stats/interval.ts';
import { sorted } from '../../stats/quantile.ts';

/**
 * The arithmetic of draft-ietf-ippm-responsiveness-09 (Responsiveness under Working Conditions): what a list of intervals says.
 * Pure: the same intervals give the same answer, so that every rule of the draft is tested by numbers made by hand.
 */
export interface Parameters {
  /** ID: length of an interval, s. */
  intervalS: number;
  /** MAD: intervals in a moving average. */
  movingIntervals: number;
  /** TMP: share of the samples that a trimmed mean keeps, from below. */
  keptShare: number;
  /** SDT: largest standard deviation of moving averages, as share of the last one, that is stable. */
  tolerance: number;
  /** INP, INC, MNP: connections at first, more per interval, at most. */
  connectionsAtFirst: number;
  connectionsMore: number;
  connectionsMax: number;
  /** MPS: pairs of probes per second at most. */
  probesPerSecond: number;
  /** PTC: share of the capacity that probes may use. */
  probeShare: number;
}

export const draftParameters: Parameters = {
  intervalS: 5,
  movingIntervals: 4,
  keptShare: 0.95,
  tolerance: 0.05,
  connectionsAtFirst: 1,
  connectionsMore: 1,
  connectionsMax: 16,
  probesPerSecond: 100,
  probeShare: 0.05,
};

/** What a probe on a connection of its own took, ms: TCP handshake, TLS handshake per round trip, request of one octet. */
export interface ForeignProbe {
  tcpMs: number;
  tlsMs: number;
  httpMs: number;
}

/** One interval of length ID: what was transferred, and the probes that ended in it. */
export interface Interval {
  /** As it was, which on a busy machine is not quite what was asked for. */
  durationMs: number;
  bytes: number;
  foreign: readonly ForeignProbe[];
  /** Requests of one octet on load-generating connections, ms. */
  self: readonly number[];
}

export interface Responsiveness {
  rpm: number;
  foreignRpm: number;
  loadedRpm: number;
  /** Trimmed means, ms. */
  tcpMs: number;
  tlsMs: number;
  httpMs: number;
  selfMs: number;
}

export type Confidence = 'low' | 'medium' | 'high';

export interface Evaluation {
  /** Moving average of goodput at each interval, bit/s. */
  goodputBps: number[];
  /** Interval at which goodput was stable first; null while it is not. */
  goodputStableAt: number | null;
  /** Responsiveness over the last MAD intervals, at each interval; null where there were too few probes. */
  responsiveness: (Responsiveness | null)[];
  responsivenessStableAt: number | null;
  confidence: { goodput: Confidence; responsiveness: Confidence };
}

/** Single-sided trimmed mean: of the lowest `keptShare` of the samples, one at least. NaN of none. */
export function trimmedMean(samples: readonly number[], keptShare: number): number {
  const rising = sorted(samples);
  // A hair is added because 0.95 × 20 is a little less than 19 in binary.
  return mean(rising.subarray(0, Math.max(1, Math.floor(rising.length * keptShare + 1e-9))));
}

/** Round trips per minute, from the samples of both kinds of probes; null when one kind has none. */
export function responsivenessOf(
  foreign: readonly ForeignProbe[],
  self: readonly number[],
  keptShare: number,
): Responsiveness | null {
  if (foreign.length === 0 || self.length === 0) return null;
  const of = (key: keyof ForeignProbe) =>
    trimmedMean(
      foreign.map((probe) => probe[key]),
      keptShare,
    );
  const [tcpMs, tlsMs, httpMs] = [of('tcpMs'), of('tlsMs'), of('httpMs')];
  const selfMs = trimmedMean(self, keptShare);
  const foreignRpm = 60_000 / ((tcpMs + tlsMs + httpMs) / 3);
  const loadedRpm = 60_000 / selfMs;
  return { rpm: (foreignRpm + loadedRpm) / 2, foreignRpm, loadedRpm, tcpMs, tlsMs, httpMs, selfMs };
}

/**
 * Goodput first: it is stable when its last MAD moving averages differ by less than SDT. From the interval after that on
 * responsiveness is followed the same way.
 */
export function evaluate(intervals: readonly Interval[], parameters: Parameters): Evaluation {
  const { movingIntervals, tolerance, keptShare } = parameters;
  const window = (i: number) => intervals.slice(Math.max(0, i - movingIntervals + 1), i + 1);
  const goodputBps = intervals.map((_, i) => averageBps(window(i)));
  const responsiveness = intervals.map((_, i) =>
    responsivenessOf(
      window(i).flatMap(({ foreign }) => foreign),
      window(i).flatMap(({ self }) => self),
      keptShare,
    ),
  );
  const goodputStableAt = firstStable(goodputBps, 0, movingIntervals, tolerance);
  const rpms = responsiveness.map((one) => one?.rpm ?? NaN);
  const from = goodputStableAt === null ? null : goodputStableAt + 1;
  const responsivenessStableAt = from === null ? null : firstStable(rpms, from, movingIntervals, tolerance);
  return {
    goodputBps,
    goodputStableAt,
    responsiveness,
    responsivenessStableAt,
    confidence: {
      goodput: confidenceOf(goodputStableAt, intervals.length, movingIntervals),
      responsiveness: confidenceOf(
        responsivenessStableAt,
        from === null ? 0 : intervals.length - from,
        movingIntervals,
      ),
    },
  };
}

/** Low: not even MAD intervals of the stage; medium: these, but not stable; high: stable. */
function confidenceOf(stableAt: number | null, intervals: number, movingIntervals: number): Confidence {
  if (stableAt !== null) return 'high';
  return intervals < movingIntervals ? 'low' : 'medium';
}

function averageBps(intervals: readonly Interval[]): number {
  const ms = intervals.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return ms === 0 ? 0 : (intervals.reduce((sum, { bytes }) => sum + bytes, 0) * 8000) / ms;
}

/** First index, `from` + count − 1 at the earliest, whose last `count` values deviate by less than `tolerance` of the last one. */
function firstStable(values: readonly number[], from: number, count: number, tolerance: number): number | null {
  for (let i = from + count - 1; i < values.length; i++)
    if (deviation(values.slice(i - count + 1, i + 1)) < tolerance * values[i]!) return i;
  return null;
}

/** Standard deviation of all values (not an estimate from a sample); NaN when one of them is. */
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

/** Octets on the wire of a pair of probes, as the draft estimates them: 5000 foreign, 1000 self. */
const PAIR_BYTES = 6000;
/** While nothing is known of the capacity. */
const CAUTIOUS_PER_SECOND = 4;

/** Pairs of probes per second: at most MPS, and at most PTC of the capacity. */
export function pairsPerSecond(capacityBps: number | null, { probesPerSecond, probeShare }: Parameters): number {
  if (capacityBps === null) return Math.min(CAUTIOUS_PER_SECOND, probesPerSecond);
  return Math.max(1, Math.min(probesPerSecond, (capacityBps * probeShare) / (8 * PAIR_BYTES)));
}

export type Grade = 'poor' | 'fair' | 'good' | 'excellent';

/** The draft's scale: 300 RPM are 200 ms, 1000 are 60 ms, 6000 are 10 ms. */
export function gradeOf(rpm: number): Grade {
  if (rpm < 300) return 'poor';
  if (rpm < 1000) return 'fair';
  return rpm < 6000 ? 'good' : 'excellent';
}
