import type { InferenceRequest, StallCause } from '../model/inference.ts';
import type { Pillar, Verdict } from '../model/finding.ts';
import { printable } from '../model/outcome.ts';
import { againstShare } from './against.ts';
import { shareClaim } from './claim.ts';
import { type Draft, evidenceOf, perEndpoint } from './per-endpoint.ts';
import type { Rule } from './rule.ts';
import { requestsOf, stampsOf } from './samples.ts';
import { ms, needs, percent, count } from './say.ts';
import { quantile, sorted } from '../stats/quantile.ts';

export interface StallTally {
  gaps: number;
  stalls: number;
  by: Record<StallCause, number>;
}

/** Token gaps and stalls of some requests, stalls by cause. */
export function stallTally(requests: readonly InferenceRequest[]): StallTally {
  const by: Record<StallCause, number> = { network: 0, server: 0, client: 0, undetermined: 0 };
  let gaps = 0;
  let stalls = 0;
  for (const r of requests) {
    // A hostile or broken record may claim more stalls than gaps; a share needs both to agree.
    gaps += Math.max(r.gaps.length, r.stalls.length);
    stalls += r.stalls.length;
    for (const stall of r.stalls) by[stall.cause]++;
  }
  return { gaps, stalls, by };
}

/** What to change about stalls, by the party that causes most of them. */
export function stallRemedy({ by, stalls }: StallTally): string {
  const most = Math.max(by.network, by.server, by.client);
  if (by.undetermined > most)
    return 'learn first whose the stalls are: run as root (CAP_NET_RAW), or have the server report its own times';
  if (by.client === most) return 'measure again from a machine with idle CPU: the stalls are of this client';
  const leads = by.network === most ? 'network' : 'server';
  const what =
    leads === 'network'
      ? 'remove the loss or the queue on the way'
      : 'look at batching, preemption and CPU of the server';
  return `${what}: the ${leads} causes ${by[leads]} of ${stalls} stalls`;
}

interface CauseRule {
  id: string;
  about: string;
  pillar: Pillar;
  cause: 'network' | 'server';
  remedy: string;
}

/**
 * Does one party alone stall more gaps than the class allows? Fails on the stalls that are surely its own, passes only if it
 * also would with every undetermined one on top.
 */
export function stallsBy({ cause, remedy, ...head }: CauseRule): Rule {
  return perEndpoint(head, ({ view, name, targets, class: workload }): Draft | null => {
    const requests = requestsOf(view, name);
    const { gaps, by } = stallTally(requests);
    if (gaps === 0) return null;
    const { max } = targets.stallRate;
    const sure = againstShare(by[cause], gaps, max);
    const most = againstShare(by[cause] + by.undetermined, gaps, max);
    const verdict: Verdict = sure.verdict === 'fail' ? 'fail' : most.verdict === 'pass' ? 'pass' : 'unknown';
    const judged = verdict === 'pass' ? most : { ...sure, verdict };
    const what = `token gaps stalled by the ${cause}`;
    return {
      verdict,
      claim:
        verdict === 'unknown'
          ? `${percent(sure.value)} of ${gaps} ${what} surely and ${percent(most.value)} at most against ${percent(max)} for ${workload}: ${missing(by.undetermined, sure.missing ?? most.missing)}`
          : shareClaim(what, judged, max, workload, 'gap'),
      details: durations(requests, cause),
      evidence: [evidenceOf(`stalls by the ${cause}`, 'share', judged, stampsOf(requests))],
      coverage: Math.min(sure.coverage, most.coverage, 1 - by.undetermined / gaps),
      remedy: verdict === 'fail' ? { text: remedy } : undefined,
    };
  });
}

function missing(undetermined: number, samples: number | null): string {
  return undetermined > 0 ? `the cause of ${count(undetermined, 'stall')} is undetermined` : needs(samples, 'gap');
}

function durations(requests: readonly InferenceRequest[], cause: StallCause): string[] {
  const own = requests.flatMap((r) => r.stalls.filter((s) => s.cause === cause));
  if (own.length === 0) return [];
  const rising = sorted(own.map((s) => s.durationMs));
  const length = `${own.length} stalls, median ${ms(quantile(rising, 0.5))}, longest ${ms(rising[rising.length - 1] ?? 0)}`;
  const reasons = new Map<string, { times: number; example: string }>();
  // Evidence differs in its numbers from stall to stall: what reads the same without them is one reason.
  for (const reason of own.flatMap((stall) => stall.evidence)) {
    const key = reason.replace(/\d+(\.\d+)?/g, '#');
    const known = reasons.get(key);
    if (known) known.times++;
    else reasons.set(key, { times: 1, example: printable(reason) });
  }
  const top = [...reasons.values()].sort((a, b) => b.times - a.times).slice(0, 3);
  return [length, ...top.map(({ times, example }) => `${times} of them: ${example}`)];
}
