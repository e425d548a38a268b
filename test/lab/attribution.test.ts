import { describe, expect, test } from 'vitest';
import { play } from '../../bench/attribution/play.ts';
import { scenarios } from '../../bench/attribution/scenarios.ts';
import { scoreOf, type Judged, type Scored } from '../../bench/attribution/score.ts';
import { programFromSource } from '../fixtures/programs.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

// From source: as built, proxy-http had too many misses in each of three runs where client, relay, server and network shared one
// processor: in the middle of a run something there stands still for 100 ms. What it is has not been found out.
const cli = ['node', ...programFromSource];

const REQUESTS = 30;
const NAMES = ['rtt-50', 'jitter', 'loss-and-stalls', 'proxy-http', 'reported-body'];

/**
 * bench/attribution in small. Its goal is 99 % inside the bounds. First and last token of one request miss together, so what counts
 * are requests: of 150 that are each inside with 99 %, more than seven (5 %) miss once in 5000 runs, while of the 30 of one
 * scenario two miss in every 28th run and more than three (10 %) in one of 5000. So a scenario may have 10 %, all together 5 %.
 * The slack is also for a shared machine, whose server now and then reads a request late, which no bound can know. What is
 * wrong by construction, say a floor that is too high, puts most requests outside.
 */
const OUTSIDE_OF_ONE = 0.1;
const OUTSIDE_OF_ALL = 0.05;
const WRONG_STALLS = 0.05;

const sayMiss = ({ part, networkMs, bounds, id }: Judged) =>
  `${part}: ${networkMs.toFixed(1)} ms was network, [${bounds.map((ms) => ms.toFixed(1)).join(', ')}] was said (${id})`;

describe.skipIf(skipLab)('the truth lies inside the bounds', () => {
  // By name, so that a second try of a scenario replaces its first.
  const playedOf = new Map<string, Scored>();

  test.each(NAMES)('%s', async (name) => {
    const scenario = scenarios.find((one) => one.name === name)!;
    const scored = scoreOf(await play(scenario, { cli, requests: REQUESTS, io: labIo }));
    playedOf.set(name, scored);
    const { score, misses } = scored;
    expect(score).toMatchObject({ answered: REQUESTS, ttft: { n: REQUESTS }, total: { n: REQUESTS } });
    // The list rather than its length, because a failure has to say what was missed.
    expect(misses.length <= OUTSIDE_OF_ONE * 2 * REQUESTS ? [] : misses.map(sayMiss)).toEqual([]);
  });

  test('no stamp of the client undercuts the distance', () => {
    // RTT 50 ms: a network time below it would mean that the client's own clock readings are wrong, whatever the bounds say.
    expect(playedOf.get('rtt-50')?.score.leastNetworkMs).toBeGreaterThan(49.9);
    expect(playedOf.get('rtt-50')?.score.overclaimed).toBe(0);
  });

  test('all together, and stalls blame the right party', () => {
    const played = [...playedOf.values()];
    expect(played.length).toBe(NAMES.length);
    const misses = played.flatMap((one) => one.misses);
    expect(misses.length <= OUTSIDE_OF_ALL * 2 * REQUESTS * NAMES.length ? [] : misses.map(sayMiss)).toEqual([]);
    const stalls = played.map(({ score }) => score.stalls);
    expect(stalls.some(({ right }) => right > 0)).toBe(true);
    const count = stalls.reduce((sum, { right, wrong, undetermined }) => sum + right + wrong + undetermined, 0);
    const wrong = played.flatMap((one) => one.wrongStalls);
    // One of few is chance too.
    expect(wrong.length <= Math.max(1, WRONG_STALLS * count) ? [] : wrong).toEqual([]);
  });
});
