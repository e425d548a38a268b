import { expect, test } from 'vitest';
import { DeadMan } from './dead-man.ts';

const bad = (failuresInARow: number) => ({ failuresInARow, trouble: 'ECONNREFUSED' });
const good = { failuresInARow: 0, trouble: null };

/** Both clocks agree but for so much. */
const at = (monoMs: number, aheadMs = 0) => ({ monoMs, wallMs: monoMs + aheadMs });

test('alarms once after so many missed acknowledgements and so much time, and says when it is over', () => {
  const deadMan = new DeadMan(0, { missedAcks: 3, patienceMs: 60_000 });
  expect(deadMan.look(bad(3), at(30_000))).toBeNull();
  expect(deadMan.look(bad(2), at(70_000))).toBeNull();
  expect(deadMan.look(bad(3), at(75_000))).toEqual({ kind: 'raised', alarm: { sinceMs: 0, why: 'ECONNREFUSED' } });
  expect(deadMan.look(bad(9), at(500_000))).toBeNull();
  expect(deadMan.alarm).toEqual({ sinceMs: 0, why: 'ECONNREFUSED' });
  expect(deadMan.look(good, at(600_000))).toMatchObject({ kind: 'cleared' });
  expect(deadMan.look(good, at(610_000))).toBeNull();
  expect(deadMan.look(bad(3), at(611_000))).toBeNull();
  expect(deadMan.look(bad(4), at(670_000))).toMatchObject({ kind: 'raised', alarm: { sinceMs: 610_000 } });
});

test('a restart of the server is no alarm, and a wall clock that is set neither raises one nor holds one up', () => {
  const day = 86_400_000;
  const deadMan = new DeadMan(1_000_000, { missedAcks: 3, patienceMs: 60_000 });
  expect(deadMan.look(bad(20), at(1_050_000))).toBeNull();
  expect(deadMan.look(bad(21), at(1_051_000, day))).toBeNull();
  expect(deadMan.look(bad(22), at(1_052_000, -day))).toBeNull();
  // Told by the wall clock as it is then.
  const raised = deadMan.look(bad(25), at(1_060_000, -day));
  expect(raised).toMatchObject({ kind: 'raised', alarm: { sinceMs: 1_000_000 - day } });
});
