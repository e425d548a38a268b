import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sequenceTracker } from './sequence.ts';

/** Messages in a row, each of so many units, from any number on; what becomes of each on its way. */
const journey = fc.record({
  start: fc.nat(0xffff_ffff),
  messages: fc.array(
    fc.record({
      units: fc.integer({ min: 1, max: 30 }),
      fate: fc.oneof(
        { weight: 6, arbitrary: fc.constant('comes' as const) },
        { weight: 2, arbitrary: fc.constant('lost' as const) },
        { weight: 1, arbitrary: fc.constant('late' as const) },
        { weight: 1, arbitrary: fc.constant('twice' as const) },
      ),
      behind: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 60 },
  ),
});

test('sequenceTracker() counts what was lost, late and twice, as the journey has it', () => {
  fc.assert(
    fc.property(journey, ({ start, messages }) => {
      let number = start;
      const numbered = messages.map((one) => {
        const at = number;
        number = (number + one.units) >>> 0;
        return { ...one, number: at };
      });
      // The first and the last arrive: what lies outside nobody can know of.
      numbered[0]!.fate = 'comes';
      numbered.at(-1)!.fate = 'comes';
      const arrivals = numbered.flatMap((one, i) => {
        if (one.fate === 'lost') return [];
        const place = one.fate === 'late' ? i + one.behind + 0.5 : i;
        const here = [{ ...one, place }];
        return one.fate === 'twice' ? [...here, { ...one, place: i + 0.1 }] : here;
      });
      arrivals.sort((a, b) => a.place - b.place);
      const tracker = sequenceTracker();
      for (const one of arrivals) tracker.see(one.number, one.units, false);
      const lost = numbered.filter(({ fate }) => fate === 'lost').reduce((sum, { units }) => sum + units, 0);
      // Late ones that nothing younger has overtaken came in order after all.
      let newest = -1;
      let late = 0;
      const seen = new Set<number>();
      for (const one of arrivals) {
        const index = numbered.findIndex(({ number: at }) => at === one.number);
        if (index < newest && !seen.has(index)) late += 1;
        seen.add(index);
        newest = Math.max(newest, index);
      }
      expect(tracker.state).toMatchObject({
        lost,
        late,
        duplicates: numbered.filter(({ fate }) => fate === 'twice').length,
        restarts: 0,
        unjudged: 0,
      });
    }),
    { numRuns: 500 },
  );
});

test('an exporter that begins anew loses nothing, whether its clock says it or only its numbers', () => {
  const told = sequenceTracker();
  told.see(5000, 10, false);
  told.see(0, 10, true);
  told.see(10, 10, false);
  expect(told.state).toMatchObject({ lost: 0, restarts: 1, duplicates: 0 });
  const seen = sequenceTracker();
  seen.see(5000, 10, false);
  for (let number = 0; number < 50; number += 10) seen.see(number, 10, false);
  seen.see(70, 10, false);
  expect(seen.state).toMatchObject({ lost: 20, gaps: 1, restarts: 1, duplicates: 0 });
  const far = sequenceTracker();
  far.see(5, 1, false);
  far.see(2_000_000_000, 1, false);
  expect(far.state).toMatchObject({ lost: 0, restarts: 1 });
});

test('after a message whose units nobody can count the next one is not judged', () => {
  const { see, state } = sequenceTracker();
  see(0, 5, false);
  see(5, null, false);
  see(90, 3, false);
  see(93, 1, false);
  expect(state).toEqual({ lost: 0, gaps: 0, late: 0, duplicates: 0, restarts: 0, unjudged: 1 });
});

test('holes that nobody fills do not gather', () => {
  const { see, state } = sequenceTracker();
  for (let number = 0; number < 100_000; number += 2) see(number, 1, false);
  expect(state).toMatchObject({ lost: 49_999, gaps: 49_999 });
});
