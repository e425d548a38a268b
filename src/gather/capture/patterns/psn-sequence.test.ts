import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PsnSequence } from './psn-sequence.ts';

/**
 * A sender that goes back N, a network that loses packets before or behind the tap, a receiver that refuses what comes out of order:
 * what the tap sees, and what really happened.
 */
function goBackN(count: number, start: number, lostBefore: ReadonlySet<number>, lostBehind: ReadonlySet<number>) {
  const sequence = new PsnSequence();
  const truth = { gaps: 0, missing: 0, sentAgain: 0, repeats: 0, rounds: 0 };
  const seen = new Set<number>();
  let highest = -1;
  let expected = 0;
  let transmission = 0;
  let ms = 0;
  const window = 8;
  for (let from = 0; from < count && truth.rounds < 500; from = expected) {
    truth.rounds++;
    let refused = false;
    for (let n = from; n < Math.min(count, from + window); n++, transmission++) {
      ms += 0.01;
      if (lostBefore.has(transmission)) continue;
      if (n > highest) {
        if (n > highest + 1) {
          truth.gaps++;
          truth.missing += n - highest - 1;
        }
        highest = n;
      } else if (seen.has(n)) truth.repeats++;
      else truth.sentAgain++;
      seen.add(n);
      sequence.add((start + n) & 0xff_ffff, 1, ms);
      if (lostBehind.has(transmission)) continue;
      if (n === expected) expected++;
      else if (n > expected) refused = true;
    }
    ms += 20; // the round trip of a NAK, or a timeout
    if (refused) sequence.nak();
  }
  return { sequence, truth };
}

describe('PsnSequence', () => {
  test('counts what a sender that goes back N really did, whatever is lost before and behind the tap', () => {
    const losses = fc.uniqueArray(fc.nat({ max: 300 }), { maxLength: 25 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.nat({ max: 2 ** 24 - 1 }),
        losses,
        losses,
        (count, start, a, b) => {
          // The first packet has to be seen, or the tap knows of no gap before it.
          const { sequence, truth } = goBackN(count, start, new Set(a.filter((n) => n > 0)), new Set(b));
          expect(sequence).toMatchObject({ gaps: truth.gaps, missing: truth.missing });
          expect(sequence.sentAgain).toBe(truth.sentAgain);
          expect(sequence.repeats).toBe(truth.repeats);
          expect(sequence.reordered).toBe(0);
          expect(sequence.neverSeen).toBe(truth.missing - truth.sentAgain);
        },
      ),
    );
  });

  test('packets that overtook each other are reordered, not sent again', () => {
    const sequence = new PsnSequence();
    for (const [i, psn] of [0, 1, 3, 2, 4, 6, 7, 5].entries()) sequence.add(psn, 1, i * 0.01);
    expect(sequence).toMatchObject({ gaps: 2, missing: 2, reordered: 2, sentAgain: 0, repeats: 0, stepsBack: 0 });
  });

  test('a READ takes as many numbers as its answer has packets', () => {
    const sequence = new PsnSequence();
    sequence.add(10, 4, 0);
    sequence.add(14, 1, 1);
    expect(sequence).toMatchObject({ gaps: 0, missing: 0, next: 15 });
  });

  test('after a READ whose answer is of unknown length anything is right', () => {
    const sequence = new PsnSequence();
    sequence.add(10, 0, 0);
    sequence.add(300, 1, 1);
    expect(sequence).toMatchObject({ gaps: 0, missing: 0, next: 301 });
  });

  test('numbers far away are another connection', () => {
    const sequence = new PsnSequence();
    sequence.add(10, 1, 0);
    sequence.add(5_000_000, 1, 1);
    sequence.add(5_000_001, 1, 2);
    expect(sequence).toMatchObject({ gaps: 0, repeats: 0, restarts: 1 });
  });
});
