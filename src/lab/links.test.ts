import { describe, expect, test } from 'vitest';
import { LOST, makeLinks, passLink, QUEUE_FULL } from './links.ts';
import type { PlanDirection } from './plan.ts';
import { makeStreams, uniform } from './random.ts';

const plain: PlanDirection = {
  from: 0,
  to: 1,
  entry: { v4: '10.1.0.2', v6: 'fd00:1::2', index: 1 },
  cost: 1,
  delayMs: 10,
  jitterMs: 0,
  lossRatio: 0,
  meanBurst: 0,
  reorderRatio: 0,
  reorderMs: 2,
  duplicateRatio: 0,
  rateMbit: 0,
  queuePackets: 0,
  queueMs: 100,
  codel: false,
  mtu: 1500,
};

/** Arrival times of `count` packets of 1000 bytes offered every `everyMs`. */
function pass(settings: Partial<PlanDirection>, count: number, everyMs = 1, seed = 1): number[] {
  const links = makeLinks([{ ...plain, ...settings }], seed);
  return Array.from({ length: count }, (_, index) => passLink(links, 0, index * everyMs, 1000));
}

const lossOf = (arrivals: readonly number[]) => arrivals.filter((at) => at === LOST).length / arrivals.length;

describe('uniform()', () => {
  test('is even: every sixteenth of [0, 1) gets its share, within four standard deviations', () => {
    const streams = makeStreams(3, 4);
    const bins = Array.from({ length: 16 }, () => 0);
    const n = 160_000;
    for (let draw = 0; draw < n; draw += 1) bins[Math.floor(uniform(streams, 2) * 16)]! += 1;
    const sigma = Math.sqrt((n / 16) * (15 / 16));
    for (const count of bins) expect(Math.abs(count - n / 16)).toBeLessThan(4 * sigma);
  });

  test('gives a stream the same numbers whatever the other streams do', () => {
    const [one, two] = [makeStreams(9, 2), makeStreams(9, 5)];
    uniform(two, 0);
    expect([uniform(one, 1), uniform(one, 1)]).toEqual([uniform(two, 1), uniform(two, 1)]);
    expect(uniform(makeStreams(10, 2), 1)).not.toBe(uniform(makeStreams(9, 2), 1));
  });
});

describe('passLink()', () => {
  test('adds exactly the delay on a clean link', () => {
    expect(pass({}, 3)).toEqual([10, 11, 12]);
  });

  test.each([0.001, 0.01, 0.3])('loses a share of %f at random, within four standard deviations', (lossRatio) => {
    const n = 100_000;
    const sigma = Math.sqrt((lossRatio * (1 - lossRatio)) / n);
    expect(Math.abs(lossOf(pass({ lossRatio }, n)) - lossRatio)).toBeLessThan(4 * sigma);
  });

  test('loses in bursts of the wanted mean length, at the wanted rate', () => {
    const arrivals = pass({ lossRatio: 0.05, meanBurst: 8 }, 400_000);
    const bursts = arrivals.filter((at, index) => at === LOST && arrivals[index - 1] !== LOST).length;
    const lost = arrivals.filter((at) => at === LOST).length;
    // About 2500 bursts with a geometric length: the mean's standard error is 8 / sqrt(2500) = 0.16.
    expect(Math.abs(lost / bursts - 8)).toBeLessThan(0.7);
    expect(Math.abs(lost / arrivals.length - 0.05)).toBeLessThan(0.006);
  });

  test('loses the same packets again with the same seed, others with another, and the same when jitter is added', () => {
    const lost = (arrivals: number[]) => arrivals.map((at) => at === LOST);
    const first = lost(pass({ lossRatio: 0.2 }, 500));
    expect(lost(pass({ lossRatio: 0.2 }, 500))).toEqual(first);
    expect(lost(pass({ lossRatio: 0.2, jitterMs: 3 }, 500))).toEqual(first);
    expect(lost(pass({ lossRatio: 0.2 }, 500, 1, 2))).not.toEqual(first);
  });

  test('spreads jitter evenly over its range and keeps the order', () => {
    const arrivals = pass({ jitterMs: 5 }, 2000, 10);
    const extra = arrivals.map((at, index) => at - 10 * index - 10);
    expect(Math.min(...extra)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...extra)).toBeLessThan(5);
    expect(Math.abs(extra.reduce((sum, one) => sum + one, 0) / 2000 - 2.5)).toBeLessThan(0.15);
    const dense = pass({ jitterMs: 5 }, 2000, 0.1);
    expect(dense).toEqual(dense.toSorted((a, b) => a - b));
  });

  test('holds reordered packets back so that later ones overtake them', () => {
    const arrivals = pass({ reorderRatio: 0.1, reorderMs: 2.5 }, 20_000);
    const late = arrivals.filter((at, index) => at === index + 12.5).length;
    expect(arrivals.every((at, index) => at === index + 10 || at === index + 12.5)).toBe(true);
    expect(Math.abs(late / 20_000 - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / 20_000));
  });

  test('spaces packets at the rate: 1000 bytes at 8 Mbit/s take one millisecond', () => {
    expect(pass({ rateMbit: 8 }, 4, 0)).toEqual([11, 12, 13, 14]);
  });

  test('lets exactly the queue length wait, in packets, and takes packets again as it drains', () => {
    const links = makeLinks([{ ...plain, rateMbit: 8, queuePackets: 2 }], 1);
    // One on the wire, two waiting, the rest dropped.
    expect([0, 0, 0, 0].map((at) => passLink(links, 0, at, 1000))).toEqual([11, 12, 13, QUEUE_FULL]);
    expect(passLink(links, 0, 1, 1000)).toBe(14);
    expect(passLink(links, 0, 1.5, 1000)).toBe(QUEUE_FULL);
    expect(passLink(links, 0, 50, 1000)).toBe(61);
  });

  test('lets a packet wait at most the queue length, in milliseconds', () => {
    const arrivals = pass({ rateMbit: 8, queueMs: 2 }, 6, 0);
    expect(arrivals).toEqual([11, 12, 13, QUEUE_FULL, QUEUE_FULL, QUEUE_FULL]);
  });
});
