import type { InferenceRequest } from '../../model/inference.ts';
import { printable } from '../../model/outcome.ts';
import { wilson } from '../../stats/interval.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { requestsOf, risingOf } from '../samples.ts';
import { count, ms, percent } from '../say.ts';
import { median } from '../../stats/quantile.ts';

export const rateLimited = perEndpoint(
  { id: 'rate-limited', about: 'Does the server turn requests away because there are too many?', pillar: 'scale' },
  ({ view, name }): Draft | null => {
    const requests = requestsOf(view, name);
    const limited = requests.filter(isLimited);
    const told = requests.filter((r) => Object.keys(r.server.rateLimit).length > 0);
    if (limited.length === 0 && told.length === 0) return null;
    const share = requests.length === 0 ? 0 : limited.length / requests.length;
    const evidence = [
      {
        metric: 'rate-limited requests',
        value: share,
        unit: 'share',
        interval: wilson(limited.length, requests.length) ?? [0, 1],
        n: requests.length,
        how: 'status 429, 529, and 503 with retry-after',
      } satisfies NonNullable<Draft['evidence']>[number],
    ];
    if (limited.length === 0)
      return {
        verdict: 'pass',
        claim: `0 of ${count(requests.length, 'request')} were turned away by the rate limit`,
        details: headers(told),
        evidence,
      };
    const waits = risingOf(limited, (r) => (r.outcome.kind === 'rejected' ? r.outcome.retryAfterMs : null));
    return {
      verdict: 'fail',
      claim: `${percent(share)} of ${count(requests.length, 'request')} were turned away by the rate limit of the server: that is not the network`,
      details: [waits.length > 0 ? `the server asks to wait ${ms(median(waits))} (median)` : null, ...headers(told)],
      evidence,
      confidence: 'high',
      remedy: {
        text: 'raise the quota, spread the load over keys or regions, or pace requests by the rate-limit headers; no change of the network helps',
      },
    };
  },
);

/** 429 (RFC 6585), 529 of Anthropic, or 503 that names a time to come back (RFC 9110 §10.2.3). */
export function isLimited({ outcome }: InferenceRequest): boolean {
  if (outcome.kind !== 'rejected') return false;
  return (
    outcome.status === 429 || outcome.status === 529 || (outcome.status === 503 && outcome.retryAfterMs !== undefined)
  );
}

function headers(told: readonly InferenceRequest[]): string[] {
  const last = told.at(-1);
  if (!last) return [];
  const pairs = Object.entries(last.server.rateLimit).slice(0, 4);
  return [
    `the last answer says ${pairs.map(([key, value]) => `${printable(key, 60)}: ${printable(value, 40)}`).join(', ')}`,
  ];
}
