import type { InferenceRequest } from '../../model/inference.ts';
import { median } from '../../stats/quantile.ts';
import { againstStep, stepLimitMs } from '../cost.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { requestsOf, risingOf, stampsOf } from '../samples.ts';
import { ms, needs } from '../say.ts';

export const slowStartUpload = perEndpoint(
  { id: 'slow-start-upload', about: 'Does a large prompt wait for TCP slow start?', pillar: 'speed' },
  ({ view, name, targets }): Draft | null => {
    const large = requestsOf(view, name).filter((r) => (r.upload.rounds ?? 1) >= 2 && costMs(r) !== null);
    if (large.length === 0) return null;
    const judged = againstStep(risingOf(large, costMs), targets);
    const bytes = Math.round(median(risingOf(large, (r) => r.upload.bytes)));
    const rounds = median(risingOf(large, (r) => r.upload.rounds));
    const claim = `prompts of ${bytes.toLocaleString('en-US')} bytes need ${rounds} rounds of slow start, which cost ${ms(judged.value)} beyond one round trip (median of ${judged.n}); ${ms(stepLimitMs(targets))} are acceptable`;
    return {
      verdict: judged.verdict,
      claim: judged.verdict === 'unknown' ? `${claim}: ${needs(judged.missing, 'request')}` : claim,
      evidence: [evidenceOf('upload beyond one RTT p50', 'ms', judged, stampsOf(large))],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text: 'keep the connection open and its window warm (net.ipv4.tcp_slow_start_after_idle=0 on the client), raise the initial window of the route (ip route … initcwnd 40), or send less: reuse the server-side prefix and compress where the API takes it',
              gainMs: judged.value,
            }
          : undefined,
    };
  },
);

/** Time until the last byte was acknowledged, less the one round trip that any request needs. */
function costMs(r: InferenceRequest): number | null {
  const rttMs = r.tcp.minRttMs ?? r.tcp.handshakeRttMs;
  return r.phases.uploadMs === null || rttMs === null ? null : Math.max(0, r.phases.uploadMs - rttMs);
}
