import { expect, test } from 'vitest';
import { cells } from './ansi.ts';
import type { ThroughputReport, ThroughputTest } from '../model/throughput.ts';
import { renderThroughputText } from './throughput-text.ts';

const rtts = (medianMs: number, p95Ms: number) => ({
  sent: 200,
  received: 198,
  minMs: medianMs - 1,
  medianMs,
  p95Ms,
  p99Ms: p95Ms + 1,
  maxMs: p95Ms + 2,
  histogram: [{ lowMs: medianMs, highMs: p95Ms, count: 198 }],
});
const interval = (i: number, mbitPerS: number) => ({
  startS: i,
  endS: i + 1,
  omitted: i === 0,
  bytes: mbitPerS * 125_000,
  mbitPerS,
  retransmits: 1,
  cwndBytes: 2_000_000,
  tcpRttMs: 180,
  lost: null,
  jitterMs: null,
});
const full: ThroughputTest = {
  protocol: 'tcp',
  parallel: 1,
  blockBytes: 131_072,
  targetMbitPerS: null,
  omitS: 1,
  endedBy: 'time',
  server: 'inferpath',
  directions: [
    {
      direction: 'up',
      mbitPerS: 292.4,
      senderMbitPerS: 300,
      bytes: 365_000_000,
      durationS: 10,
      retransmits: 17,
      congestion: 'cubic',
      udp: null,
      intervals: Array.from({ length: 11 }, (_, i) => interval(i, i === 0 ? 900 : 280 + i)),
      streams: [],
      limitedBy: {
        cause: 'network',
        because: 'the congestion window held the sender up for 96 % of the time',
        shares: { busy: 1, receiverWindow: 0, sendBuffer: 0.04, network: 0.96 },
      },
    },
  ],
  latency: {
    method: 'udp-echo',
    how: 'kernel stamps',
    idle: rtts(40, 41),
    loaded: rtts(185, 193),
    increaseMs: 153,
    grade: 'C',
  },
  cpu: { local: 0.1, busiestThread: 0.1, remote: 0.1 },
};
const report = (test: ThroughputTest | null, more: Partial<ThroughputReport> = {}): ThroughputReport => ({
  schema: 'inferpath/throughput@1',
  version: '0',
  startedAt: '2026-11-23T11:50:00.000Z',
  target: 'server.example',
  address: '192.0.2.7',
  port: 5201,
  how: 'x',
  outcome: { kind: 'answered' },
  test,
  notes: [],
  ...more,
});
const plain = { columns: 80, colors: false };

test('says how fast, how long round trips took meanwhile, who was the limit and what to do', () => {
  expect(renderThroughputText(report(full), plain)).toMatchInlineSnapshot(`
    "throughput to server.example (192.0.2.7), port 5201
    TCP, 1 stream · 10 s · 1 s before it omitted · inferpath server

    up ↑        292 Mbit/s  365 MB received  ██████████
            17 segments sent again · window up to 2 MB · cubic
            limited by the network: the congestion window held the sender up for
            96 % of the time

    rtt         median       p95       max
    idle         40 ms     41 ms     43 ms  ████████
    loaded      185 ms    193 ms    195 ms  ██████████████████████████████████████░░
    grade C  153 ms more at p95 under load: bufferbloat, requests wait behind the
             load
      kernel stamps; n = 198 idle, 198 (2 lost) loaded

      → the queue in front of the slowest link is too long: turn on fq_codel or CAKE
        there, or shape to a little below its rate on a device that has them; until
        then bulk traffic delays every inference request on this path
    "
  `);
});

test.each([40, 60, 80, 120, 200])('no line is wider than a terminal of %d columns', (columns) => {
  const udp = { packets: 1000, lost: 12, lossShare: 0.012, outOfOrder: 3, jitterMs: 0.12 };
  const both = [full.directions[0]!, { ...full.directions[0]!, direction: 'down' as const, udp, retransmits: null }];
  for (const colors of [false, true])
    for (const line of renderThroughputText(report({ ...full, directions: both }), { columns, colors }).split('\n'))
      expect(cells(line)).toBeLessThanOrEqual(columns);
});

test('a test that never ran says why', () => {
  const text = renderThroughputText(report(null, { outcome: { kind: 'refused', address: '192.0.2.7' } }), plain);
  expect(text).toContain('FAILED');
  expect(text).toContain('refused');
});

test('missing round trips give no grade, and an interrupted test says so', () => {
  const latency = { ...full.latency!, idle: null, increaseMs: null, grade: null };
  const text = renderThroughputText(report({ ...full, latency }, { outcome: { kind: 'interrupted' } }), plain);
  expect(text).toContain('no answer');
  expect(text).toContain('no grade');
  expect(text).toContain('INTERRUPTED');
});

test('text of a peer cannot move the cursor', () => {
  const evil = { ...full.directions[0]!, congestion: 'cubic\u001b[2J' };
  expect(renderThroughputText(report({ ...full, directions: [evil] }), plain)).not.toContain('\u001b');
});
