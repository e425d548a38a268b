import { describe, expect, test } from 'vitest';
import { stampSummary } from '../../model/stamp.ts';
import { seededRandom } from '../../stats/random.ts';
import { type StampAnswer, type StampRun, summariseStamp } from './summary.ts';

interface World {
  count?: number;
  /** One-way delays of packet n, ms. */
  up?: (n: number) => number;
  down?: (n: number) => number;
  /** Time in the reflector, ms. */
  inside?: (n: number) => number;
  /** The reflector's clock − ours, at a moment. */
  offset?: (atMs: number) => number;
  claimed?: number | null;
}

/** A run of packets every 10 ms whose truth is known. */
function run({
  count = 200,
  up = () => 5,
  down = () => 7,
  inside = () => 1,
  offset = () => 0,
  claimed = null,
}: World): StampRun {
  const packets = Array.from({ length: count }, (_, n) => ({ dueMs: n * 10, sentMs: n * 10 + 0.25, void: false }));
  const answers: StampAnswer[] = packets.map(({ sentMs }, n) => {
    const there = sentMs + up(n);
    const back = there + inside(n);
    return {
      n,
      reflected: n,
      receivedMs: there + offset(there),
      repliedMs: back + offset(back),
      arrivedMs: back + down(n),
      ttl: 60,
      stamped: true,
      dscp: null,
    };
  });
  return { packets, answers, timeoutMs: 1000, sendFailures: 0, clockErrorMs: claimed, dscp: null };
}

describe('summariseStamp()', () => {
  test('takes the time in the reflector out of the round trip, however long it is', () => {
    const summary = summariseStamp(run({ inside: (n) => (n % 7) * 30, offset: () => -86_400_000 }));
    expect(summary.rtt?.minMs).toBeCloseTo(12, 6);
    expect(summary.rtt?.maxMs).toBeCloseTo(12, 6);
    expect(summary.reflectorMs?.maxMs).toBeCloseTo(180, 6);
    expect(summary).toMatchObject({ sent: 200, answered: 200, late: 0, counting: 'stateful', hops: [60, 60] });
    expect(summary.scheduleLagP99Ms).toBeCloseTo(0.25, 6);
    expect(stampSummary.parse(summary)).toEqual(summary);
  });

  test('puts delay variation into the direction that has it, though the clocks are a day apart and drift', () => {
    const next = seededRandom(3);
    const jitter = Array.from({ length: 200 }, () => 20 * next());
    jitter[0] = 0;
    jitter[199] = 0;
    const summary = summariseStamp(run({ up: (n) => 5 + jitter[n]!, offset: (ms) => 86_400_000 + ms * 80e-6 }));
    const rising = jitter.toSorted((a, b) => a - b);
    expect(summary.up.variation!.pdvP99Ms).toBeCloseTo(rising[197]!, 0);
    expect(summary.up.variation!.pdvMaxMs).toBeCloseTo(rising[199]!, 1);
    expect(summary.down.variation!.pdvMaxMs).toBeLessThan(0.05);
    expect(summary.clocks.driftPpm).toBeCloseTo(80, 0);
    expect(summary.clocks).toMatchObject({ stepped: false, synchronised: false });
  });

  test('takes a queue that fills up for what it is, and not for drift', () => {
    const { up, down, clocks } = summariseStamp(run({ down: (n) => 7 + n * 0.1 }));
    expect(clocks.driftPpm).toBeCloseTo(0, 6);
    expect(down.variation!.pdvMaxMs).toBeCloseTo(19.9, 6);
    expect(up.variation!.pdvMaxMs).toBeCloseTo(0, 6);
  });

  test('one-way delays are bounds that hold the truth, whatever the clocks say', () => {
    const world = { up: (n: number) => 5 + (n % 10), down: (n: number) => 7 + (n % 3), offset: () => 12_345 };
    const { up, down, clocks } = summariseStamp(run(world));
    expect(clocks.offsetMs![0]).toBeCloseTo(12_345 - 7, 6);
    expect(clocks.offsetMs![1]).toBeCloseTo(12_345 + 5, 6);
    expect(up.oneWayMs!.low.minMs).toBeCloseTo(0, 6);
    expect(up.oneWayMs!.high.minMs).toBeCloseTo(12, 6);
    expect(up.oneWayMs!.low.medianMs).toBeLessThan(9.5);
    expect(up.oneWayMs!.high.medianMs).toBeGreaterThan(9.5);
    expect(down.oneWayMs!.low.minMs).toBeCloseTo(0, 6);
    expect(down.oneWayMs!.high.minMs).toBeCloseTo(12, 6);
  });

  test('synchronised clocks narrow the bounds to their error, and are not believed when the packets say otherwise', () => {
    const good = summariseStamp(run({ claimed: 0.5, offset: () => 0.2 }));
    expect(good.up.oneWayMs!.low.minMs).toBeCloseTo(4.7, 6);
    expect(good.up.oneWayMs!.high.minMs).toBeCloseTo(5.7, 6);
    expect(good.clocks).toMatchObject({ synchronised: true, errorMs: 0.5 });
    const liar = summariseStamp(run({ claimed: 0.5, offset: () => 40 }));
    expect(liar.clocks).toMatchObject({ synchronised: false, errorMs: null });
  });

  test('a clock that is set in the middle voids what is told of one direction, and not the round trip', () => {
    const { up, down, clocks, rtt } = summariseStamp(run({ offset: (ms) => (ms > 1000 ? 50 : 0) }));
    expect(clocks.stepped).toBe(true);
    expect([up.variation, up.oneWayMs, down.variation, down.oneWayMs]).toEqual([null, null, null, null]);
    expect(rtt?.medianMs).toBeCloseTo(12, 6);
  });

  test('late answers are lost ones in time, but say which way a packet went', () => {
    const world = run({ down: (n) => (n % 10 === 5 ? 2000 : 7) });
    const summary = summariseStamp(world);
    expect(summary).toMatchObject({ sent: 200, answered: 180, late: 20, counting: 'stateful' });
    expect(summary.up.lost).toEqual([0, 0]);
    expect(summary.rtt?.count).toBe(180);
  });

  test('packets around a step of our own clock do not count as delays', () => {
    const world = run({});
    const packets = world.packets.map((packet, n) =>
      n === 9 ? { ...packet, sentMs: packet.sentMs - 500, void: true } : packet,
    );
    expect(summariseStamp({ ...world, packets }).rtt?.maxMs).toBeCloseTo(12, 6);
  });

  test('tells loss of each direction with its interval, out of what was offered to it', () => {
    const world = run({ count: 1000 });
    const answers = world.answers
      .filter(({ n }) => n % 10 !== 3)
      .map((answer, reflected) => ({ ...answer, reflected }))
      .filter(({ reflected }) => reflected % 9 !== 5);
    const { up, down } = summariseStamp({ ...world, answers });
    expect(up).toMatchObject({ offered: [1000, 1000], lost: [100, 100] });
    expect(down).toMatchObject({ offered: [900, 900], lost: [100, 100] });
    expect(up.lossShare![0]).toBeLessThan(0.1);
    expect(up.lossShare![1]).toBeGreaterThan(0.1);
    expect(down.lossShare![0]).toBeLessThan(1 / 9);
    expect(down.lossShare![1]).toBeGreaterThan(1 / 9);
  });

  test('nothing sent and nothing answered are no numbers', () => {
    const none = { ...run({ count: 0 }), answers: [] };
    for (const empty of [none, { ...run({ count: 5 }), answers: [] }]) {
      const summary = summariseStamp(empty);
      expect(summary).toMatchObject({ answered: 0, rtt: null, counting: 'unknown', hops: null });
      expect(stampSummary.parse(summary)).toEqual(summary);
    }
  });
});
