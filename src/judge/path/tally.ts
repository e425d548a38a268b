import type { TraceAnswer, TraceRecord } from '../../model/trace-record.ts';
import { addSample, type Histogram, histogramQuantile, makeHistogram, mergeHistogram } from '../../stats/histogram.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import type { HopReport } from '../../model/trace-report.ts';

/** One probe of a hop, as far as statistics want to know. */
export interface HopProbe {
  atMs: number;
  answered: boolean;
  rttMs: number | null;
}

/** What is known about one hop of one path, over all rounds that went that way. */
export interface HopTally {
  ttl: number;
  sent: number;
  received: number;
  isTarget: boolean;
  /** Address → answers by it. Several where the packets of one flow are spread. */
  addresses: Map<string, number>;
  /** The latest probes in the order of sending; older ones live on in the counts and the histogram. */
  recent: HopProbe[];
  /** All round trips, ms. */
  histogram: Histogram;
  last: TraceAnswer | null;
  /** Some answer quoted a packet that is not what was sent. Null: no answer let that be seen. */
  natRewrite: boolean | null;
}

/** Probes kept per hop: enough for narrow intervals, few enough for weeks of tracing. */
const keptProbes = 1000;

export function makeTally(ttl: number): HopTally {
  const counts = { sent: 0, received: 0, isTarget: false, addresses: new Map<string, number>() };
  return { ttl, ...counts, recent: [], histogram: makeHistogram(), last: null, natRewrite: null };
}

export function tallyProbe(tally: HopTally, { atMs, answer }: Pick<TraceRecord, 'atMs' | 'answer'>): void {
  tally.sent++;
  tally.recent.push({ atMs, answered: answer !== null, rttMs: answer?.rttMs ?? null });
  if (tally.recent.length > 2 * keptProbes) tally.recent.splice(0, tally.recent.length - keptProbes);
  if (!answer) return;
  tally.received++;
  tally.last = answer;
  tally.addresses.set(answer.address, (tally.addresses.get(answer.address) ?? 0) + 1);
  if (answer.end === 'target') tally.isTarget = true;
  if (answer.natRewrite !== null) tally.natRewrite = tally.natRewrite === true || answer.natRewrite;
  if (answer.rttMs !== null) addSample(tally.histogram, answer.rttMs);
}

/** Adds what another flow saw of the same hop. */
export function mergeTally(into: HopTally, from: HopTally): void {
  into.sent += from.sent;
  into.received += from.received;
  into.isTarget ||= from.isTarget;
  for (const [address, n] of from.addresses) into.addresses.set(address, (into.addresses.get(address) ?? 0) + n);
  if ((from.recent.at(-1)?.atMs ?? -Infinity) > (into.recent.at(-1)?.atMs ?? -Infinity))
    into.last = from.last ?? into.last;
  else into.last ??= from.last;
  into.recent = [...into.recent, ...from.recent].sort((a, b) => a.atMs - b.atMs).slice(-keptProbes);
  mergeHistogram(into.histogram, from.histogram);
  if (from.natRewrite !== null) into.natRewrite = into.natRewrite === true || from.natRewrite;
}

export const lostOf = (tally: Pick<HopTally, 'sent' | 'received'>): number => tally.sent - tally.received;

/** The round trips that are kept, in rising order, ms. */
export function risingRtts(tally: Pick<HopTally, 'recent'>): Float64Array {
  return sorted(tally.recent.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])));
}

/** Exact while all round trips are kept, afterwards right to the width of the histogram's buckets. */
export function rttSummary(tally: Pick<HopTally, 'recent' | 'histogram'>): HopReport['rtts'] {
  const { histogram } = tally;
  if (histogram.count === 0) return null;
  const rising = risingRtts(tally);
  const exact = rising.length === histogram.count;
  const at = (p: number) => (exact ? quantile(rising, p) : histogramQuantile(histogram, p));
  const { min, max } = histogram;
  return { minMs: min, medianMs: at(0.5), p95Ms: at(0.95), maxMs: max, pdvP99Ms: at(0.99) - min };
}
