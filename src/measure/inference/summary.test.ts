import { describe, expect, test } from 'vitest';
import { inferSummary } from '../../model/infer-report.ts';
import type { InferenceRequest } from '../../model/inference.ts';
import { type ClientFacts, summariseRequests } from './summary.ts';

const fit: ClientFacts = {
  scheduleLagP99Ms: 1,
  eventLoopLagMaxMs: 3,
  readLagP99Ms: 0.2,
  cpuShare: 0.3,
  stamps: 'kernel',
};

/** Only what a summary looks at. */
const request = (change: Record<string, unknown> = {}): InferenceRequest =>
  ({
    outcome: { kind: 'answered' },
    phases: { dnsMs: null, tcpMs: 1, tlsMs: null, uploadMs: 2, ttfbMs: 90, ttftMs: 100, totalMs: 400 },
    split: { ttft: { networkMs: [10, 12], serverMs: [88, 90], evidence: 'kernel' }, total: null },
    stalls: [],
    gaps: [20, 21],
    tpotMs: 20,
    tcp: { requestRttMs: 10 },
    client: { processingMs: 1, eventLoopLagMs: 2 },
    ...change,
  }) as unknown as InferenceRequest;

describe('summariseRequests()', () => {
  test('counts answers, gaps, stalls by cause and grades of evidence, and takes times from answers only', () => {
    const stalls = [{ cause: 'network' }, { cause: 'server' }, { cause: 'server' }];
    const broken = request({ outcome: { kind: 'timedOut' }, stalls, gaps: [9999] });
    const summary = summariseRequests([request(), request({ stalls }), broken], fit);
    expect(inferSummary.parse(summary)).toEqual(summary);
    expect(summary).toMatchObject({
      requests: 3,
      answered: 2,
      evidence: { 'server-reported': 0, kernel: 2, handshake: 0, none: 0 },
      stalls: { gaps: 4, network: 1, server: 2, client: 0, undetermined: 0 },
    });
    const gaps = summary.rows.find((r) => r.metric === 'token gap');
    expect(gaps).toMatchObject({ n: 4, p50: { value: 20.5 } });
    // What never happened has no row.
    expect(summary.rows.map((r) => r.metric)).not.toContain('dns');
  });

  test('gives an interval only where there are samples enough', () => {
    const few = summariseRequests([request(), request()], fit).rows.find((r) => r.metric === 'time to first token');
    expect(few?.p99?.interval).toBeNull();
    const many = summariseRequests(
      Array.from({ length: 100 }, () => request()),
      fit,
    ).rows.find((r) => r.metric === 'time to first token');
    expect(many?.p50?.interval).toEqual([100, 100]);
  });

  test('is whole for no request at all', () => {
    expect(inferSummary.parse(summariseRequests([], fit))).toMatchObject({ requests: 0, rows: [] });
  });

  test.each<[string, Partial<ClientFacts>, Partial<{ processingMs: number }>, boolean]>([
    ['keeps up', {}, {}, false],
    ['reads late', { readLagP99Ms: 8 }, {}, true],
    ['sends late', { scheduleLagP99Ms: 60 }, {}, true],
    ['parses late', {}, { processingMs: 2000 }, true],
    ['stands still where the kernel stamps', { eventLoopLagMaxMs: 80 }, {}, false],
    ['stands still where the loop stamps', { eventLoopLagMaxMs: 80, stamps: 'user' }, {}, true],
  ])('says of a client that %s whether it was the bottleneck', (_, facts, client, bottleneck) => {
    const one = request({ client: { processingMs: 1, eventLoopLagMs: 2, ...client } });
    const verdict = summariseRequests([one], { ...fit, ...facts }).client;
    expect(verdict.bottleneck).toBe(bottleneck);
    expect(verdict.why).toMatch(bottleneck ? /\d/ : /kept up/);
  });
});
