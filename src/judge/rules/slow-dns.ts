import { isIP } from '../../stats/address.ts';
import { againstStep, stepLimitMs } from '../cost.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { requestsOf } from '../samples.ts';
import { ms, needs, range } from '../say.ts';
import { quantile, sorted } from '../../stats/quantile.ts';

export const slowDns = perEndpoint(
  { id: 'slow-dns', about: 'Does looking up the name cost little?', pillar: 'speed' },
  ({ view, name, url, targets }): Draft | null => {
    if (isIP(url.hostname)) return null;
    const probes = view.of('dns', name).filter((o) => o.outcome.kind === 'answered');
    const inRequests = requestsOf(view, name).map((r) => r.phases.dnsMs ?? NaN);
    const rising = sorted([...probes.map((o) => o.durationMs), ...inRequests]);
    if (rising.length === 0) return null;
    const judged = againstStep(rising, targets);
    const interval = judged.interval ? ` ${range(judged.interval)}` : '';
    const claim = `the median DNS lookup takes ${ms(judged.value)}${interval} against ${ms(stepLimitMs(targets))}, a tenth of the time to first token (n = ${judged.n})`;
    return {
      verdict: judged.verdict,
      claim: judged.verdict === 'unknown' ? `${claim}: ${needs(judged.missing, 'lookup')}` : claim,
      details: [`the slowest lookup took ${ms(quantile(rising, 1))}`],
      evidence: [evidenceOf('DNS lookup p50', 'ms', judged, 'user clock')],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text: 'put a caching resolver near the clients, raise the TTL of the record, or keep connections open so that nobody has to look up',
              gainMs: judged.value,
            }
          : undefined,
    };
  },
);
