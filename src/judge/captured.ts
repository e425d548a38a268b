import type { Pillar, Verdict } from '../model/finding.ts';
import type { StallCause } from '../model/capture/judged.ts';
import type { ObservationOf } from '../model/observation.ts';
import { printable } from '../model/outcome.ts';
import { quantile, sorted } from '../stats/quantile.ts';
import { againstShare } from './against.ts';
import { shareClaim } from './claim.ts';
import { type Draft, evidenceOf, perEndpoint } from './per-endpoint.ts';
import type { Rule, View } from './rule.ts';
import { count, ms, needs, percent } from './say.ts';

export type CapturedAnswer = ObservationOf<'capture-exchange'>;
export type CapturedConnection = ObservationOf<'capture-connection'>;

/** Streamed answers of a capture. Of overlapping ones the times are of all together, and nobody's. */
export function capturedStreams(view: View, endpoint: string): CapturedAnswer[] {
  return view.of('capture-exchange', endpoint).filter(({ shape, overlapped }) => shape === 'stream' && !overlapped);
}

export interface CapturedStalls {
  gaps: number;
  /** Stalls beyond the limit, by cause. */
  by: Map<StallCause, number>;
  /** Gaps that may be beyond the limit too, and of which nobody knows the cause. */
  unknown: number;
}

/** Gaps between chunks that are longer than allowed, by what caused them. */
export function capturedStalls(streams: readonly CapturedAnswer[], maxMs: number): CapturedStalls {
  const by = new Map<StallCause, number>();
  let gaps = 0;
  let unknown = 0;
  for (const one of streams) {
    if (!one.gaps) continue;
    const beyond = one.stalls.filter(({ gapMs }) => gapMs > maxMs);
    for (const { cause } of beyond) by.set(cause, (by.get(cause) ?? 0) + 1);
    const own = Math.max(one.gaps.count, one.stalls.length);
    gaps += own;
    unknown += Math.max(0, Math.min(own, mostBeyond(one, maxMs)) - beyond.length);
  }
  return { gaps, by, unknown };
}

/** How many gaps can be longer than allowed: the listed stalls are, of the others the percentiles tell. */
function mostBeyond({ gaps, stalls, stallsNotListed, stallAboveMs }: CapturedAnswer, maxMs: number): number {
  if (!gaps || gaps.maxMs <= maxMs) return 0;
  const listed = stalls.filter(({ gapMs }) => gapMs > maxMs).length + Math.max(0, stallsNotListed);
  if (stallAboveMs !== null && stallAboveMs <= maxMs) return listed;
  const { medianMs, p90Ms, p99Ms, count: all } = gaps;
  const share = p99Ms <= maxMs ? 0.01 : p90Ms <= maxMs ? 0.1 : medianMs <= maxMs ? 0.5 : 1;
  return Math.max(listed, Math.ceil(share * all));
}

interface CauseRule {
  id: string;
  about: string;
  pillar: Pillar;
  causes: readonly StallCause[];
  /** As in "gaps stalled by …". */
  by: string;
  remedy: string;
}

/** Does this party alone stall more gaps than the class allows, in what users really got? The rest as `stallsBy`. */
export function capturedStallsBy({ causes, by: party, remedy, ...head }: CauseRule): Rule {
  return perEndpoint(head, ({ view, name, targets, class: workload }): Draft | null => {
    const streams = capturedStreams(view, name);
    const { gaps, by, unknown } = capturedStalls(streams, targets.tokenGapMs.max);
    if (gaps === 0) return null;
    const own = causes.reduce((n, cause) => n + (by.get(cause) ?? 0), 0);
    const nobodys = unknown + (by.get('unknown') ?? 0) + (by.get('capture-loss') ?? 0);
    const { max } = targets.stallRate;
    const sure = againstShare(own, gaps, max);
    const most = againstShare(own + nobodys, gaps, max);
    const verdict: Verdict = sure.verdict === 'fail' ? 'fail' : most.verdict === 'pass' ? 'pass' : 'unknown';
    const judged = verdict === 'pass' ? most : { ...sure, verdict };
    const what = `gaps between chunks of captured answers stalled by ${party}`;
    const still =
      nobodys > 0 ? `the cause of ${count(nobodys, 'gap')} is unknown` : needs(sure.missing ?? most.missing, 'gap');
    return {
      verdict,
      claim:
        verdict === 'unknown'
          ? `${percent(sure.value)} of ${gaps} ${what} surely and ${percent(most.value)} at most against ${percent(max)} for ${workload}: ${still}`
          : shareClaim(what, judged, max, workload, 'gap'),
      details: examples(streams, causes, targets.tokenGapMs.max),
      evidence: [evidenceOf(`captured stalls by ${party}`, 'share', judged, howOf(streams))],
      coverage: Math.min(sure.coverage, most.coverage, 1 - Math.min(nobodys, gaps) / gaps),
      remedy: verdict === 'fail' ? { text: remedy } : undefined,
    };
  });
}

function examples(streams: readonly CapturedAnswer[], causes: readonly StallCause[], maxMs: number): string[] {
  const own = streams.flatMap(({ stalls }) => stalls.filter((s) => causes.includes(s.cause) && s.gapMs > maxMs));
  const worst = own.reduce<(typeof own)[number] | null>((a, b) => (a && a.gapMs >= b.gapMs ? a : b), null);
  if (!worst) return [];
  const rising = sorted(own.map(({ gapMs }) => gapMs));
  return [
    `${count(own.length, 'stall')} in ${count(streams.length, 'streamed answer')}, median ${ms(quantile(rising, 0.5))}, longest ${ms(worst.gapMs)}`,
    `the longest: ${printable(worst.evidence)} (confidence ${worst.confidence})`,
  ];
}

/** Where the tap was, and what the capture is good for. */
export function howOf(captured: readonly { from: string }[]): string {
  const places = [...new Set(captured.map(({ from }) => from))];
  return `packet capture at ${places
    .slice(0, 3)
    .map((place) => printable(place, 63))
    .join(', ')}`;
}
