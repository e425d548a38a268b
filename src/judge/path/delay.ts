import type { DelayVerdict, HopReport } from '../../model/trace-report.ts';
import { type Interval, median, quantile } from '../../stats/quantile.ts';
import { normal, seededRandom } from '../../stats/random.ts';
import { type HopTally, risingRtts } from './tally.ts';

/**
 * Where delay is added. A router answers for itself as slowly as it likes while it forwards fast, so a hop counts with the
 * lowest median of itself and all later hops: delay that a packet to a later hop did not have was not on the way. What is
 * left between two hops is the way there and back between them, and any difference between their ways back: from one end
 * nobody can tell these apart.
 */

/** Answers from which on a median is given an interval. Fewer, and both ends would be the outermost answers. */
export const answersForInterval = 7;
/** Draws of all medians. Each costs one random number per hop. */
const draws = 1000;
const confidence = 0.95;
/** A hop is passed over when its median lies above what lasts in this share of the draws. */
const slowShare = 0.8;

/** A step that is not larger than every other by this factor is no place where delay is added: it is added everywhere. */
const standsOut = 1.25;

export type Lasting = HopReport['lasting'];
type Place = NonNullable<DelayVerdict['from']>;

export interface PathDelay {
  /** One per hop that was handed in. */
  lasting: Lasting[];
  path: DelayVerdict;
}

export function judgeDelay(hops: readonly HopTally[]): PathDelay {
  const answered = hops.map((hop) => ({ hop, rising: risingRtts(hop) })).filter(({ rising }) => rising.length > 0);
  const floors = suffixMinima(answered.map(({ rising }) => median(rising)));
  const medians = drawMedians(answered.map(({ rising }) => rising));
  const drawn = medians.map(suffixMinima);
  const known = answered.map(({ hop, rising }, k) => {
    const isBounded = rising.length >= answersForInterval;
    return { hop, ms: floors[k]!, isBounded, interval: isBounded ? middle(drawn.map((floor) => floor[k]!)) : null };
  });
  // A slow hop says only that what lasts is less than its own median, not how much less: the step is around it, not at it.
  const told = known.map((_, k) => k).filter((k) => !isSlow(k, medians, drawn));
  return {
    lasting: hops.map(({ ttl }) => {
      const found = known.find((one) => one.hop.ttl === ttl);
      return found ? { ms: found.ms, interval: found.interval } : null;
    }),
    path: largestStep(
      told.map((k) => known[k]!.hop),
      told.map((k) => floors[k]!),
      drawn.map((floor) => told.map((k) => floor[k]!)),
      told.map((k) => known[k]!.isBounded),
    ),
  };
}

function isSlow(k: number, medians: readonly (readonly number[])[], drawn: readonly (readonly number[])[]): boolean {
  return medians.filter((of, draw) => of[k]! > drawn[draw]![k]!).length >= slowShare * medians.length;
}

/**
 * What the medians may be, given the samples: the true median lies below the k-th of n sorted samples with the probability
 * that a Beta(n/2, n/2) variable lies below k/n, whatever the distribution. Here that variable is a normal one of the same
 * mean and variance.
 */
function drawMedians(rising: readonly Float64Array[]): number[][] {
  const random = seededRandom(rising.length);
  return Array.from({ length: draws }, () =>
    rising.map((rtts) => quantile(rtts, normal(random, 0.5, 0.5 / Math.sqrt(rtts.length + 2)))),
  );
}

function suffixMinima(values: readonly number[]): number[] {
  let floor = Infinity;
  return [...values]
    .reverse()
    .map((value) => (floor = Math.min(floor, value)))
    .reverse();
}

function largestStep(
  hops: readonly HopTally[],
  floors: readonly number[],
  drawn: readonly (readonly number[])[],
  isBounded: readonly boolean[],
): DelayVerdict {
  const steps = stepsOf(floors);
  const k = indexOfLargest(steps);
  if (k === -1)
    return {
      kind: 'undetermined',
      from: null,
      to: null,
      addedMs: null,
      interval: null,
      share: null,
      why: 'no hop answered',
    };
  const drawnSteps = drawn.map(stepsOf);
  const bounded = isBounded[k]! && (k === 0 || isBounded[k - 1]!);
  const interval = bounded ? middle(drawnSteps.map((s) => s[k]!)) : null;
  const totalMs = floors.at(-1)!;
  const found = {
    from: k === 0 ? { ttl: 0, address: null } : place(hops[k - 1]!),
    to: place(hops[k]!),
    addedMs: steps[k]!,
    interval,
    share: totalMs > 0 ? steps[k]! / totalMs : null,
  };
  const why = doubt(k, interval, floors, drawnSteps, hops, isBounded);
  return why === null
    ? { kind: 'named', ...found, why: 'the largest step between medians that last, in 95 % of what the samples allow' }
    : { kind: 'undetermined', ...found, why };
}

/** What keeps us from naming step k, or null. */
function doubt(
  k: number,
  interval: Interval | null,
  floors: readonly number[],
  drawnSteps: readonly (readonly number[])[],
  hops: readonly HopTally[],
  isBounded: readonly boolean[],
): string | null {
  const few = isBounded.indexOf(false);
  if (few !== -1) return `needs ${answersForInterval} answers of each hop, and hop ${hops[few]!.ttl} gave fewer`;
  if (interval === null || interval[0] <= 0) return 'no step is larger than the spread of the round trips';
  const wins = new Map<number, number>();
  for (const steps of drawnSteps) {
    const best = indexOfLargest(steps);
    wins.set(best, (wins.get(best) ?? 0) + 1);
  }
  const steps = stepsOf(floors);
  const second = steps.findIndex((ms, other) => other !== k && ms * standsOut > steps[k]!);
  if (second !== -1) return `no step stands out: that to hop ${hops[second]!.ttl} is nearly as large`;
  if ((wins.get(k) ?? 0) >= confidence * draws) return null;
  const [rival] = [...wins].filter(([other]) => other !== k).sort((a, b) => b[1] - a[1])[0]!;
  return `the step to hop ${hops[rival]!.ttl} may be as large`;
}

const stepsOf = (floors: readonly number[]): number[] => floors.map((ms, k) => ms - (floors[k - 1] ?? 0));
const indexOfLargest = (values: readonly number[]): number => values.indexOf(Math.max(...values));
const place = (hop: HopTally): Place => ({ ttl: hop.ttl, address: mostSeen(hop) });

/** The central 95 % of the values. */
function middle(values: readonly number[]): Interval {
  const rising = Float64Array.from(values).sort();
  return [quantile(rising, (1 - confidence) / 2), quantile(rising, (1 + confidence) / 2)];
}

/** The address that answered most often; null when nobody did. */
export function mostSeen({ addresses }: Pick<HopTally, 'addresses'>): string | null {
  return [...addresses].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}
