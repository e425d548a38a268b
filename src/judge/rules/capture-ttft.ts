import { median } from '../../stats/quantile.ts';
import { againstQuantile } from '../against.ts';
import { type CapturedAnswer, capturedStreams, howOf } from '../captured.ts';
import { quantileClaim } from '../claim.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { risingOf } from '../samples.ts';
import { count, ms, percentileName } from '../say.ts';

export const captureTtft = perEndpoint(
  { id: 'capture-ttft', about: 'Does the first token come soon enough in captured answers?', pillar: 'speed' },
  ({ view, name, targets, class: workload }): Draft | null => {
    const streams = capturedStreams(view, name);
    if (streams.length === 0) return null;
    const limit = targets.ttftMs;
    const judged = againstQuantile(
      risingOf(streams, (one) => one.ttftMs),
      limit,
    );
    const how = howOf(streams);
    // What the tap saw is less than what the client waited: enough to fail, too little to pass.
    const atTap = streams.filter(({ ttftAt, ttftMs }) => ttftMs !== null && ttftAt === 'tap').length;
    const verdict = judged.verdict === 'pass' && atTap > 0 ? 'unknown' : judged.verdict;
    const claim = quantileClaim('time to first token of captured answers', judged, limit, workload, how);
    return {
      verdict,
      severity: verdict === 'fail' ? 'critical' : 'info',
      claim:
        verdict === judged.verdict
          ? claim
          : `${claim}, of ${count(atTap, 'answer')} at the tap only: the way from there to the client is not known`,
      details: sharesOf(streams),
      evidence: [evidenceOf(`captured TTFT ${percentileName(limit.percentile)}`, 'ms', judged, how)],
      coverage: verdict === judged.verdict ? judged.coverage : 1 - atTap / streams.length,
      remedy: verdict === 'fail' ? { text: remedyFor(streams, limit.max) } : undefined,
    };
  },
);

function sharesOf(streams: readonly CapturedAnswer[]): string[] {
  const known = streams.flatMap(({ split }) => split ?? []);
  if (known.length === 0) return [];
  const [network, server] = [median(known.map((s) => s.networkMs)), median(known.map((s) => s.serverMs))];
  return [
    `in the median of ${count(known.length, 'answer')} the network took ${ms(network)} and server and model ${ms(server)}`,
  ];
}

/** By who took more of the late answers, even when the error of the split is on the other side. */
function remedyFor(streams: readonly CapturedAnswer[], maxMs: number): string {
  const late = streams.flatMap(({ ttftMs, split }) => (split && (ttftMs ?? 0) > maxMs ? [split] : []));
  const sum = (of: (split: (typeof late)[number]) => number) => late.reduce((total, split) => total + of(split), 0);
  const lead = sum(({ networkMs, serverMs }) => serverMs - networkMs);
  const error = 2 * sum(({ plusMinusMs }) => plusMinusMs ?? 0);
  if (lead > error)
    return 'the network cannot fix this: add or speed up serving capacity, shorten prompts, use the prefix cache, or choose a smaller model';
  if (lead < -error)
    return 'shorten the way to the endpoint (nearer site, kept connections) and remove the loss that capture-loss tells of';
  return 'take a capture at the server too: what this one shows does not tell whether network or server takes the time';
}
