import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assessSample } from '../../test/fixtures/assess-sample.ts';
import { assessReport } from '../model/assess.ts';
import { cells } from './ansi.ts';
import { renderText } from './text.ts';

const sample = assessSample();
const lines = (columns: number, colors = false) => renderText(sample, { columns, colors }).split('\n');

test('the sample is a valid report', () => {
  expect(assessReport.safeParse(sample).error).toBeUndefined();
});

describe('renderText()', () => {
  test('opens with the run, the verdict and the matrix', () => {
    expect(lines(100).slice(0, 7)).toEqual([
      '3 endpoints · from laptop-fra · 208 requests · 41 s',
      'NOT READY  all 3 endpoints miss a target',
      '',
      '                         speed    scale           reliability    reach    security',
      'eu-chat         chat     FAIL     pass            pass           pass     pass',
      'branch-voice    voice    pass     unknown 50 %    FAIL           pass     unknown 60 %',
      'dc-rag          rag      FAIL     unknown 40 %    pass           pass     FAIL',
    ]);
  });

  test('ends with the verdict and who is to blame, when the report is longer than a screen', () => {
    expect(lines(100).slice(-6)).toEqual([
      'NOT READY  all 3 endpoints miss a target',
      '                         speed    scale           reliability    reach    security        to blame',
      'eu-chat         chat     FAIL     pass            pass           pass     pass            network',
      'branch-voice    voice    pass     unknown 50 %    FAIL           pass     unknown 60 %    network',
      'dc-rag          rag      FAIL     unknown 40 %    pass           pass     FAIL            server',
      '',
    ]);
    const short = { ...sample, findings: [] };
    expect(renderText(short, { columns: 100, colors: false }).split('NOT READY')).toHaveLength(2);
  });

  test('lists the matrix where its columns do not fit', () => {
    expect(lines(60)).toContain('  unknown  scale 50 %, security 60 %');
  });

  test('shows a finding with details, remedy, gain and evidence', () => {
    const text = lines(100);
    const start = text.findIndex((l) => l.startsWith('FAIL eu-chat'));
    expect(text.slice(start, start + 6)).toEqual([
      'FAIL eu-chat  network p99 84 ms [79, 91] against 50 ms for chat (n = 96, kernel stamps)',
      '     58 ms is distance (lowest RTT), 26 ms is queueing that appears when the upload is busy',
      '     the model is not the problem: 212 ms of 296 ms to first token was its own, steady',
      '     → move chat to an endpoint within 50 ms (eu-west-1 measured 19 ms), or fix the queue first with',
      '       a fair queue (fq_codel or CAKE) on the uplink: gains ≈ 26 ms',
      '     network-rtt-target · confidence high · network rtt minimum 58 ms, n = 96, TCP_INFO min_rtt',
    ]);
  });

  test('puts failures first, then unknown, then notes, and counts passes', () => {
    const words = lines(100).flatMap((l) => /^(FAIL|unknown|note|pass) (?!Distances|Raw)/.exec(l)?.[1] ?? []);
    expect(words).toEqual(['FAIL', 'FAIL', 'FAIL', 'FAIL', 'unknown', 'unknown', 'note', 'pass']);
    expect(renderText(sample, { columns: 100, colors: false })).toContain('pass 9 checks passed');
  });

  test('gathers the unknowns of an endpoint, each with what is missing', () => {
    const text = lines(100);
    const start = text.findIndex((l) => l.startsWith('unknown dc-rag'));
    expect(text.slice(start, start + 3)).toEqual([
      'unknown dc-rag  1 check',
      '     p99 under concurrency unknown: needs 260 more samples (concurrency)',
      '       → repeat with --requests 300 --concurrency 8',
    ]);
  });

  test('says who took the time, in words', () => {
    const text = renderText(sample, { columns: 120, colors: false });
    expect(text).toContain('dc-rag  the server is to blame: the server itself took 1.84 s');
    expect(text).toMatch(/▒ server 18\d\d \/ 2\d\d\d ms/);
    expect(text).toMatch(/token gaps stalled: network \d+/);
  });

  test('colours change nothing but colour', () => {
    const plain = renderText(sample, { columns: 90, colors: false });
    const colored = renderText(sample, { columns: 90, colors: true });
    // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
    const stripped = colored.replace(/\u001b\[[0-9;]*m/g, '');
    // Bars have calmer glyphs in colour; everything else is the same text.
    const noBars = (t: string) => t.replace(/[▖▚▞▟█░▒▪■]/g, '#');
    expect(noBars(stripped)).toBe(noBars(plain));
    expect(plain).not.toContain('\u001b');
  });

  test('no line is wider than the terminal, for all widths from 60 to 160', () => {
    const tooWide: string[] = [];
    for (let columns = 60; columns <= 160; columns++) {
      for (const line of [...lines(columns), ...lines(columns, true)]) if (cells(line) > columns) tooWide.push(line);
    }
    expect(tooWide).toEqual([]);
  });

  test('text from a peer neither breaks the width nor reaches the terminal raw', () => {
    const words = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(
      fc.property(words, words, fc.integer({ min: 60, max: 160 }), (name, claim, columns) => {
        const [first, ...rest] = sample.endpoints;
        if (!first) throw new Error('The sample has no endpoint');
        const hostile = {
          ...sample,
          vantage: name,
          endpoints: [{ ...first, name: `\u001b[2J${name}`, blameWhy: claim }, ...rest],
          findings: sample.findings.map((f) => ({ ...f, subject: `${name}\u0007`, claim: `${claim}\u001b]0;x\u0007` })),
          notes: [claim],
        };
        const text = renderText(hostile, { columns, colors: false });
        // oxlint-disable-next-line no-control-regex -- control characters are what must not appear
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        for (const line of text.split('\n')) expect(cells(line)).toBeLessThanOrEqual(columns);
      }),
      { numRuns: 60 },
    );
  });

  test('an endpoint that never answered says why', () => {
    const dead = {
      ...sample,
      observations: sample.observations.map((o) =>
        o.kind === 'inference' && o.to === 'eu-chat'
          ? {
              ...o,
              request: {
                ...o.request,
                outcome: { kind: 'refused' as const, address: '192.0.2.41:8443' },
                phases: { ...o.request.phases, ttftMs: null },
              },
            }
          : o,
      ),
    };
    expect(renderText(dead, { columns: 100, colors: false })).toContain(
      'no first token arrived (first request: connection refused by 192.0.2.41:8443)',
    );
  });

  test('an interrupted run and an empty one still render', () => {
    expect(renderText({ ...sample, interrupted: true }, { columns: 80, colors: false })).toContain('INTERRUPTED');
    const empty = { ...sample, endpoints: [], findings: [], observations: [], notes: [], ready: 'unknown' as const };
    expect(renderText(empty, { columns: 80, colors: false })).toContain('UNKNOWN');
  });
});
