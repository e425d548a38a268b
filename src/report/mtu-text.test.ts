import { describe, expect, test } from 'vitest';
import type { MtuReport } from '../model/mtu-report.ts';
import { cells } from './ansi.ts';
import { renderMtuText } from './mtu-text.ts';

const report: MtuReport = {
  schema: 'inferpath/mtu@1',
  version: '0.0.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 3100,
  target: 'gpu.example:8000',
  expectBytes: 9000,
  expectationMet: false,
  interrupted: false,
  results: [
    {
      kind: 'mtu',
      at: '2026-01-01T00:00:00.000Z',
      from: 'here',
      to: 'gpu.example:8000',
      how: 'ICMP echo (ping socket), DF set',
      outcome: { kind: 'answered' },
      address: '192.0.2.9',
      family: 4,
      method: 'icmp',
      interfaceName: 'eth0',
      interfaceMtuBytes: 9000,
      maxBytes: 9000,
      forward: {
        verdict: 'black-hole',
        why: 'packets of 1450 octets arrive and of 1451 do not, and nobody says "too big" (chance that this is loss: 0.01 %)',
        confirmedBytes: 1450,
        refutedBytes: 1451,
        by: null,
        saidMtuBytes: null,
        chanceOfLoss: 0.0001,
        hop: {
          afterTtl: 1,
          afterAddress: '192.0.2.1',
          beforeTtl: 3,
          beforeAddress: '192.0.2.3',
          confidence: 'medium',
          why: 'one hop in between answers nothing',
        },
      },
      reverse: null,
      tcp: null,
      ladder: [
        { sizeBytes: 9000, sent: 1, acked: 0, tooBig: 1, silent: 0, by: '192.0.2.1', saidMtuBytes: 1500 },
        { sizeBytes: 1451, sent: 4, acked: 0, tooBig: 0, silent: 3, by: null, saidMtuBytes: null },
        { sizeBytes: 1450, sent: 2, acked: 1, tooBig: 0, silent: 1, by: null, saidMtuBytes: null },
        { sizeBytes: 1200, sent: 40, acked: 40, tooBig: 0, silent: 0, by: null, saidMtuBytes: null },
      ],
      reverseLadder: [],
      probes: 47,
      lossShare: 0.05,
      notes: ['a note of \u001b[31mred\u001b[0m text'],
    },
  ],
  advice: ['let ICMP type 3 code 4 pass'],
};

describe('renderMtuText()', () => {
  test('tells the answer, the place, the sizes tried and what to do', () => {
    expect(renderMtuText(report, { columns: 100, colors: false })).toMatchInlineSnapshot(`
      "path MTU to gpu.example:8000 (192.0.2.9)
      leaves by eth0, MTU 9000 · IPv4 · 3.1 s

      there  1450 octets  BLACK HOLE inferred  icmp
        packets of 1450 octets arrive and of 1451 do not, and nobody says "too big" (chance that this is
        loss: 0.01 %)
        between hop 1 (192.0.2.1) and hop 3 (192.0.2.3), medium confidence: one hop in between answers
        nothing
        ICMP echo (ping socket), DF set
        loss of packets that fit: 5 %
        a note of [31mred [0m text

          9000  ✗  1 "too big", says 192.0.2.1: 1500
          1451  ···?  3 without answer, 1 probe open
        ──────────────────────────────────────────────
          1450  ✓·  1 arrived, 1 without answer
          1200  ✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓…  40 arrived

        → let ICMP type 3 code 4 pass

      FAIL  the path does not carry the 9000 octets expected
      "
    `);
  });

  test.each([40, 80, 120])(
    'fits %d columns, with colours or without, and lets no escape of a peer through',
    (columns) => {
      for (const colors of [false, true]) {
        const text = renderMtuText(report, { columns, colors });
        for (const line of text.split('\n')) expect(cells(line), line).toBeLessThanOrEqual(columns);
        expect(text).not.toContain('\u001b[31mred');
      }
    },
  );

  test('an interrupted run without any result says so', () => {
    const text = renderMtuText(
      { ...report, results: [], interrupted: true, advice: [], expectationMet: null },
      { columns: 80, colors: false },
    );
    expect(text).toContain('INTERRUPTED');
    expect(text).toContain('not known whether');
  });

  test('both directions are told where there are two', () => {
    const [one] = report.results;
    const back = { ...one!.forward, verdict: 'limited' as const, confirmedBytes: 1400, refutedBytes: 1401, hop: null };
    const results = [
      {
        ...one!,
        reverse: back,
        reverseLadder: [{ sizeBytes: 1400, sent: 1, acked: 1, tooBig: 0, silent: 0, by: null, saidMtuBytes: null }],
      },
    ];
    const text = renderMtuText({ ...report, results }, { columns: 80, colors: false });
    expect(text).toMatch(/^there {2}1450 octets/m);
    expect(text).toMatch(/^back {3}1400 octets {2}limit found/m);
  });
});
