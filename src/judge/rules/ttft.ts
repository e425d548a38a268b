import { median } from '../../stats/quantile.ts';
import { againstQuantile } from '../against.ts';
import { add, emptyLedger, leader, ttftExcess } from '../blame.ts';
import { quantileClaim } from '../claim.ts';
import { type Draft, evidenceOf, perEndpoint, type Subject } from '../per-endpoint.ts';
import { requestsOf, risingOf, stampsOf, ttftsOf } from '../samples.ts';
import { ms, percentileName, range } from '../say.ts';

export const ttft = perEndpoint(
  { id: 'ttft', about: 'Does the first token come soon enough?', pillar: 'speed' },
  (subject): Draft => {
    const limit = subject.targets.ttftMs;
    const requests = requestsOf(subject.view, subject.name);
    const how = stampsOf(requests);
    const judged = againstQuantile(ttftsOf(requests), limit);
    const blamed = judged.verdict === 'fail' ? blame(subject) : null;
    return {
      verdict: judged.verdict,
      severity: judged.verdict === 'fail' ? 'critical' : 'info',
      claim: quantileClaim('time to first token', judged, limit, subject.class, how),
      details: [medians(subject), blamed?.why ?? null],
      evidence: [evidenceOf(`TTFT ${percentileName(limit.percentile)}`, 'ms', judged, how)],
      confidence: judged.verdict === 'unknown' ? 'low' : how === 'kernel stamps' ? 'high' : 'medium',
      coverage: judged.coverage,
      remedy: blamed ? { text: remedies[blamed.who] } : undefined,
    };
  },
);

const remedies = {
  network:
    'shorten the way or the set-up: nearer endpoint, kept connections, TLS 1.3; see network-rtt, cold-connection and slow-start-upload for what each gains',
  server:
    'the network cannot fix this: add or speed up serving capacity, shorten the prompt, use the prefix cache, or choose a smaller model',
  client: 'free the client: it spends the time itself before and between its own packets; see client-bottleneck',
  undetermined:
    'let the server report its own time (for vLLM --enable-per-request-metrics, or a Server-Timing header), then measure again to learn whose time it is',
  none: 'measure again with more requests',
};

function blame({ view, name, targets }: Subject): { who: keyof typeof remedies; why: string } {
  const missing = requestsOf(view, name).filter((r) => (r.phases.ttftMs ?? 0) > targets.ttftMs.max);
  const ledger = missing.reduce((sum, r) => add(sum, ttftExcess(r, targets)), emptyLedger());
  const who = leader(ledger);
  const each = (sum: number) => ms(sum / Math.max(1, missing.length));
  const why = `of what the ${missing.length} late requests are over, per request the network took ${each(ledger.network)} beyond its allowance, the server ${each(ledger.server)}, this client ${each(ledger.client)}; ${each(ledger.undetermined)} is undetermined`;
  return { who, why };
}

function medians({ view, name }: Subject): string | null {
  const split = requestsOf(view, name).filter((r) => r.split.ttft !== null);
  if (split.length === 0) return null;
  const mid = (side: 'networkMs' | 'serverMs', end: 0 | 1) => median(risingOf(split, (r) => r.split.ttft?.[side][end]));
  const bounds = (side: 'networkMs' | 'serverMs') => `${range([mid(side, 0), mid(side, 1)])} ms`;
  return `in the median request the network took ${bounds('networkMs')} and the server ${bounds('serverMs')} of ${ms(median(risingOf(split, (r) => r.phases.ttftMs)))}`;
}
