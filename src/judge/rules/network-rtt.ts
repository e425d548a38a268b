import type { Remedy } from '../../model/finding.ts';
import { median, quantile, samplesNeeded } from '../../stats/quantile.ts';
import { againstQuantile, type Judged } from '../against.ts';
import { networkAllowanceMs } from '../blame.ts';
import { quantileClaim } from '../claim.ts';
import { evidenceOf, perEndpoint, type Subject } from '../per-endpoint.ts';
import { answeredOf, lowestRttMs, risingOf, roundTripsOf } from '../samples.ts';
import { ms, percentileName } from '../say.ts';

export const networkRtt = perEndpoint(
  { id: 'network-rtt', about: 'Is the round trip to the endpoint short enough for the workload?', pillar: 'speed' },
  (subject) => {
    const limit = subject.targets.networkRttMs;
    const { rising, how, method } = roundTripsOf(subject.view, subject.name, samplesNeeded(limit.percentile / 100));
    const judged = againstQuantile(rising, limit);
    const lowestMs = lowestRttMs(subject.view, subject.name);
    const best = bestOther(subject, judged.value);
    return {
      verdict: judged.verdict,
      severity: judged.verdict === 'fail' ? 'critical' : 'info',
      claim: quantileClaim('network', judged, limit, subject.class, how),
      details: [
        lowestMs === null || judged.n === 0 ? null : decomposition(judged.value, lowestMs, limit.percentile),
        modelShare(subject, judged.verdict === 'fail'),
        best ? `${best.name} measured ${ms(best.rttMs)} at the same percentile` : null,
      ],
      evidence: [
        evidenceOf(`network RTT ${percentileName(limit.percentile)}`, 'ms', judged, how),
        ...(lowestMs == null ? [] : [{ metric: 'network RTT lowest', value: lowestMs, unit: 'ms', n: judged.n, how }]),
      ],
      confidence: judged.verdict === 'unknown' ? 'low' : method === 'tcp' ? 'high' : 'medium',
      coverage: judged.coverage,
      remedy: judged.verdict === 'fail' && lowestMs !== null ? remedy(subject, judged, lowestMs, best) : undefined,
    };
  },
);

function decomposition(valueMs: number, lowestMs: number, percentile: number): string {
  const queueMs = Math.max(0, valueMs - lowestMs);
  return `${ms(lowestMs)} is distance (lowest RTT), ${ms(queueMs)} is queueing (${percentileName(percentile)} above the lowest)`;
}

/** How much of the time to first token was the model's own: the question that an engineer asks next. */
function modelShare({ view, name, targets }: Subject, networkFails: boolean): string | null {
  const split = answeredOf(view, name).filter((r) => r.split.ttft !== null && r.phases.ttftMs !== null);
  if (split.length === 0) return null;
  const ttftMs = median(risingOf(split, (r) => r.phases.ttftMs));
  const low = risingOf(split, (r) => r.split.ttft?.serverMs[0]);
  const high = median(risingOf(split, (r) => r.split.ttft?.serverMs[1]));
  const allowedMs = targets.ttftMs.max - median(risingOf(split, (r) => networkAllowanceMs(r, targets)));
  const own = `${ms(median(low))} of ${ms(ttftMs)} to first token was its own`;
  if (high <= allowedMs) return `the model is not the problem: ${own}${steady(low) ? ', steady' : ''}`;
  if (median(low) > allowedMs)
    return `the model is ${networkFails ? 'a problem too' : 'the problem'}: ${own}, and ${ms(allowedMs)} is what it may take`;
  return `the share of the model is undetermined: between ${ms(median(low))} and ${ms(high)} of ${ms(ttftMs)} to first token`;
}

/** Steady: nine in ten lie within a quarter of the median. */
function steady(rising: Float64Array): boolean {
  return rising.length >= 10 && quantile(rising, 0.95) - quantile(rising, 0.05) <= median(rising) / 2;
}

interface Other {
  name: string;
  rttMs: number;
}

/** The nearest other endpoint, when it meets our target and is nearer than this one. */
function bestOther({ network, view, name, targets }: Subject, ownMs: number): Other | null {
  const { max, percentile } = targets.networkRttMs;
  let best: Other | null = null;
  for (const other of network.endpoints) {
    if (other.name === name) continue;
    const rttMs = quantile(roundTripsOf(view, other.name, 1).rising, percentile / 100);
    if (rttMs <= max && rttMs < ownMs && rttMs < (best?.rttMs ?? Infinity)) best = { name: other.name, rttMs };
  }
  return best;
}

function remedy(subject: Subject, judged: Judged, lowestMs: number, best: Other | null): Remedy {
  const { max } = subject.targets.networkRttMs;
  const queueMs = Math.max(0, judged.value - lowestMs);
  const measured = best ? ` (${best.name} measured ${ms(best.rttMs)})` : '';
  const move = `move ${subject.class} to an endpoint within ${ms(max)}${measured}`;
  const queue = `prioritise or shape the traffic that fills the queue on the way (look where delay is added in the trace)`;
  if (lowestMs > max) {
    return best
      ? {
          text: `${move}; distance alone is ${ms(lowestMs)} and no queue setting shortens it`,
          gainMs: judged.value - best.rttMs,
        }
      : { text: `${move}; distance alone is ${ms(lowestMs)} and no queue setting shortens it` };
  }
  return { text: `${move}, or fix the queue first: ${queue}, which gains at most ${ms(queueMs)}`, gainMs: queueMs };
}
