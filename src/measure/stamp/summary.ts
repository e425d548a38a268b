import type { StampDirection, StampSummary, StampVariation } from '../../model/stamp.ts';
import { type DelaySummary, summariseDelays } from '../../stats/delay.ts';
import { lowerEnvelope } from '../../stats/envelope.ts';
import { wilson } from '../../stats/interval.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import { type Answered, disorder, type Range, sequenceOf, splitLoss } from './direction.ts';

/** One packet that was sent, the nth. Times on our monotonic scale, ms. */
export interface SentPacket {
  dueMs: number;
  /** T1. */
  sentMs: number;
  /** The wall clock was set while it was on its way: its stamps do not belong together. */
  void: boolean;
}

/** One answer. T2 and T3 are of the reflector's clock, on our scale as if both clocks agreed at the start. */
export interface StampAnswer {
  n: number;
  reflected: number;
  receivedMs: number;
  repliedMs: number;
  arrivedMs: number;
  ttl: number;
  /** Kernel stamps of T1 and T4. */
  stamped: boolean;
  /** DSCP with which our packet reached the reflector; null when it does not say. */
  dscp: number | null;
}

export interface StampRun {
  packets: readonly SentPacket[];
  answers: readonly StampAnswer[];
  timeoutMs: number;
  sendFailures: number;
  /** Error estimates of both clocks together, ms; null unless both say that they are synchronised. */
  clockErrorMs: number | null;
  dscp: number | null;
}

/** What may differ between clocks that NTP slews apart: 500 ppm, its limit. More over the run, and a clock was set. */
const SLEW = 500e-6;
const STEP_MS = 1;

/** First answers, in order of sending, with the four differences that everything else is made of. */
interface Series {
  /** T1, rising. */
  at: number[];
  /** T2 − T1 and T4 − T3: one-way delays, plus and minus the offset between the clocks. */
  up: number[];
  down: number[];
  rtt: number[];
}

/** Pure: the same run gives the same summary. */
export function summariseStamp(run: StampRun): StampSummary {
  const { packets, answers, timeoutMs } = run;
  const inTime = answers.filter(({ n, arrivedMs }) => arrivedMs - packets[n]!.sentMs <= timeoutMs);
  const firsts = firstAnswers(inTime);
  const usable = firsts.filter(({ n }) => !packets[n]!.void);
  const series = seriesOf(packets, usable);
  const rtts = gaps(packets.length, usable, series.rtt);
  const rtt = summariseDelays(rtts);
  const inside = sorted(usable.map(({ repliedMs, receivedMs }) => repliedMs - receivedMs));
  const numbered: Answered[] = answers.map((answer) => ({ ...answer, sequence: sequenceOf(answer.n) }));
  const split = splitLoss(packets.length, numbered);
  const { duplicates, reordered } = disorder(numbered);
  const clocks = alignClocks(series, run.clockErrorMs);
  const way = (which: 'up' | 'down', lost: Range | null, offered: Range): StampDirection => ({
    offered,
    lost,
    lossShare: lost && shareOf(lost, offered),
    duplicates: duplicates[which],
    reordered: reordered[which],
    variation: clocks.stepped ? null : variationOf(summariseDelays(gaps(packets.length, usable, clocks[which]))),
    oneWayMs: clocks.stepped
      ? null
      : oneWay(clocks[which], series.rtt, which === 'up' ? clocks.offsetMs : negated(clocks.offsetMs)),
  });
  const late = new Set(answers.map(({ n }) => n)).size - firsts.length;
  const lags = sorted(packets.map(({ dueMs, sentMs }) => Math.max(0, sentMs - dueMs)));
  const ttls = firsts.map(({ ttl }) => ttl);
  return {
    sent: packets.length,
    answered: firsts.length,
    late,
    sendFailures: run.sendFailures,
    rtt: rtt && delaysOf(rtt),
    pdvP99Ms: rtt && rtt.pdvP99,
    reflectorMs:
      inside.length === 0
        ? null
        : { medianMs: quantile(inside, 0.5), p99Ms: quantile(inside, 0.99), maxMs: inside.at(-1)! },
    counting: split.counting,
    up: way('up', split.up, [packets.length, packets.length]),
    down: way('down', split.down, split.reflected),
    clocks: {
      synchronised: clocks.errorMs !== null,
      errorMs: clocks.errorMs,
      offsetMs: clocks.offsetMs,
      driftPpm: clocks.driftPpm,
      stepped: clocks.stepped,
    },
    hops: ttls.length === 0 ? null : [Math.min(...ttls), Math.max(...ttls)],
    dscp: run.dscp === null ? null : { sent: run.dscp, received: dscpOf(firsts) },
    scheduleLagP99Ms: lags.length === 0 ? 0 : quantile(lags, 0.99),
    kernelStamped: firsts.length === 0 ? 0 : firsts.filter(({ stamped }) => stamped).length / firsts.length,
  };
}

function firstAnswers(answers: readonly StampAnswer[]): StampAnswer[] {
  const first = new Map<number, StampAnswer>();
  for (const answer of answers) {
    const known = first.get(answer.n);
    if (!known || answer.arrivedMs < known.arrivedMs) first.set(answer.n, answer);
  }
  return [...first.values()].sort((a, b) => a.n - b.n);
}

function seriesOf(packets: readonly SentPacket[], answers: readonly StampAnswer[]): Series {
  const series: Series = { at: [], up: [], down: [], rtt: [] };
  for (const { n, receivedMs, repliedMs, arrivedMs } of answers) {
    const { sentMs } = packets[n]!;
    series.at.push(sentMs);
    series.up.push(receivedMs - sentMs);
    series.down.push(arrivedMs - repliedMs);
    series.rtt.push(Math.max(0, arrivedMs - sentMs - (repliedMs - receivedMs)));
  }
  return series;
}

/** Values of the answered packets in a list of all packets, so that a loss breaks the pairs of IPDV. */
function gaps(count: number, answers: readonly StampAnswer[], values: readonly number[]): (number | null)[] {
  const all = Array.from<number | null>({ length: count }).fill(null);
  for (const [i, { n }] of answers.entries()) all[n] = values[i]!;
  return all;
}

interface Clocks {
  up: number[];
  down: number[];
  driftPpm: number | null;
  stepped: boolean;
  offsetMs: Range | null;
  errorMs: number | null;
}

/**
 * Takes the drift between the clocks out, and says where the offset between them must lie. Drift shows in both directions with
 * opposite sign; a queue that fills up shows in one only. So it is the smaller of the two slopes, and none where they disagree.
 */
function alignClocks({ at, up, down, rtt }: Series, claimedMs: number | null): Clocks {
  const [upLine, downLine] = [lowerEnvelope(at, up), lowerEnvelope(at, down)];
  const drift = upLine && downLine ? smaller(upLine.slope, -downLine.slope) : null;
  const straight = (values: number[], slope: number) => values.map((value, i) => value - slope * (at[i]! - at[0]!));
  const flat = { up: straight(up, drift ?? 0), down: straight(down, -(drift ?? 0)) };
  const driftPpm = drift === null ? null : drift * 1e6;
  if (at.length === 0) return { ...flat, driftPpm, stepped: false, offsetMs: null, errorMs: null };
  const tolerance = STEP_MS + SLEW * (at.at(-1)! - at[0]!);
  const stepped = excess(flat.up, rtt) > tolerance || excess(flat.down, rtt) > tolerance;
  const offsetMs: Range = [-least(flat.down), least(flat.up)];
  if (claimedMs === null) return { ...flat, driftPpm, stepped, offsetMs, errorMs: null };
  const both: Range = [Math.max(offsetMs[0], -claimedMs), Math.min(offsetMs[1], claimedMs)];
  // Clocks that cannot be as near to each other as they say are not believed.
  if (both[0] > both[1]) return { ...flat, driftPpm, stepped, offsetMs, errorMs: null };
  return { ...flat, driftPpm, stepped, offsetMs: both, errorMs: claimedMs };
}

/** The one nearer to 0 where both have the same sign, else 0. */
function smaller(a: number, b: number): number {
  if (a * b <= 0) return 0;
  return Math.abs(a) < Math.abs(b) ? a : b;
}

/** How far the delays of one way move beyond what the round trips allow: a delay cannot exceed its round trip, nor fall below 0. */
function excess(values: readonly number[], rtt: readonly number[]): number {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]! - rtt[i]!);
  return most - least(values);
}

/** Bounds of each delay, for every place where the offset may lie. */
function oneWay(values: readonly number[], rtt: readonly number[], offsetMs: Range | null): StampDirection['oneWayMs'] {
  if (offsetMs === null || values.length === 0) return null;
  const at = (offset: number) => {
    const rising = sorted(values.map((value, i) => Math.min(rtt[i]!, Math.max(0, value - offset))));
    return { minMs: rising[0]!, medianMs: quantile(rising, 0.5), p99Ms: quantile(rising, 0.99) };
  };
  return { low: at(offsetMs[1]), high: at(offsetMs[0]) };
}

function variationOf(delays: DelaySummary | null): StampVariation | null {
  return (
    delays && {
      pdvMedianMs: delays.median - delays.min,
      pdvP99Ms: delays.pdvP99,
      pdvMaxMs: delays.max - delays.min,
      ipdvMedianMs: delays.ipdvMedian,
      ipdvP99Ms: delays.ipdvP99,
      jitter3550Ms: delays.jitter3550,
    }
  );
}

function delaysOf({ count, min, median, mean, p95, p99, max }: DelaySummary): NonNullable<StampSummary['rtt']> {
  return { count, minMs: min, medianMs: median, meanMs: mean, p95Ms: p95, p99Ms: p99, maxMs: max };
}

/** The least share with the fewest lost, the largest with the most. */
function shareOf([fewest, most]: Range, [, offered]: Range): Range | null {
  const [low, high] = [wilson(fewest, offered), wilson(Math.min(most, offered), offered)];
  return low && high && [low[0], high[1]];
}

function dscpOf(answers: readonly StampAnswer[]): number[] {
  return [...new Set(answers.flatMap(({ dscp }) => dscp ?? []))].sort((a, b) => a - b);
}

function negated(range: Range | null): Range | null {
  return range && [-range[1], -range[0]];
}

function least(values: readonly number[]): number {
  let low = Infinity;
  for (const value of values) low = Math.min(low, value);
  return low;
}
