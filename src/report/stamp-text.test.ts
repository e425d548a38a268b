import { describe, expect, test } from 'vitest';
import type { StampReport } from '../model/stamp-report.ts';
import type { StampSummary } from '../model/stamp.ts';
import { cells } from './ansi.ts';
import { renderStampText } from './stamp-text.ts';

const variation = { pdvMedianMs: 1, pdvP99Ms: 12, pdvMaxMs: 20, ipdvMedianMs: 0.5, ipdvP99Ms: 9, jitter3550Ms: 1 };
const oneWay = { minMs: 0, medianMs: 1, p99Ms: 2 };
const direction: StampSummary['up'] = {
  offered: [200, 200],
  lost: [10, 12],
  lossShare: [0.027, 0.09],
  duplicates: 1,
  reordered: 3,
  variation,
  oneWayMs: { low: oneWay, high: { ...oneWay, medianMs: 17 } },
};
const summary: StampSummary = {
  sent: 200,
  answered: 185,
  late: 2,
  sendFailures: 0,
  rtt: { count: 185, minMs: 17, medianMs: 25, meanMs: 26, p95Ms: 30, p99Ms: 36, maxMs: 40 },
  pdvP99Ms: 19,
  reflectorMs: { medianMs: 0.1, p99Ms: 1, maxMs: 2 },
  counting: 'stateful',
  up: direction,
  down: { ...direction, offered: [188, 190], lost: [3, 5] },
  clocks: { synchronised: false, errorMs: null, offsetMs: [-5, 12], driftPpm: 12, stepped: false },
  hops: [63, 63],
  dscp: { sent: 46, received: [0] },
  scheduleLagP99Ms: 0.2,
  kernelStamped: 1,
};
const report: StampReport = {
  schema: 'inferpath/stamp@1',
  version: '0',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 10_000,
  target: '192.0.2.1:8620',
  interrupted: false,
  result: {
    kind: 'stamp',
    at: '2026-01-01T00:00:00.000Z',
    from: 'here',
    to: '192.0.2.1:8620',
    how: 'STAMP',
    outcome: { kind: 'answered' },
    address: '192.0.2.1',
    port: 8620,
    summary,
  },
};

const render = (more: Partial<StampReport['result']> = {}, columns = 100) =>
  renderStampText({ ...report, result: { ...report.result, ...more } }, { columns, colors: false });

describe('renderStampText()', () => {
  test('sets the two directions side by side, ranges as ranges', () => {
    const text = render();
    expect(text).toContain('185 of 200 answered, 15 lost (7.5 %, 2 of them late)');
    expect(text).toMatch(/^lost +10 to 12 +3 to 5$/m);
    expect(text).toMatch(/^offered +200 +188 to 190$/m);
    expect(text).toMatch(/^one-way delay, median +1 to 17 ms +1 to 17 ms$/m);
    expect(text).toContain('sent with DSCP 46, reaches the reflector as 0');
    expect(text.replaceAll('\n', ' ')).toContain('drift 12 ppm');
  });

  test('never makes a number of what cannot be told', () => {
    const blind = { ...direction, lost: null, lossShare: null, variation: null, oneWayMs: null };
    const clocks = { ...summary.clocks, stepped: true };
    const text = render({ summary: { ...summary, counting: 'stateless', up: blind, down: blind, clocks } });
    expect(text).toMatch(/^lost +cannot tell +cannot tell$/m);
    expect(text).toMatch(/^one-way delay, median +cannot tell +cannot tell$/m);
    expect(text).toContain('a clock was set during the run');
    expect(text).toContain('which way packets got lost cannot be told');
  });

  test('says why there is nothing', () => {
    const text = render({ summary: null, outcome: { kind: 'refused', address: '192.0.2.1' } });
    expect(text).toContain('NO ANSWER  connection refused by 192.0.2.1');
    expect(text).not.toContain('round trip');
  });

  test('fits the terminal', () => {
    for (const columns of [40, 60, 80, 120])
      for (const line of render({}, columns).split('\n'))
        expect(cells(line)).toBeLessThanOrEqual(Math.max(columns, 46));
  });
});
