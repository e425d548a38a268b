import { againstQuantile } from '../against.ts';
import { quantileClaim } from '../claim.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { gapsOf, requestsOf, stampsOf } from '../samples.ts';
import { count, ms, percentileName } from '../say.ts';
import { stallRemedy, stallTally } from '../stalls.ts';
import { median, sorted } from '../../stats/quantile.ts';

export const tokenGap = perEndpoint(
  { id: 'token-gap', about: 'Do tokens follow each other fast enough?', pillar: 'speed' },
  ({ view, name, targets, class: workload }): Draft => {
    const limit = targets.tokenGapMs;
    const requests = requestsOf(view, name);
    const rising = sorted(gapsOf(requests));
    const how = stampsOf(requests);
    const judged = againstQuantile(rising, limit);
    const typicalMs = median(rising);
    const cadence = typicalMs > limit.max;
    return {
      verdict: judged.verdict,
      claim: quantileClaim('token gap', judged, limit, workload, how),
      details: [judged.n > 0 ? `median gap ${ms(typicalMs)} over ${count(requests.length, 'stream')}` : null],
      evidence: [evidenceOf(`token gap ${percentileName(limit.percentile)}`, 'ms', judged, how)],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text: cadence
                ? `every other gap is longer than ${ms(limit.max)}: the server writes too slowly for this class; add capacity or choose a faster model`
                : stallRemedy(stallTally(requests)),
            }
          : undefined,
    };
  },
);
