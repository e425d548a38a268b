import type { InferenceRequest } from '../../model/inference.ts';
import { median } from '../../stats/quantile.ts';
import { againstQuantile } from '../against.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { answeredOf, risingOf } from '../samples.ts';
import { count, ms, percent } from '../say.ts';

export const coldConnection = perEndpoint(
  { id: 'cold-connection', about: 'What does it cost that requests open a new connection?', pillar: 'speed' },
  ({ view, name, targets }): Draft | null => {
    const answered = answeredOf(view, name);
    const fresh = answered.filter((r) => !r.reused);
    if (fresh.length < 5) return null;
    const setupMs = median(risingOf(fresh, setupOf));
    const cold = againstQuantile(
      risingOf(fresh, (r) => r.phases.ttftMs),
      targets.ttftMs,
    );
    const warm = againstQuantile(
      risingOf(fresh, (r) => (r.phases.ttftMs ?? NaN) - setupOf(r)),
      targets.ttftMs,
    );
    const harmful = cold.verdict === 'fail' && warm.verdict !== 'fail';
    return {
      verdict: harmful ? 'fail' : 'pass',
      claim: `a new connection costs ${ms(setupMs)} (median of ${fresh.length}) before the request can leave, ${percent(setupMs / targets.ttftMs.max)} of the time allowed to the first token`,
      details: [
        parts(fresh),
        compareReused(answered),
        harmful ? 'without it the time to first token would not miss its target' : null,
      ],
      evidence: [
        {
          metric: 'connection set-up p50',
          value: setupMs,
          unit: 'ms',
          n: fresh.length,
          how: 'DNS, TCP, proxy and TLS phases',
        },
      ],
      remedy: {
        text: 'keep connections open: one client object for the whole program, keep-alive longer than the pause between requests, HTTP/2 where many requests run at once',
        gainMs: setupMs,
      },
    };
  },
);

function setupOf({ phases: p }: InferenceRequest): number {
  return (p.dnsMs ?? 0) + (p.tcpMs ?? 0) + (p.proxyMs ?? 0) + (p.tlsMs ?? 0);
}

function parts(fresh: readonly InferenceRequest[]): string {
  const mid = (phase: 'dnsMs' | 'tcpMs' | 'tlsMs') => ms(median(risingOf(fresh, (r) => r.phases[phase] ?? 0)));
  return `DNS ${mid('dnsMs')}, TCP ${mid('tcpMs')}, TLS ${mid('tlsMs')} (medians)`;
}

function compareReused(answered: readonly InferenceRequest[]): string | null {
  const reused = risingOf(
    answered.filter((r) => r.reused),
    (r) => r.phases.ttftMs,
  );
  if (reused.length < 5) return null;
  const fresh = risingOf(
    answered.filter((r) => !r.reused),
    (r) => r.phases.ttftMs,
  );
  return `median time to first token is ${ms(median(fresh))} on new and ${ms(median(reused))} on kept connections (${count(reused.length, 'request')})`;
}
