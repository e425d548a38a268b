import { findComb } from '../../stats/comb.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { answeredOf, gapsOf, stampsOf } from '../samples.ts';
import { count, percent } from '../say.ts';

/** Fewer gaps than this show no pattern. */
const gapsToJudge = 100;

export const nagleComb = perEndpoint(
  { id: 'nagle-comb', about: 'Do tokens wait for the 40 ms timer of delayed acknowledgements?', pillar: 'speed' },
  ({ view, name }): Draft | null => {
    const streams = answeredOf(view, name);
    const gaps = gapsOf(streams);
    if (gaps.length < gapsToJudge) return null;
    const comb = findComb(gaps);
    const share = comb.apart === 0 ? 0 : comb.onTeeth / comb.apart;
    const evidence = [
      { metric: 'gaps at multiples of 40 ms', value: share, unit: 'share', n: comb.apart, how: stampsOf(streams) },
    ];
    const claim = `${percent(share)} of ${count(comb.apart, 'longer gap')} lie at multiples of 40 ms and ${percent(comb.together / comb.n)} of all tokens come together with others`;
    if (!comb.found) return { verdict: 'pass', claim: `no 40 ms comb: ${claim}`, evidence };
    return {
      verdict: 'fail',
      claim: `40 ms comb: ${claim}`,
      details: [
        "the sender holds small segments back until the last one is acknowledged (Nagle's algorithm), and the acknowledgement waits 40 ms",
      ],
      evidence,
      confidence: 'high',
      remedy: {
        text: 'set TCP_NODELAY on the server and on every proxy that writes the stream (nginx: tcp_nodelay on); on the client TCP_QUICKACK hides it',
        gainMs: 40,
      },
    };
  },
);
