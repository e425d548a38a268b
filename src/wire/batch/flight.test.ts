import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Counter, makeColumns, ProbeState } from './columns.ts';
import { Flight, type SweepPlan } from './flight.ts';

const plan: SweepPlan = { roundMs: 100, spacingMs: 10, timeoutMs: 50, graceMs: 30, stampEvery: 1 };

function make(targets: number, rounds: number, more: Partial<SweepPlan> = {}) {
  const columns = makeColumns(targets, rounds);
  columns.family.fill(4);
  const flight = new Flight(columns, { ...plan, ...more });
  flight.startMs = 1000;
  return { columns, flight };
}

describe('Flight', () => {
  test('probes are due by rounds of all targets, whatever became of earlier ones', () => {
    const { flight } = make(2, 2);
    const due: number[] = [];
    while (flight.next < flight.total) {
      due.push(flight.dueMs());
      flight.sent(flight.dueMs() + 3);
    }
    expect(due).toEqual([1000, 1010, 1100, 1110]);
    expect(flight.dueMs()).toBe(Infinity);
    expect(flight.columns.counters[Counter.lagMaxMs]).toBeCloseTo(3);
  });

  test('an answer after its time is late by its stamps, and counts as no answer', () => {
    const { flight, columns } = make(1, 3);
    for (const at of [1000, 1100, 1200]) flight.sent(at);
    flight.answered(0, 49, 49, ProbeState.answered);
    flight.answered(1, 51, 51, ProbeState.answered);
    // Read long after, but its stamps say that it came in time: our own sleep is not the network's.
    flight.expire(1300);
    flight.answered(2, 20, 400, ProbeState.answered);
    expect([...columns.state]).toEqual([ProbeState.answered, ProbeState.late, ProbeState.answered]);
    expect([...columns.rttMs]).toEqual([49, 51, 20]);
    expect(columns.counters[Counter.lost]).toBe(0);
  });

  test('counts duplicates and overtaking by target, once each', () => {
    const { flight, columns } = make(1, 3, { timeoutMs: 1000 });
    for (const at of [1000, 1100, 1200]) flight.sent(at);
    for (const probe of [1, 0, 1, 2]) flight.answered(probe, 5, 5, ProbeState.answered);
    expect([columns.duplicates[0], columns.reordered[0]]).toEqual([1, 1]);
  });

  test('what was on its way while we dropped packets ourselves is unsure, not lost', () => {
    const { flight, columns } = make(3, 1, { spacingMs: 100 });
    for (const at of [1000, 1100, 1200]) flight.sent(at);
    flight.dropped(7, 1120, 1130);
    flight.expire(2000);
    expect([...columns.state]).toEqual([ProbeState.lost, ProbeState.unsure, ProbeState.lost]);
    expect(columns.counters[Counter.ownDrops]).toBe(7);
  });

  test('goes on listening for late answers only where some are missing', () => {
    const all = make(1, 1);
    all.flight.sent(1000);
    all.flight.answered(0, 1, 1, ProbeState.answered);
    expect(all.flight.overMs()).toBe(-Infinity);
    const missing = make(1, 1);
    missing.flight.sent(1000);
    expect(missing.flight.overMs()).toBe(Infinity);
    missing.flight.expire(1051);
    expect(missing.flight.overMs()).toBe(1080);
  });

  test('steps over targets without an address', () => {
    const { flight, columns } = make(3, 2);
    columns.family[1] = 0;
    const sent: number[] = [];
    for (flight.skipUnaddressed(); flight.next < flight.total; flight.skipUnaddressed()) sent.push(flight.sent(1000));
    expect(sent).toEqual([0, 2, 3, 5]);
  });

  test('the books balance after any sequence of events', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('send' as const), probe: fc.constant(0), rtt: fc.constant(0) }),
      fc.record({
        kind: fc.constantFrom('answer' as const, 'other' as const, 'error' as const),
        probe: fc.nat(40),
        rtt: fc.oneof(fc.constant(NaN), fc.double({ min: 0, max: 100, noNaN: true })),
      }),
      fc.record({
        kind: fc.constantFrom('expire' as const, 'drop' as const),
        probe: fc.constant(0),
        rtt: fc.constant(0),
      }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), fc.integer({ min: 1, max: 5 }), (events, targets) => {
        const { flight, columns } = make(targets, 6);
        let nowMs = 1000;
        for (const { kind, probe, rtt } of events) {
          nowMs += 7;
          if (kind === 'send' && flight.next < flight.total) flight.sent(nowMs);
          if (kind === 'answer' && flight.knows(probe)) flight.answered(probe, rtt, 10, ProbeState.answered);
          if (kind === 'other' && flight.knows(probe)) flight.answered(probe, rtt, 10, ProbeState.otherAddress);
          if (kind === 'error' && flight.knows(probe)) flight.undeliverable(probe);
          if (kind === 'expire') flight.expire(nowMs);
          if (kind === 'drop') flight.dropped(1, nowMs - 5, nowMs);
        }
        flight.interrupt();
        const count = (...states: number[]) => columns.state.filter((state) => states.includes(state)).length;
        const { counters } = columns;
        expect(flight.flying).toBe(0);
        expect(counters[Counter.sent]).toBe(flight.next);
        expect(counters[Counter.answered]).toBe(count(ProbeState.answered, ProbeState.refused));
        expect(counters[Counter.lost]).toBe(count(ProbeState.lost, ProbeState.unsure));
        expect(count(ProbeState.notSent)).toBe(flight.total - flight.next);
        expect(counters[Counter.answered]! + counters[Counter.lost]! + counters[Counter.otherEnds]!).toBe(flight.next);
      }),
      { numRuns: 1000 },
    );
  });
});
