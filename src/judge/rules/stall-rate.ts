import { againstShare } from '../against.ts';
import { shareClaim } from '../claim.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { requestsOf, stampsOf } from '../samples.ts';
import { stallRemedy, stallTally } from '../stalls.ts';

export const stallRate = perEndpoint(
  { id: 'stall-rate', about: 'Are few enough token gaps longer than the class allows?', pillar: 'speed' },
  ({ view, name, targets, class: workload }): Draft => {
    const requests = requestsOf(view, name);
    const tally = stallTally(requests);
    const { gaps, stalls, by } = tally;
    const { max } = targets.stallRate;
    const judged = againstShare(stalls, gaps, max);
    return {
      verdict: judged.verdict,
      claim: shareClaim('token gaps stalled', judged, max, workload, 'gap'),
      details: [
        stalls > 0
          ? `caused by the network ${by.network}, the server ${by.server}, this client ${by.client}, undetermined ${by.undetermined}`
          : null,
      ],
      evidence: [evidenceOf('stall rate', 'share', judged, stampsOf(requests))],
      coverage: judged.coverage,
      remedy: judged.verdict === 'fail' ? { text: stallRemedy(tally) } : undefined,
    };
  },
);
