import type { InferenceRequest } from '../../model/inference.ts';
import { median } from '../../stats/quantile.ts';
import { againstShare } from '../against.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { answeredOf, risingOf, stampsOf } from '../samples.ts';
import { ms, needs, percent, range } from '../say.ts';

/** A stream shorter than this cannot show whether it was held back. */
const eventsToJudge = 12;
/** Gaps up to this arrive together as far as a reader is concerned. */
const togetherMs = 1;
/** A burst apart from the next by this is seen by a reader. */
const apartMs = 20;
/** Share of streams that may look buffered before something on the way is blamed: loss makes single streams look so too. */
const tolerated = 0.1;

export const bufferingProxy = perEndpoint(
  { id: 'buffering-proxy', about: 'Do tokens arrive one by one, or held back and in bursts?', pillar: 'speed' },
  ({ view, name }): Draft | null => {
    // Where our own loop was late with user stamps, bursts may be of our own making.
    const streams = answeredOf(view, name).filter(
      (r) => r.gaps.length >= eventsToJudge && (r.stamps === 'kernel' || r.client.eventLoopLagMs < apartMs),
    );
    if (streams.length === 0) return null;
    const held = streams.filter(looksHeld);
    const judged = againstShare(held.length, streams.length, tolerated);
    const interval = judged.interval ? ` ${range(judged.interval, 100)}` : '';
    const claim = `${percent(judged.value)}${interval} of ${streams.length} streams arrive in bursts against ${percent(tolerated)}`;
    return {
      verdict: judged.verdict,
      claim: judged.verdict === 'unknown' ? `${claim}: ${needs(judged.missing, 'stream')}` : claim,
      details: held.length > 0 ? describe(held) : [],
      evidence: [evidenceOf('bursty streams', 'share', judged, stampsOf(streams))],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text: 'turn off response buffering on every proxy between (nginx: proxy_buffering off, or X-Accel-Buffering: no from the server; Envoy: no buffer filter; no compression of text/event-stream), and exclude the endpoint from TLS inspection',
            }
          : undefined,
    };
  },
);

/** Most events come together with others, and nearly all the time of the stream passes between a few bursts, or none passes at all. */
function looksHeld(r: InferenceRequest): boolean {
  let together = 0;
  let betweenMs = 0;
  let totalMs = 0;
  for (const gapMs of r.gaps) {
    if (gapMs <= togetherMs) together++;
    if (gapMs >= apartMs) betweenMs += gapMs;
    totalMs += gapMs;
  }
  if (together < 0.6 * r.gaps.length) return false;
  const atOnce = totalMs < 0.05 * (r.phases.ttftMs ?? 0);
  return atOnce || betweenMs >= 0.8 * totalMs;
}

function describe(held: readonly InferenceRequest[]): string[] {
  const events = median(risingOf(held, (r) => r.eventsPerRead));
  const share = median(risingOf(held, (r) => (r.phases.ttftMs ?? NaN) / (r.phases.totalMs ?? NaN)));
  const apart = median(risingOf(held, (r) => Math.max(...r.gaps.slice(0, 10_000))));
  return [
    `in those, ${events.toFixed(1)} token events come per read and the first token comes after ${percent(share)} of the whole time`,
    `the longest pause between bursts has a median of ${ms(apart)}`,
  ];
}
