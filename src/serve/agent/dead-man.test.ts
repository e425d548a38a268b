import { expect, test } from 'vitest';
import { DeadMan } from './dead-man.ts';

const bad = (failuresInARow: number) => ({ failuresInARow, trouble: 'ECONNREFUSED' });
const good = { failuresInARow: 0, trouble: null };

test('alarms once after so many missed acknowledgements and so much time, and says when it is over', () => {
  const deadMan = new DeadMan(0, { missedAcks: 3, patienceMs: 60_000 });
  expect(deadMan.look(bad(3), 30_000)).toBeNull();
  expect(deadMan.look(bad(2), 70_000)).toBeNull();
  expect(deadMan.look(bad(3), 75_000)).toEqual({ kind: 'raised', alarm: { sinceMs: 0, why: 'ECONNREFUSED' } });
  expect(deadMan.look(bad(9), 500_000)).toBeNull();
  expect(deadMan.alarm).toEqual({ sinceMs: 0, why: 'ECONNREFUSED' });
  expect(deadMan.look(good, 600_000)).toMatchObject({ kind: 'cleared' });
  expect(deadMan.look(good, 610_000)).toBeNull();
  expect(deadMan.look(bad(3), 611_000)).toBeNull();
  expect(deadMan.look(bad(4), 670_000)).toMatchObject({ kind: 'raised', alarm: { sinceMs: 610_000 } });
});

test('a restart of the server is no alarm, and a clock that is set back does not hold one up for ever', () => {
  const deadMan = new DeadMan(1_000_000, { missedAcks: 3, patienceMs: 60_000 });
  expect(deadMan.look(bad(20), 1_050_000)).toBeNull();
  expect(deadMan.look(bad(21), 0)).toBeNull();
  expect(deadMan.look(bad(25), 60_000)).toMatchObject({ kind: 'raised' });
});
