import type { InferenceRequest } from '../../model/inference.ts';
import { median, quantileBounds } from '../../stats/quantile.ts';
import { againstQuantile, confidence } from '../against.ts';
import { overlaps } from '../overlap.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { requestsOf, risingOf, stampsOf, ttftsOf } from '../samples.ts';
import { ms, needs, percentileName } from '../say.ts';

/** A median that grows by less than this from few to many requests at once counts as holding. Our own choice. */
const tolerableGrowth = 1.5;

export const concurrency = perEndpoint(
  { id: 'concurrency', about: 'Does latency hold under the concurrency that was offered?', pillar: 'scale' },
  ({ view, name, targets, class: workload }): Draft => {
    const requests = requestsOf(view, name);
    const at = overlaps(requests);
    const most = at.reduce((max, n) => Math.max(max, n), 0);
    if (most < 2)
      return {
        verdict: 'unknown',
        claim: `scale is unknown: at most ${most} request ran at once; offer more with --concurrency`,
        coverage: requests.length > 0 ? 0.1 : 0,
      };
    const many = requests.filter((_, i) => at[i]! >= Math.ceil((most * 2) / 3));
    const few = requests.filter((_, i) => at[i]! <= Math.floor(most / 3));
    const how = stampsOf(requests);
    const judged = againstQuantile(ttftsOf(many), targets.ttftMs);
    const growth = growthOf(few, many);
    // Meeting the target under load is enough; where it is missed or undecided, scale answers only for the growth.
    const holds = judged.verdict === 'pass' || (growth !== null && growth.high <= tolerableGrowth);
    const breaks = judged.verdict === 'fail' && growth !== null && growth.low > tolerableGrowth;
    const value = `with about ${most} requests at once the time to first token has a ${percentileName(targets.ttftMs.percentile)} of ${ms(judged.value)} (n = ${judged.n}) against ${ms(targets.ttftMs.max)} for ${workload}`;
    const missing = growth === null ? 'it needs requests that ran alone, to compare with' : needs(judged.missing);
    return {
      verdict: holds ? 'pass' : breaks ? 'fail' : 'unknown',
      claim: holds || breaks ? value : `${value}: ${judged.verdict === 'unknown' ? needs(judged.missing) : missing}`,
      details: compare(few, many),
      evidence: [evidenceOf(`TTFT ${percentileName(targets.ttftMs.percentile)} under load`, 'ms', judged, how)],
      coverage: judged.verdict === 'unknown' ? judged.coverage : 0.5,
      remedy: breaks ? { text: whoGrows(few, many) } : undefined,
    };
  },
);

/** Bounds of the ratio of the medians; null where either side has too few samples. */
function growthOf(
  few: readonly InferenceRequest[],
  many: readonly InferenceRequest[],
): { low: number; high: number } | null {
  const a = quantileBounds(ttftsOf(few), 0.5, confidence);
  const b = quantileBounds(ttftsOf(many), 0.5, confidence);
  if (a.lower === null || a.upper === null || b.lower === null || b.upper === null) return null;
  if (a.lower <= 0 || a.upper <= 0) return null;
  return { low: b.lower / a.upper, high: b.upper / a.lower };
}

function compare(few: readonly InferenceRequest[], many: readonly InferenceRequest[]): string[] {
  if (few.length === 0) return ['no request ran with few others, so there is nothing to compare with'];
  return [
    `median time to first token ${ms(median(ttftsOf(few)))} with few requests at once, ${ms(median(ttftsOf(many)))} with many`,
  ];
}

function whoGrows(few: readonly InferenceRequest[], many: readonly InferenceRequest[]): string {
  const grown = (side: 'networkMs' | 'serverMs') =>
    median(risingOf(many, (r) => r.split.ttft?.[side][0])) - median(risingOf(few, (r) => r.split.ttft?.[side][1]));
  const [network, server] = [grown('networkMs'), grown('serverMs')];
  if (server > 0 && !(network > server))
    return `the server queues (${ms(server)} more of its own time): add replicas or limit how many requests it takes at once`;
  if (network > 0)
    return `the network queues (${ms(network)} more): the link fills with this load; give it more capacity or give inference priority`;
  return 'measure with server-reported times to learn whether the server or the network queues';
}
