import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../model/alert.ts';
import type { Condition, Level } from './condition.ts';
import { flaps, step } from './machine.ts';
import { watchFinding } from './rules.ts';

const condition = (level: Level, more: Partial<Condition> = {}): Condition => ({
  rule: 'endpoint-down',
  subject: 'eu',
  severity: 'page',
  level,
  sinceMs: 5,
  forMs: 0,
  keepMs: 30_000,
  agents: ['a'],
  endpoints: ['eu'],
  where: null,
  blame: 'undetermined',
  members: [],
  isBadSince: undefined,
  finding: () =>
    watchFinding('endpoint-down', 'eu', { severity: 'page', claim: 'it is down', remedy: { text: 'look' } }),
  ...more,
});

/** Far enough from zero that the first check is a minute after it. */
const epochMs = Date.UTC(2026, 0, 1);

/** Levels by letter, ten seconds apart, as the states they lead to; `-` where there is no alert. */
function walk(levels: string, more: Partial<Condition> = {}, hold = ''): string[] {
  const byLetter: Record<string, Level> = { b: 'bad', g: 'good', m: 'between', u: 'unknown' };
  let alert: Alert | undefined;
  return [...levels].map((letter, i) => {
    const tick = { now: i * 10_000, countedMs: i === 0 ? 0 : 10_000, hold: hold[i] === 'h' };
    alert = step(alert, condition(byLetter[letter]!, more), tick);
    return alert?.state ?? '-';
  });
}

describe('step()', () => {
  it.each<[string, string, string[], Partial<Condition>?]>([
    ['nothing', 'gmu', ['-', '-', '-']],
    ['fires at once where nothing is to be waited for', 'b', ['firing']],
    ['waits until it has been bad for long enough', 'bbb', ['pending', 'pending', 'firing'], { forMs: 20_000 }],
    ['forgets what was bad too shortly', 'bbg', ['pending', 'pending', '-'], { forMs: 60_000 }],
    ['does not end between the two thresholds', 'bmmm', ['firing', 'firing', 'firing', 'firing']],
    [
      'recovers, and is over when good for long enough',
      'bgggg',
      ['firing', 'recovering', 'recovering', 'recovering', 'resolved'],
    ],
    [
      'goes on firing when it comes back while recovering',
      'bggbg',
      ['firing', 'recovering', 'recovering', 'firing', 'recovering'],
    ],
    [
      'counts good time anew after a relapse',
      'bggbggg',
      ['firing', 'recovering', 'recovering', 'firing', 'recovering', 'recovering', 'recovering'],
    ],
    ['is unknown, never resolved, when data stop', 'buuuuuuuuu', ['firing', ...Array<string>(9).fill('unknown')]],
    ['is unknown when data stop while it recovers', 'bgu', ['firing', 'recovering', 'unknown']],
    ['comes back from unknown by what the data say', 'bubug', ['firing', 'unknown', 'firing', 'unknown', 'recovering']],
  ])('%s: %s', (_, levels, states, more) => {
    expect(walk(levels, more)).toEqual(states);
  });

  it('neither begins nor ends anything while it holds', () => {
    expect(walk('bbggggggg', {}, 'h hhhhhhh')).toEqual(['-', 'firing', ...Array<string>(7).fill('firing')]);
  });

  it('keeps the id of the trouble, and gives each time that it comes an incident of its own', () => {
    const first = step(undefined, condition('bad'), { now: 0, countedMs: 0, hold: false })!;
    const over = { ...first, state: 'resolved' as const };
    const again = step(over, condition('bad', { sinceMs: 900 }), { now: 1000, countedMs: 10, hold: false })!;
    expect(again.id).toBe(first.id);
    expect(again.incident).not.toBe(first.incident);
  });

  it('lets the severity of an incident rise, never fall', () => {
    const tick = { now: 10, countedMs: 10, hold: false };
    const ticket = step(undefined, condition('bad', { severity: 'ticket' }), tick)!;
    const page = step(ticket, condition('bad'), tick)!;
    expect([ticket.severity, page.severity]).toEqual(['ticket', 'page']);
    expect(step(page, condition('bad', { severity: 'ticket' }), tick)!.severity).toBe('page');
  });

  it('is never resolved without having been good for as long as it has to be, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('b', 'g', 'm', 'u'), { maxLength: 60 }), (letters) => {
        const states = walk(letters.join(''));
        for (const [i, state] of states.entries())
          if (state === 'resolved' && states[i - 1] === 'recovering')
            expect(letters.slice(i - 3, i + 1)).not.toContain('b');
      }),
    );
  });
});

/** One evaluation as it may come. */
interface Turn {
  level: Level;
  dtMs: number;
  hold: boolean;
}

/**
 * The states that an alert goes through, by what they mean and not step by step: at each turn everything since the trouble began is
 * looked at anew. What is held did not happen.
 */
function statesByDefinition(turns: readonly Turn[], forMs: number, keepMs: number): string[] {
  const states: string[] = [];
  let past: { level: Level; dtMs: number; now: number }[] = [];
  let [now, from, firedAt] = [epochMs, -1, -1];
  let marks: { now: number; isBad: boolean }[] = [];
  let [isFlapping, state] = [false, '-'];
  for (const { level, dtMs, hold } of turns) {
    now += dtMs;
    if (!hold) {
      past = [...past, { level, dtMs, now }];
      const i = past.length - 1;
      const since = (begin: number, wanted: Level) =>
        past.slice(begin + 1).reduce((ms, one) => ms + (one.level === wanted ? one.dtMs : 0), 0);
      if (from < 0 && level === 'bad') [from, firedAt] = [i, -1];
      if (from >= 0 || marks.length > 0) {
        if (marks.length === 0 || now - marks.at(-1)!.now >= 60_000)
          marks = [...marks, { now, isBad: level === 'bad' }];
        isFlapping = flapsByDefinition(marks.map(({ isBad }) => isBad).slice(-21), isFlapping);
      }
      if (from >= 0 && firedAt < 0) {
        const isOver = past.slice(from).some((one) => one.level === 'good' || one.level === 'between');
        if (isOver) [from, marks, isFlapping, state] = [-1, [], false, '-'];
        else {
          const fires = level === 'bad' && since(from, 'bad') >= forMs;
          if (fires) firedAt = i;
          state = fires ? 'firing' : 'pending';
        }
      } else if (from >= 0) {
        const trouble = past.findLastIndex((one) => one.level === 'bad' || one.level === 'unknown');
        const good = past.findIndex((one, j) => j > trouble && one.level === 'good');
        if (level === 'unknown') state = 'unknown';
        else if (good < 0) state = 'firing';
        else if (i > good && level === 'good' && since(good, 'good') >= keepMs && !isFlapping)
          [from, state] = [-1, 'resolved'];
        else state = 'recovering';
      }
    }
    states.push(state);
  }
  return states;
}

/** As Nagios defines it: of the last 21 checks the changes, weighted from 0.8 for the oldest possible to 1.2 for the newest. */
function flapsByDefinition(checks: readonly boolean[], before: boolean): boolean {
  const weights = Array.from({ length: 20 }, (_, i) => 0.8 + (0.4 * i) / 19);
  const changes = Array.from({ length: 20 }, (_, i) => {
    const [a, b] = [checks.at(i - 21), checks.at(i - 20)];
    return i - 21 >= -checks.length && a !== b;
  });
  const share = weights.reduce((sum, weight, i) => sum + (changes[i] ? weight : 0), 0) / 20;
  return before ? share >= 0.15 - 1e-12 : share > 0.3 + 1e-12;
}

describe('step() against its definition', () => {
  const lasting = fc
    .array(
      fc.record({
        level: fc.constantFrom<Level>('bad', 'bad', 'good', 'good', 'between', 'unknown'),
        dtMs: fc.constantFrom(5000, 10_000, 30_000, 60_000),
        hold: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
        // Troubles last: most turns are like the one before.
        times: fc.integer({ min: 1, max: 12 }),
      }),
      { maxLength: 40 },
    )
    .map((stretches) => stretches.flatMap(({ times, ...turn }) => Array.from({ length: times }, (): Turn => turn)));
  const comesAndGoes = fc
    .array(fc.tuple(fc.constantFrom<Level>('bad', 'good'), fc.integer({ min: 1, max: 3 })), {
      minLength: 15,
      maxLength: 60,
    })
    .map((stretches) =>
      stretches.flatMap(([level, times]) =>
        Array.from({ length: times }, (): Turn => ({ level, dtMs: 60_000, hold: false })),
      ),
    );
  const arbitraryTurns = fc.oneof(lasting, comesAndGoes);
  const arbitraryMs = fc.constantFrom(0, 10_000, 60_000, 120_000, 600_000);

  it('goes through the states that its definition says, whatever comes and however long things take', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(arbitraryTurns, arbitraryMs, arbitraryMs, (turns, forMs, keepMs) => {
        let alert: Alert | undefined;
        let now = epochMs;
        const states = turns.map(({ level, dtMs, hold }) => {
          now += dtMs;
          alert = step(alert, condition(level, { forMs, keepMs }), { now, countedMs: dtMs, hold });
          if (alert?.flapping) seen.add('flapping');
          return alert?.state ?? '-';
        });
        for (const state of states) seen.add(state);
        expect(states).toEqual(statesByDefinition(turns, forMs, keepMs));
      }),
      { numRuns: 300 },
    );
    expect([...seen].sort()).toEqual(['-', 'firing', 'flapping', 'pending', 'recovering', 'resolved', 'unknown']);
  });

  it('flaps by the same share as its definition, history by history', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[01]{0,21}$/), fc.boolean(), (history, before) => {
        expect(flaps(history, before)).toBe(
          flapsByDefinition(
            [...history].map((bit) => bit === '1'),
            before,
          ),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('flaps()', () => {
  it('is steady for what never changes, changed once, or is new', () => {
    for (const history of ['', '1', '0'.repeat(21), '1'.repeat(21), '0'.repeat(10) + '1'.repeat(11)])
      expect(flaps(history, false)).toBe(false);
  });

  it('flaps when it changes every other minute, and stays so until it is steady', () => {
    const history = '011001100110011001100';
    expect(flaps(history, false)).toBe(true);
    const calmer = '000000000000001100011';
    expect([flaps(calmer, false), flaps(calmer, true)]).toEqual([false, true]);
    expect(flaps('0'.repeat(21), true)).toBe(false);
  });

  it('lets newer changes weigh more', () => {
    const [old, young] = ['010101000000000000000', '000000000000000010101'];
    expect(flaps(young, true)).toBe(true);
    fc.assert(
      fc.property(fc.stringMatching(/^[01]{21}$/), (history) => {
        // Steadier by the upper threshold than by the lower one is impossible.
        if (flaps(history, false)) expect(flaps(history, true)).toBe(true);
      }),
    );
    expect(old.length).toBe(young.length);
  });
});
