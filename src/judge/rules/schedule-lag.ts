import { aboutClient, type Draft } from '../per-endpoint.ts';
import { resolveWorkload } from '../../model/defaults.ts';
import { quantile } from '../../stats/quantile.ts';
import { requestsOf, risingOf } from '../samples.ts';
import { ms } from '../say.ts';

/** Requests may leave late by this share of the tightest target for the first token. Our own choice: it stays below what an interval shows. */
const lagShare = 0.1;

export const scheduleLag = aboutClient(
  {
    id: 'schedule-lag',
    about: 'Did requests leave when the schedule wanted them to (coordinated omission)?',
    pillar: 'speed',
  },
  (network, view): Draft => {
    const lags = risingOf(
      network.endpoints.flatMap((e) => requestsOf(view, e.name)),
      (r) => r.phases.scheduleLagMs,
    );
    const runs = view.client().map((c) => c.scheduleLagP99Ms);
    if (lags.length === 0 && runs.length === 0)
      return { verdict: 'unknown', claim: 'no schedule was kept: 0 requests', coverage: 0 };
    const lagMs = Math.max(0, ...runs, ...(lags.length > 0 ? [quantile(lags, 0.99)] : []));
    const limitMs =
      lagShare * Math.min(...network.endpoints.map((e) => resolveWorkload(network, e).targets.ttftMs.max));
    const late = lagMs > limitMs;
    return {
      verdict: late ? 'fail' : 'pass',
      claim: `requests left up to ${ms(lagMs)} (p99) after their intended start against ${ms(limitMs)}`,
      details: late ? ['latencies count from the actual start here; users who wait for a slot see the lag on top'] : [],
      evidence: [
        {
          metric: 'schedule lag p99',
          value: lagMs,
          unit: 'ms',
          n: Math.max(lags.length, runs.length),
          how: 'monotonic clock',
        },
      ],
      remedy: late
        ? {
            text: 'send less at once (--rate of infer, --concurrency), or raise --concurrency where it holds requests back, then measure again',
          }
        : undefined,
    };
  },
);
