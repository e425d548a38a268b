import { describe, expect, test } from 'vitest';
import { seededRandom } from './random.ts';
import { mostSquares, sampledSum } from './sampled.ts';

/** Packets of 60 and of 1500 octets, each looked at with chance 1/every; how often the truth lies in the interval. */
function coverage(packets: number, every: number, knowsSquares: boolean): { octets: number; packets: number } {
  const random = seededRandom(every * packets);
  const runs = 2000;
  let [octetsIn, packetsIn, judged] = [0, 0, 0];
  for (let run = 0; run < runs; run++) {
    let [truth, counted, squares, samples] = [0, 0, 0, 0];
    for (let i = 0; i < packets; i++) {
      const size = random() < 0.6 ? 60 : 1500;
      truth += size;
      if (random() * every >= 1) continue;
      samples += 1;
      counted += size;
      squares += size ** 2;
    }
    // A flow without a sample is not in the export.
    if (samples === 0) continue;
    judged += 1;
    const sum = sampledSum();
    sum.add(counted, knowsSquares ? squares : mostSquares(counted, samples, 1500), every);
    const { low, high } = sum.total();
    if (low <= truth && truth <= high) octetsIn += 1;
    const count = sampledSum();
    count.add(samples, samples, every);
    const range = count.total();
    if (range.low <= packets && packets <= range.high) packetsIn += 1;
  }
  return { octets: octetsIn / judged, packets: packetsIn / judged };
}

describe('sampledSum()', () => {
  test.each([
    [400, 10],
    [2000, 100],
    [5000, 1000],
    [20, 2],
  ])('%d packets, one in %d looked at: the truth lies inside 95 times of 100', (packets, every) => {
    const share = coverage(packets, every, false);
    // With the largest squares that can be the interval is wider than it need be, never narrower.
    expect(share.octets).toBeGreaterThan(0.94);
    expect(share.packets).toBeGreaterThan(0.94);
  });

  test('with the squares known it is no wider than it should be', () => {
    const { octets } = coverage(3000, 30, true);
    expect(octets).toBeGreaterThan(0.93);
    expect(octets).toBeLessThan(0.985);
  });

  test('what was not sampled is exact', () => {
    const sum = sampledSum();
    sum.add(1234, 1234 ** 2, 1);
    expect(sum.total()).toEqual({ estimate: 1234, low: 1234, high: 1234 });
  });

  test('never ends below what was counted, and adds up over rates', () => {
    const sum = sampledSum();
    sum.add(1, 1, 2);
    expect(sum.total()).toMatchObject({ estimate: 2, low: 1 });
    sum.add(1000, 1000, 100);
    expect(sum.total().estimate).toBe(100_002);
    expect(sum.total().low).toBeGreaterThan(93_000);
  });
});

test('mostSquares() is the most that numbers can have whose sum is known', () => {
  expect(mostSquares(3000, 2, 1500)).toBe(3000 * 1500);
  expect(mostSquares(100, 5, 1500)).toBe(100 * 1500);
  // No largest part is below their mean.
  expect(mostSquares(90_000, 10, 1500)).toBe(90_000 * 9000);
});
