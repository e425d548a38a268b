import type { InferenceRequest } from '../../model/inference.ts';
import { describeOutcome } from '../../model/outcome.ts';
import { againstShare } from '../against.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { requestsOf } from '../samples.ts';
import { needs, percent, range } from '../say.ts';
import { isLimited } from './rate-limited.ts';

/** Requests that may fail: an availability of 99 %, the lowest that public inference APIs promise. Our own choice. */
export const tolerableErrors = 0.01;

export const requestErrors = perEndpoint(
  { id: 'request-errors', about: 'Do enough requests get their whole answer?', pillar: 'reliability' },
  ({ view, name }): Draft => {
    // What the rate limit turned away is a matter of quota and has its own finding.
    const requests = requestsOf(view, name).filter((r) => !isLimited(r));
    const failed = requests.filter((r) => r.outcome.kind !== 'answered');
    const judged = againstShare(failed.length, requests.length, tolerableErrors);
    const interval = judged.interval ? ` ${range(judged.interval, 100)}` : '';
    const claim = `${failed.length} of ${requests.length} requests failed, ${percent(judged.value)}${interval} against ${percent(tolerableErrors)}`;
    return {
      verdict: judged.verdict,
      severity: judged.verdict === 'fail' ? 'critical' : 'info',
      claim: judged.verdict === 'unknown' ? `${claim}: ${needs(judged.missing, 'request')}` : claim,
      details: kinds(failed),
      evidence: [evidenceOf('failed requests', 'share', judged, 'outcomes')],
      confidence: judged.verdict === 'unknown' ? 'low' : 'high',
      coverage: judged.coverage,
      remedy: judged.verdict === 'fail' ? { text: advice(failed) } : undefined,
    };
  },
);

/** The three most frequent ways of failing, each with an example. */
function kinds(failed: readonly InferenceRequest[]): string[] {
  const groups = new Map<string, { times: number; example: InferenceRequest }>();
  for (const r of failed) {
    const group = groups.get(keyOf(r));
    if (group) group.times++;
    else groups.set(keyOf(r), { times: 1, example: r });
  }
  const top = [...groups.values()].sort((a, b) => b.times - a.times).slice(0, 3);
  return top.map(({ times, example }) => `${times} times: ${describeOutcome(example.outcome)}`);
}

function keyOf({ outcome: o }: InferenceRequest): string {
  if (o.kind === 'rejected') return `rejected ${o.status}`;
  if (o.kind === 'failed') return `failed ${o.phase} ${o.errno}`;
  return o.kind === 'timedOut' ? `timedOut ${o.phase}` : o.kind;
}

function advice(failed: readonly InferenceRequest[]): string {
  const is = (kind: InferenceRequest['outcome']['kind']) => failed.filter((r) => r.outcome.kind === kind).length;
  const onTheWay = is('unreachable') + is('lost');
  if (is('rejected') >= failed.length / 2)
    return 'the server rejects them itself: read its message above; credentials, model name and capacity are the usual causes';
  if (is('refused') >= failed.length / 2)
    return 'the host answers but nothing listens on the port: start the service or correct port and firewall';
  if (onTheWay >= failed.length / 2)
    return 'there is no way to the host: check routes, security groups and firewalls between here and there';
  return 'look at each kind above: time-outs before the first byte point to overload or a firewall that drops, resets within streams to a proxy with an idle limit';
}
