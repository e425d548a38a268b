import type { Outcome } from '../../model/outcome.ts';
import type { PingReport, PingTarget } from '../../model/ping-report.ts';
import { lossRuns, summariseDelays } from '../../stats/delay.ts';
import { addSample, bucketsOf, type Histogram, makeHistogram } from '../../stats/histogram.ts';
import { wilson } from '../../stats/interval.ts';
import { quantile } from '../../stats/quantile.ts';
import { describeIcmp } from '../../wire/icmp.ts';
import { errnoName } from '../../wire/libc.ts';
import { type Columns, ProbeState } from '../../wire/batch/columns.ts';
import type { SweepResult } from './run.ts';
import { addTarget, emptyTally, isLoss, lossOf, type Tally } from './tally.ts';
import { addressText, targetAddress, targetName, type TargetTable } from './targets.ts';

/** Everything that the report of a target is made of. */
export interface Measured {
  result: SweepResult;
  table: TargetTable;
  /** What became of names that have no address, by target. */
  unresolved: ReadonlyMap<number, Outcome>;
}

/** Most probes of which every single round trip is listed. */
const LISTED_PROBES = 100_000;

/** The report of one target. */
export function targetReport(measured: Measured, index: number): PingTarget {
  const { result, table } = measured;
  const { columns } = result;
  const tally = emptyTally();
  addTarget(tally, columns, index);
  const delays = roundTripsOf(columns, index);
  const first = delays[0] ?? null;
  // The first one may have waited for ARP, ND or a cold cache; where it is the only one there is nothing else to tell.
  const counted = delays.length > 1 ? delays.slice(1) : delays;
  const address = targetAddress(table, index);
  const port = table.port[index]!;
  return {
    target: targetName(table, index),
    address: address === '' ? null : address,
    port: port === 0 ? null : port,
    outcome: targetOutcome(measured, index, tally),
    ...tally,
    loss: lossReport(columns, index, tally),
    firstMs: first === null ? null : rounded(first),
    rtt: roundTripReport(counted),
    errorMs: tally.answered === 0 ? null : errorMs(result, index),
    ...(columns.targets * columns.rounds <= LISTED_PROBES && {
      rttsMs: delays.map((ms) => (ms === null ? null : rounded(ms))),
    }),
  };
}

/** What holds over all targets. */
export function summaryReport({ result, table }: Measured): PingReport['summary'] {
  const { columns } = result;
  const tally = emptyTally();
  let answering = 0;
  for (let i = 0; i < columns.targets; i++) {
    const before = tally.answered;
    addTarget(tally, columns, i);
    if (tally.answered > before) answering++;
  }
  const { losses, of } = lossOf(tally);
  const interval = wilson(losses, of);
  return {
    targets: columns.targets,
    answering,
    duplicateTargets: table.duplicates,
    ...tally,
    loss: interval === null ? null : { share: losses / of, low: interval[0], high: interval[1] },
    rtt: spreadOfAll(columns),
  };
}

/** ± of the round trips of a target: how far interpolation can be off, and how far the stamps of this host are. Null when nothing is known. */
export function errorMs({ columns, end }: SweepResult, index: number): number | null {
  if (end === null || end.calibration?.stamped === false) return null;
  return rounded(columns.errorMs[index]! + (end.calibration?.stampToStampP95Ms ?? 0));
}

/** Targets from worst to best by loss, then by their slowest round trips; the first `most`. */
export function worstTargets({ columns }: SweepResult, most: number): number[] {
  const { targets, rounds, state, rttMs } = columns;
  const score = new Float64Array(targets);
  for (let i = 0; i < targets; i++) {
    let [losses, slowest] = [0, 0];
    for (let cell = i * rounds; cell < (i + 1) * rounds; cell++) {
      const isAnswer = state[cell] === ProbeState.answered || state[cell] === ProbeState.refused;
      if (!isAnswer) losses++;
      else if (rttMs[cell]! > slowest) slowest = rttMs[cell]!;
    }
    score[i] = losses * 1e9 + slowest;
  }
  if (targets <= most) return [...score.keys()].sort((a, b) => score[b]! - score[a]!);
  // Only those that can be among the worst are sorted: a million are not.
  const limit = Float64Array.from(score).sort()[targets - most]!;
  const among: number[] = [];
  for (let i = 0; i < targets; i++) if (score[i]! >= limit) among.push(i);
  return among.sort((a, b) => score[b]! - score[a]!).slice(0, most);
}

/** By round; null where there is none. */
export function roundTripsOf({ rounds, state, rttMs }: Columns, index: number): (number | null)[] {
  const delays: (number | null)[] = [];
  for (let cell = index * rounds; cell < (index + 1) * rounds; cell++) {
    if (state[cell] === ProbeState.notSent) break;
    const isAnswer = state[cell] === ProbeState.answered || state[cell] === ProbeState.refused;
    delays.push(isAnswer && !Number.isNaN(rttMs[cell]) ? rttMs[cell]! : null);
  }
  return delays;
}

function lossReport(columns: Columns, index: number, tally: Tally): PingTarget['loss'] {
  const { losses, of } = lossOf(tally);
  const interval = wilson(losses, of);
  if (interval === null) return null;
  const { rounds, state } = columns;
  const lost: boolean[] = [];
  for (let cell = index * rounds; cell < (index + 1) * rounds; cell++) {
    const one = isLoss(state[cell]!);
    if (one !== null) lost.push(one);
  }
  const { longest, runs } = lossRuns(lost);
  return { share: losses / of, low: interval[0], high: interval[1], longestRun: longest, runs };
}

function roundTripReport(delays: readonly (number | null)[]): PingTarget['rtt'] {
  const summary = summariseDelays(delays);
  if (summary === null) return null;
  const histogram = makeHistogram();
  for (const delay of delays) if (delay !== null) addSample(histogram, delay);
  return {
    count: summary.count,
    minMs: rounded(summary.min),
    medianMs: rounded(summary.median),
    meanMs: rounded(summary.mean),
    p95Ms: rounded(summary.p95),
    p99Ms: rounded(summary.p99),
    maxMs: rounded(summary.max),
    pdvP99Ms: rounded(summary.pdvP99),
    ipdvMedianMs: rounded(summary.ipdvMedian),
    ipdvP99Ms: rounded(summary.ipdvP99),
    jitter3550Ms: rounded(summary.jitter3550),
    histogram: histogramReport(histogram),
  };
}

/** Over millions of cells, so by one sorted column. */
function spreadOfAll({ targets, rounds, state, rttMs }: Columns): PingReport['summary']['rtt'] {
  const rising = new Float32Array(targets * rounds);
  const histogram = makeHistogram();
  let count = 0;
  for (let cell = 0; cell < rising.length; cell++) {
    const isAnswer = state[cell] === ProbeState.answered || state[cell] === ProbeState.refused;
    // The first round is apart where there is another.
    if (!isAnswer || Number.isNaN(rttMs[cell]) || (rounds > 1 && cell % rounds === 0)) continue;
    rising[count++] = rttMs[cell]!;
    addSample(histogram, rttMs[cell]!);
  }
  if (count === 0) return null;
  const sorted = rising.subarray(0, count).sort();
  return {
    count,
    minMs: rounded(sorted[0]!),
    medianMs: rounded(quantile(sorted, 0.5)),
    meanMs: rounded(histogram.sum / count),
    p95Ms: rounded(quantile(sorted, 0.95)),
    p99Ms: rounded(quantile(sorted, 0.99)),
    maxMs: rounded(sorted[count - 1]!),
    histogram: histogramReport(histogram),
  };
}

function histogramReport(histogram: Histogram): NonNullable<PingTarget['rtt']>['histogram'] {
  return {
    buckets: bucketsOf(histogram).map(({ low, high, count }) => [low, high, count]),
    count: histogram.count,
    sumMs: rounded(histogram.sum),
  };
}

function targetOutcome({ result: { columns }, table, unresolved }: Measured, index: number, tally: Tally): Outcome {
  const failure = unresolved.get(index);
  if (failure !== undefined) return failure;
  const { rounds, state, rttMs } = columns;
  const own = targetAddress(table, index);
  const cells = state.subarray(index * rounds, (index + 1) * rounds);
  if (cells.includes(ProbeState.answered)) return { kind: 'answered' };
  if (tally.answered > 0) return { kind: 'refused', address: own };
  if (cells.includes(ProbeState.notTls)) return notTls(columns.errno[index]!, own);
  const words = columns.offender32.subarray(index * 4, index * 4 + 4);
  const other = addressText(columns.offenderFamily[index]!, words) || 'unknown';
  if (tally.unreachable > 0) {
    const icmp = columns.icmp[index]!;
    // connect() may tell of an unreachable host by errno alone.
    if (icmp === 0 && columns.errno[index] !== 0)
      return { kind: 'unreachable', by: 'this host', message: errnoName(columns.errno[index]!) };
    const message = describeIcmp(columns.family[index] === 6 ? 6 : 4, icmp >> 8, icmp & 0xff);
    return { kind: 'unreachable', by: other, message };
  }
  if (tally.otherAddress > 0) return { kind: 'otherAddress', address: other };
  if (tally.late > 0)
    return { kind: 'late', afterMs: rounded(rttMs[index * rounds + cells.lastIndexOf(ProbeState.late)]!) };
  if (tally.lost > 0 || tally.unsure > 0) return { kind: 'lost' };
  if (tally.failed === 0) return { kind: 'interrupted' };
  const errno = errnoName(columns.errno[index]!);
  return { kind: 'failed', phase: 'wait', operation: 'sendmmsg', errno, address: own, message: 'could not be sent' };
}

/** What the peer did in place of answering a ClientHello. */
function notTls(errno: number, address: string): Outcome {
  const name = errnoName(errno);
  const message =
    name === 'EPROTO'
      ? 'what answered the ClientHello is no TLS'
      : name === 'ENODATA'
        ? 'closed the connection at the ClientHello'
        : 'broke the connection at the ClientHello';
  return { kind: 'failed', phase: 'tls', operation: 'ClientHello', errno: name, address, message };
}

/** To a nanosecond: what lies below is noise of the binary form. */
function rounded(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}
