import { samplesNeeded } from '../../stats/quantile.ts';
import { againstQuantile } from '../against.ts';
import { quantileClaim } from '../claim.ts';
import { evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { requestsOf, risingOf, roundTripsOf } from '../samples.ts';
import { ms, percentileName } from '../say.ts';

export const networkJitter = perEndpoint(
  { id: 'network-jitter', about: 'Does the delay of the network vary little enough (RFC 5481 PDV)?', pillar: 'speed' },
  ({ view, name, targets, class: workload }) => {
    const limit = targets.networkPdvMs;
    const { rising, how } = roundTripsOf(view, name, samplesNeeded(limit.percentile / 100));
    const lowest = rising[0] ?? 0;
    const judged = againstQuantile(
      rising.map((rttMs) => rttMs - lowest),
      limit,
    );
    const oneWay = risingOf(requestsOf(view, name), (r) => r.tcp.pdvMs);
    return {
      verdict: judged.verdict,
      claim: quantileClaim('delay variation (PDV)', judged, limit, workload, how),
      details: [
        judged.n > 0 ? `each sample is a round trip less the lowest one, ${ms(lowest)}` : null,
        oneWay.length > 0
          ? `towards us alone the TCP timestamps of the peer show up to ${ms(oneWay[oneWay.length - 1]!)} above the lowest delay`
          : null,
      ],
      evidence: [evidenceOf(`network PDV ${percentileName(limit.percentile)}`, 'ms', judged, how)],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text: 'find the queue that fills: compare with the trace and with the hours of other traffic, then give inference its own class (DSCP) or use active queue management on that link',
              gainMs: judged.value,
            }
          : undefined,
    };
  },
);
