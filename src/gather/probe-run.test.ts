import { describe, expect, test } from 'vitest';
import type { ObservationOf } from '../model/observation.ts';
import type { ImportContext } from './importer.ts';
import { type EchoProbe, probeRun, type RunTotals } from './probe-run.ts';

const endMs = Date.UTC(2026, 10, 26, 22);

function run(
  probes: readonly [sequence: number, atMs: number | null][],
  totals?: RunTotals,
  more: Partial<ImportContext> = {},
) {
  const pings: ObservationOf<'ping'>[] = [];
  const warnings: string[] = [];
  const context: ImportContext = {
    source: 'x.txt',
    from: 'here',
    to: undefined,
    clock: { ms: endMs, of: 'end' },
    intervalMs: undefined,
    zoneMinutes: 0,
    ...more,
  };
  const head = { to: 'there', address: '10.0.0.1', method: 'icmp', tool: 'ping', firstSequence: 1 } as const;
  const reading = probeRun(head, context, {
    observation: (one) => void (one.kind === 'ping' && pings.push(one)),
    unread: () => undefined,
    warning: (_, message) => warnings.push(message),
  });
  const answer = { address: '10.0.0.1', outcome: { kind: 'answered' }, rttMs: 1 } as const satisfies Partial<EchoProbe>;
  for (const [sequence, atMs] of probes) reading.add({ ...answer, sequence, atMs });
  reading.close(totals);
  const short = pings.map((p) => `${p.sequence} ${p.outcome.kind}`);
  return { pings, short, warnings, offsets: pings.map((p) => Date.parse(p.at) - endMs) };
}

describe('probeRun()', () => {
  test('missing numbers are lost, those in front and at the end by what the tool counted', () => {
    const { short } = run(
      [
        [2, null],
        [4, null],
      ],
      { sent: 5, received: 2 },
    );
    expect(short).toEqual(['1 lost', '2 answered', '3 lost', '4 answered', '5 lost']);
  });

  test('answers out of order are no loss', () => {
    expect(
      run(
        [
          [1, null],
          [3, null],
          [2, null],
        ],
        { sent: 3, received: 3 },
      ).short,
    ).toEqual(['1 answered', '2 answered', '3 answered']);
  });

  test('nothing is lost where the lines disagree with the count: somebody left lines out', () => {
    const { short, warnings } = run(
      [
        [1, null],
        [4, null],
      ],
      { sent: 4, received: 4 },
    );
    expect(short).toEqual(['1 answered', '4 answered']);
    expect(warnings).toEqual([expect.stringContaining('4 answers by the tool’s own count'.replace('’', "'"))]);
  });

  test('a gap that no ping makes is told and not counted', () => {
    const { short, warnings } = run([
      [1, null],
      [60_000_000, null],
    ]);
    expect(short).toHaveLength(2);
    expect(warnings[0]).toContain('not counted as loss');
  });

  test('a lost probe is placed between the stamps of its neighbours', () => {
    const { offsets, pings } = run([
      [1, endMs],
      [4, endMs + 3000],
    ]);
    expect(offsets).toEqual([0, 1000, 2000, 3000]);
    expect(pings.map(({ how }) => how.split('; ')[1])).toEqual([
      'time of its line',
      'time between its neighbours',
      'time between its neighbours',
      'time of its line',
    ]);
  });

  test('without stamps the time goes back from the end by what the tool says it took', () => {
    expect(
      run(
        [
          [1, null],
          [2, null],
          [3, null],
        ],
        { sent: 3, received: 3, durationMs: 400 },
      ).offsets,
    ).toEqual([-400, -200, 0]);
  });

  test('without stamps and duration it is the file’s, and says so', () => {
    const { offsets, pings } = run([
      [1, null],
      [2, null],
    ]);
    expect(offsets).toEqual([0, 0]);
    expect(pings[0]?.how).toContain('time of the file, not of the probe');
  });

  test('the user’s start and interval place every probe', () => {
    const clock = { ms: endMs, of: 'start' } as const;
    expect(
      run(
        [
          [1, null],
          [3, null],
        ],
        {},
        { clock, intervalMs: 500 },
      ).offsets,
    ).toEqual([0, 500, 1000]);
  });

  test('a long run is given out while it is read, with each loss once', () => {
    const odd = Array.from({ length: 20_000 }, (_, i): [number, null] => [2 * i + 1, null]);
    const { pings } = run(odd, { sent: 40_000, received: 20_000 });
    expect(pings.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 40_000 }, (_, i) => i + 1));
    expect(pings.filter(({ outcome }) => outcome.kind === 'lost')).toHaveLength(20_000);
  });
});
