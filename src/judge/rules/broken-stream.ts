import type { InferenceRequest } from '../../model/inference.ts';
import { describeOutcome } from '../../model/outcome.ts';
import { againstShare } from '../against.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { requestsOf } from '../samples.ts';
import { needs, percent, range } from '../say.ts';
import { isGarbage } from './bad-protocol.ts';
import { tolerableErrors } from './request-errors.ts';

/** Idle limits that proxies come with, in seconds (ALB and nginx 60, Cloudflare 100 and 120, Envoy 300). */
const idleLimitsS = [30, 60, 100, 120, 300];

export const brokenStream = perEndpoint(
  { id: 'broken-stream', about: 'Do streams that began come to their end?', pillar: 'reliability' },
  ({ view, name }): Draft | null => {
    const begun = requestsOf(view, name).filter((r) => r.tokens.events > 0 || r.phases.ttftMs !== null || isCut(r));
    if (begun.length === 0) return null;
    const broken = begun.filter((r) => r.outcome.kind !== 'answered');
    const judged = againstShare(broken.length, begun.length, tolerableErrors);
    const interval = judged.interval ? ` ${range(judged.interval, 100)}` : '';
    const claim = `${broken.length} of ${begun.length} streams broke off, ${percent(judged.value)}${interval} against ${percent(tolerableErrors)}`;
    const idle = idleLimit(broken);
    return {
      verdict: judged.verdict,
      claim: judged.verdict === 'unknown' ? `${claim}: ${needs(judged.missing, 'stream')}` : claim,
      details: [
        broken[0] ? `for example: ${describeOutcome(broken[0].outcome)}` : null,
        idle === null ? null : `they break off ${idle} s after their start, a usual idle limit of proxies`,
      ],
      evidence: [evidenceOf('broken streams', 'share', judged, 'end marker of the dialect')],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text:
                idle === null
                  ? 'compare with the log of the server by x-request-id: if it wrote the end, something between cut the connection (proxy, NAT or firewall time-out); if not, the server did'
                  : `raise the idle time-out of the proxies between above ${idle} s, or let the server send comment lines while it thinks`,
            }
          : undefined,
    };
  },
);

/** Cut before its first token: by a peer that reset the connection, or by an idle limit on the way. */
function isCut(r: InferenceRequest): boolean {
  return r.outcome.kind === 'brokenStream' && (!isGarbage(r) || idleLimit([r]) !== null);
}

/** The known idle limit that most of these ended at, within 2 %; null when there is none. */
function idleLimit(broken: readonly InferenceRequest[]): number | null {
  const at = (limitS: number) =>
    broken.filter((r) => r.phases.eofMs !== null && Math.abs(r.phases.eofMs / 1000 - limitS) <= limitS * 0.02).length;
  return idleLimitsS.find((limitS) => at(limitS) > broken.length / 2) ?? null;
}
