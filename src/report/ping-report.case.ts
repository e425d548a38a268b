import type { PingReport, PingTarget } from '../model/ping-report.ts';
import { addSample, bucketsOf, makeHistogram } from '../stats/histogram.ts';

/** A target with these round trips, for tests of renderers. */
export function pingTargetSample(
  target: string,
  rttsMs: readonly number[],
  more: Partial<PingTarget> = {},
): PingTarget {
  const histogram = makeHistogram();
  for (const ms of rttsMs) addSample(histogram, ms);
  const rising = [...rttsMs].sort((a, b) => a - b);
  const at = (p: number) => rising[Math.min(rising.length - 1, Math.floor(p * rising.length))]!;
  const none = { lost: 0, late: 0, unreachable: 0, otherAddress: 0, failed: 0, unsure: 0, interrupted: 0 };
  return {
    target,
    address: '192.0.2.1',
    port: null,
    outcome: { kind: 'answered' },
    sent: rttsMs.length,
    answered: rttsMs.length,
    ...none,
    duplicates: 0,
    reordered: 0,
    loss: { share: 0, low: 0, high: 0.3, longestRun: 0, runs: 0 },
    firstMs: rttsMs[0] ?? null,
    rtt:
      rttsMs.length === 0
        ? null
        : {
            count: rttsMs.length,
            minMs: rising[0]!,
            medianMs: at(0.5),
            meanMs: histogram.sum / rttsMs.length,
            p95Ms: at(0.95),
            p99Ms: at(0.99),
            maxMs: rising.at(-1)!,
            pdvP99Ms: at(0.99) - rising[0]!,
            ipdvMedianMs: 0,
            ipdvP99Ms: 0,
            jitter3550Ms: 0,
            histogram: {
              buckets: bucketsOf(histogram).map(({ low, high, count }) => [low, high, count]),
              count: histogram.count,
              sumMs: histogram.sum,
            },
          },
    errorMs: 0.0007,
    ...more,
  };
}

export function pingReportSample(): PingReport {
  const targets = [
    pingTargetSample('a', [1, 2, 4]),
    pingTargetSample('b.example.com', [], {
      outcome: { kind: 'lost' },
      sent: 3,
      lost: 3,
      loss: { share: 1, low: 0.44, high: 1, longestRun: 3, runs: 1 },
      errorMs: null,
    }),
  ];
  return {
    schema: 'inferpath/ping@1',
    version: '0.0.0',
    startedAt: '2026-01-02T03:04:05.000Z',
    durationMs: 2345,
    interrupted: false,
    method: 'icmp',
    how: 'ICMP echo by raw ICMP socket, kernel stamps of sending and receiving',
    options: {
      count: 3,
      intervalMs: 1000,
      ratePerS: 1000,
      timeoutMs: 1000,
      graceMs: 1000,
      payloadBytes: 56,
      dscp: 0,
      port: 33_434,
    },
    summary: {
      targets: 2,
      answering: 1,
      duplicateTargets: 0,
      sent: 6,
      answered: 3,
      lost: 3,
      late: 0,
      unreachable: 0,
      otherAddress: 0,
      failed: 0,
      unsure: 0,
      interrupted: 0,
      duplicates: 1,
      reordered: 0,
      loss: { share: 0.5, low: 0.2, high: 0.8 },
      rtt: targets[0]!.rtt,
    },
    client: {
      scheduleLagMeanMs: 0.1,
      scheduleLagP99Ms: 0.5,
      scheduleLagMaxMs: 0.7,
      ownDrops: 0,
      nicStamps: { state: 'notOffered', interfaces: [], roundTrips: 0 },
      foreign: 0,
      clockStepMs: 0,
      receiveBufferBytes: 1 << 20,
      calibration: {
        packets: 48,
        stampToStampMs: 0.0004,
        stampToStampP95Ms: 0.0007,
        userToStampMs: 0.003,
        userToStampP95Ms: 0.01,
      },
    },
    targets,
    notes: [],
  };
}
