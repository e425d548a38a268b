import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answered, disorder, packetOf, sequenceOf, splitLoss } from './direction.ts';

/** What the network does with a packet: how often it reaches the reflector, and for each time whether the answer comes back. */
interface Fate {
  up: 'lost' | 'once' | 'twice';
  down: 'lost' | 'once' | 'twice';
}

/** A reflector and a network without any delay, told step by step. */
function play(fates: readonly Fate[], stateful: boolean) {
  const answers: Answered[] = [];
  let [reflected, clock] = [0, 0];
  const truth = { up: 0, down: 0, unanswered: 0, doubledUp: 0, doubledDown: 0 };
  for (const [n, { up, down }] of fates.entries()) {
    if (up === 'lost') truth.up++;
    for (let i = 0; i < { lost: 0, once: 1, twice: 2 }[up]; i++) {
      const answer = { sequence: sequenceOf(n), reflected: stateful ? reflected : sequenceOf(n), receivedMs: ++clock };
      reflected++;
      const copies = { lost: 0, once: 1, twice: 2 }[down];
      for (let copy = 0; copy < copies; copy++) answers.push({ ...answer, arrivedMs: ++clock });
    }
    if (up !== 'lost' && down === 'lost') truth.down++;
    if (up === 'twice' && down !== 'lost') truth.doubledUp++;
    if (down === 'twice') truth.doubledDown += up === 'twice' ? 2 : up === 'once' ? 1 : 0;
  }
  return { answers, truth };
}

const once: fc.Arbitrary<Fate> = fc.record({
  up: fc.constantFrom('lost' as const, 'once' as const, 'once' as const),
  down: fc.constantFrom('lost' as const, 'once' as const, 'once' as const),
});

describe('sequence numbers', () => {
  test('1 is never sent, and every other number belongs to one packet', () => {
    expect([0, 1, 2, 3].map(sequenceOf)).toEqual([0, 2, 3, 4]);
    for (let n = 0; n < 100; n++) expect(packetOf(sequenceOf(n))).toBe(n);
    expect(packetOf(1)).toBeNull();
  });
});

describe('splitLoss()', () => {
  test('holds the truth of both directions in its ranges, exactly where the last packet was answered', () => {
    fc.assert(
      fc.property(fc.array(once, { maxLength: 60 }), (fates) => {
        const { answers, truth } = play(fates, true);
        const { counting, up, down, reflected } = splitLoss(fates.length, answers);
        if (answers.every(({ sequence }) => sequence === 0)) {
          expect(counting).toBe('unknown');
          return;
        }
        expect(counting).toBe('stateful');
        expect(truth.up >= up![0] && truth.up <= up![1]).toBe(true);
        expect(truth.down >= down![0] && truth.down <= down![1]).toBe(true);
        expect(reflected).toEqual([fates.length - up![1], fates.length - up![0]]);
        const last = fates.at(-1)!;
        if (last.up !== 'lost' && last.down !== 'lost')
          expect([up, down]).toEqual([Array(2).fill(truth.up), Array(2).fill(truth.down)]);
      }),
      { numRuns: 500 },
    );
  });

  test('tells loss by hand: one lost there, two lost back, and one at the end that nobody knows about', () => {
    const fate = (up: Fate['up'], down: Fate['down']): Fate => ({ up, down });
    const ok = fate('once', 'once');
    const { answers } = play(
      [ok, fate('lost', 'once'), ok, fate('once', 'lost'), fate('once', 'lost'), ok, fate('once', 'lost')],
      true,
    );
    expect(splitLoss(7, answers)).toEqual({ counting: 'stateful', up: [1, 2], down: [2, 3], reflected: [5, 6] });
  });

  test('knows a reflector that counts even when all loss is on the way back', () => {
    const fates: Fate[] = Array.from({ length: 21 }, (_, i) => ({ up: 'once', down: i % 3 === 1 ? 'lost' : 'once' }));
    expect(splitLoss(21, play(fates, true).answers)).toMatchObject({ counting: 'stateful', up: [0, 0], down: [7, 7] });
  });

  test('claims no direction for a reflector that repeats our numbers', () => {
    fc.assert(
      fc.property(fc.array(once, { minLength: 1, maxLength: 60 }), (fates) => {
        const { answers } = play(fates, false);
        const { counting, up, down } = splitLoss(fates.length, answers);
        expect(counting).toBe(answers.some(({ sequence }) => sequence > 1) ? 'stateless' : 'unknown');
        expect([up, down]).toEqual([null, null]);
      }),
    );
  });

  test('claims none for numbers that run backwards, as after a restart of the reflector', () => {
    const { answers } = play(
      Array.from({ length: 10 }, () => ({ up: 'once', down: 'once' })),
      true,
    );
    const restarted = answers.map((answer, i) => ({ ...answer, reflected: i < 5 ? i : i - 5 }));
    expect(splitLoss(10, restarted)).toMatchObject({ counting: 'odd', up: null, down: null });
  });

  test('stays within what was sent, whatever the answers say', () => {
    const answer = fc.record({
      sequence: fc.integer({ min: 2, max: 30 }),
      reflected: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      receivedMs: fc.integer({ min: 0, max: 1000 }),
      arrivedMs: fc.integer({ min: 0, max: 1000 }),
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 30 }), (answers) => {
        const { up, down } = splitLoss(30, answers);
        for (const range of [up, down]) {
          if (range === null) continue;
          expect(range[0] >= 0 && range[0] <= range[1] && range[1] <= 30).toBe(true);
        }
        disorder(answers);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('disorder()', () => {
  test('counts what was doubled on each way', () => {
    const fate = fc.record({
      up: fc.constantFrom('lost' as const, 'once' as const, 'twice' as const),
      down: fc.constantFrom('lost' as const, 'once' as const, 'twice' as const),
    });
    fc.assert(
      fc.property(fc.array(fate, { maxLength: 40 }), fc.boolean(), (fates, stateful) => {
        const { answers, truth } = play(fates, stateful);
        expect(disorder(answers)).toEqual({
          duplicates: { up: truth.doubledUp, down: truth.doubledDown },
          reordered: { up: 0, down: 0 },
        });
      }),
    );
  });

  test('tells on which way packets were overtaken', () => {
    const answers = [
      // 2 and 3 change places on the way there; 5 is overtaken by 6 and 7 on the way back.
      { sequence: 0, receivedMs: 1, arrivedMs: 11 },
      { sequence: 3, receivedMs: 2, arrivedMs: 12 },
      { sequence: 2, receivedMs: 3, arrivedMs: 13 },
      { sequence: 4, receivedMs: 4, arrivedMs: 14 },
      { sequence: 5, receivedMs: 5, arrivedMs: 19 },
      { sequence: 6, receivedMs: 6, arrivedMs: 16 },
      { sequence: 7, receivedMs: 7, arrivedMs: 17 },
    ].map((answer, reflected) => ({ ...answer, reflected }));
    expect(disorder(answers).reordered).toEqual({ up: 1, down: 1 });
  });
});
