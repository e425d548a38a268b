import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diamond, sampleMoment } from '../../test/fixtures/trace-sample.ts';
import { plainPath } from '../judge/path/simulated.case.ts';
import { cells } from './ansi.ts';
import { trail, traceKeys, traceScreen, type TraceViewState } from './trace-screen.ts';

const before = plainPath(7).map((h) => ({ ...h, addresses: h.addresses.map((a) => a.replace('10.', '172.16.')) }));
const moment = sampleMoment({ before, graph: diamond() });
const state: TraceViewState = { path: 0, ttl: 1, showNames: true, showAsn: true, isPaused: false, pane: 'hop' };
const size = { columns: 80, rows: 24 };
const screen = (change: Partial<TraceViewState> = {}, at = size) =>
  traceScreen(moment, { ...state, ...change }, at, false);

describe('traceScreen()', () => {
  test('shows head, hops, details of the selected hop, and the keys', () => {
    expect(screen({ ttl: 6 }).join('\n')).toMatchInlineSnapshot(`
      "api.example.com:443 (10.0.7.1) · TCP port 443                   round 200 · 50 s
      path 1 of 2 4df797b13bc1 · 50 % of rounds · flow 0 · 1 change, last 03:04:30
      hop  address                           unansw.  sent    min median    p95 jitter
        1  10.0.1.1                             0 %    100   2.00   2.10   2.19   0.20
        2  10.0.2.1                            74 %~   100   4.01   4.09   4.17   0.18
        3  10.0.3.1                             0 %    100   6.00   6.11   6.19   0.20
        4  *                                  silent   100
        5  10.0.5.1                             0 %    100   10.0   10.1   10.2   0.19
      ▸ 6  10.0.6.1                            15 %!   100   52.0   52.1   52.2   0.20
        7  10.0.7.1                            24 %!   100   54.0   54.1   54.2   0.19
      ────────────────────────────────────────────────────────────────────────────────
      hop 6  10.0.6.1
      85 of 100 answered · min 52, median 52.1, p95 52.2, max 52.2 ms · lasting 52.1 …
      latest    ▄×▇×▅▄×▆▁▆▁▃××▂▂▂▅▇▄▄▁▁▁█▃▆▄█×▂▄▃▄▄▆▅▄▆×▂×▃▇█▆▁▆▆▁××▅▇▆×▆▄▇▁▇█×█▆▅▃▆█▂
      spread    52 ms ▅▄  ▂▂▄▄▂▂▂▂▂ ▂▂▄▂▄ ▂▇▂▂▇ ▂▅▂▂▂▄ ▅▂▂▄▇ ▅▇ ▄▄▂▅▂ ▂▂█▄ ▂▅▄ 52.2 ms
      delay is added here: +42 ms [42, 42.1] since hop 5
      real loss [9.31, 23.3]: all later hops lose as much






      q quit · p pause · r reset · ↑↓ hop · tab path · v verdict · g graph · h help"
    `);
  });

  test('fills exactly the terminal, of whatever size, and no line is wider', () => {
    const views = fc.record({
      columns: fc.integer({ min: 20, max: 200 }),
      rows: fc.integer({ min: 5, max: 60 }),
      path: fc.nat(1),
      ttl: fc.integer({ min: 1, max: 7 }),
      pane: fc.constantFrom('hop', 'verdict', 'graph', 'help' as const),
      colors: fc.boolean(),
    });
    fc.assert(
      fc.property(views, ({ columns, rows, path, ttl, pane, colors }) => {
        const lines = traceScreen(moment, { ...state, path, ttl, pane }, { columns, rows }, colors);
        expect(lines).toHaveLength(rows);
        // The view clips what is too wide on a very small terminal; from 60 columns on nothing has to be cut.
        if (columns >= 60) for (const line of lines) expect(cells(line), line).toBeLessThanOrEqual(columns);
      }),
      { numRuns: 200 },
    );
  });

  test('the selected hop is visible however small the terminal', () => {
    for (let rows = 8; rows < 30; rows++)
      for (const ttl of [1, 4, 7])
        expect(screen({ ttl }, { columns: 80, rows }).some((line) => line.startsWith(`▸ ${ttl} `))).toBe(true);
  });

  test('a terminal with colours shows the selection by them', () => {
    const lines = traceScreen(moment, { ...state, ttl: 3 }, size, true);
    expect(lines.filter((l) => l.includes('\u001b[7m'))).toHaveLength(1);
  });

  test.each([
    ['help', /begin all counts anew/],
    ['verdict', /loss is real/],
    ['graph', /2 paths, 4 interfaces/],
  ] as const)('the pane %s', (pane, says) => {
    expect(screen({ pane }).join('\n')).toMatch(says);
  });

  test('says that it is frozen, and which of several paths is shown', () => {
    expect(screen({ isPaused: true })[0]).toMatch(/PAUSED$/);
    expect(screen({ path: 1 })[1]).toMatch(
      /^path 2 of 2 [0-9a-f]{12} · 50 % of rounds · no longer taken · 1 change, last/,
    );
  });

  test('before the first round it shows what discovery has', () => {
    const early = { report: { ...moment.report, paths: [] }, booked: [], activity: 'looking for paths: 12 probes' };
    const text = traceScreen(early, state, size, false).join('\n');
    expect(text).toContain('looking for paths: 12 probes');
    expect(text).toContain('10.0.2.2');
  });

  test('every key of the hint is explained in the help', () => {
    const explained = traceKeys.flatMap(([keys]) => keys.split(/, | /));
    const hinted = screen()
      .at(-1)!
      .split(' · ')
      .map((part) => part.split(' ')[0]!);
    for (const key of hinted) expect(explained.join(' ')).toContain(key === '↑↓' ? '↑ ↓' : key);
  });
});

describe('trail()', () => {
  test('is one cell per probe, between the least and the greatest, with losses marked', () => {
    const probe = (rttMs: number | null, answered = true) => ({ atMs: 0, rttMs, answered });
    expect(trail([probe(10), probe(20), probe(15), probe(null, false), probe(null)], 10)).toBe('▁█▅×?');
    expect(trail([probe(10), probe(10)], 10)).toBe('▁▁');
    expect(trail([probe(1), probe(2), probe(3)], 2)).toBe('▁█');
    expect(trail([], 5)).toBe('');
  });
});
