import { describe, expect, it } from 'vitest';
import { readClock } from './clock.ts';
import type { AgentSeen, WatchMemory } from './input.ts';

const t0 = Date.UTC(2026, 0, 1);
const hour = 3_600_000;
const seen = (agent: string, newest: number, arrival: number): AgentSeen => ({
  agent,
  newestSampleMs: newest,
  lastArrivalMs: arrival,
});
const steady: WatchMemory = { evaluatedAtMs: t0 - 10_000, horizonMs: t0 - 10_000, resumedAtMs: t0 - hour, gap: null };
const inStep = [seen('a', t0 - 5000, t0 - 1000), seen('b', t0 - 4000, t0 - 2000)];

describe('readClock()', () => {
  it('judges up to now, and counts the time since the last evaluation', () => {
    expect(readClock(t0, steady, inStep)).toMatchObject({
      horizonMs: t0,
      countedMs: 10_000,
      hold: false,
      aheadMs: 0,
      gap: null,
    });
  });

  it('holds after a gap for a minute, and counts none of it', () => {
    const late = { ...steady, evaluatedAtMs: t0 - hour, horizonMs: t0 - hour };
    const first = readClock(t0, late, inStep);
    expect(first).toMatchObject({ hold: true, countedMs: 0, gap: { fromMs: t0 - hour, toMs: t0 } });
    const half = [seen('a', t0 + 25_000, t0 + 29_000), seen('b', t0 - hour, t0 - hour)];
    const second = readClock(t0 + 30_000, first.memory, half);
    expect(second).toMatchObject({ hold: true });
    expect(readClock(t0 + 60_000, second.memory, [seen('a', t0 + 55_000, t0 + 59_000)])).toMatchObject({
      hold: false,
      gap: null,
    });
  });

  it('does not wait for the rest of the minute when everyone is back', () => {
    const late = { ...steady, evaluatedAtMs: t0 - hour, horizonMs: t0 - hour };
    const first = readClock(t0, late, inStep);
    const back = [seen('a', t0 + 5000, t0 + 9000), seen('b', t0 + 6000, t0 + 9000)];
    expect(readClock(t0 + 10_000, first.memory, back)).toMatchObject({ hold: false });
  });

  it('takes the time of most agents when the clock of the server is an hour off', () => {
    for (const ahead of [hour, -hour]) {
      const now = t0 + ahead;
      const memory = { ...steady, evaluatedAtMs: now - 10_000 };
      const heard = [seen('a', t0 - 5000, now - 1000), seen('b', t0 - 4000, now - 2000)];
      expect(readClock(now, memory, heard)).toMatchObject({ horizonMs: t0 - 4000, aheadMs: ahead + 4000 });
    }
  });

  it('does not follow the clock of a single agent', () => {
    expect(readClock(t0, steady, [...inStep, seen('c', t0 + 9 * hour, t0 - 1000)])).toMatchObject({ horizonMs: t0 });
  });

  it('holds while agents hand over the hours of an outage', () => {
    const memory = { ...steady, horizonMs: t0 - 2 * hour };
    const heard = [seen('a', t0 - hour, t0 - 1000)];
    expect(readClock(t0, memory, heard)).toMatchObject({ hold: true, horizonMs: t0 - hour });
  });
});
