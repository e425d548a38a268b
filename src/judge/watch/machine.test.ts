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
