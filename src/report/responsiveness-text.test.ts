import { describe, expect, test } from 'vitest';
import type { ResponsivenessDirection, ResponsivenessReport } from '../model/responsiveness.ts';
import { draftParameters } from '../measure/responsiveness/core.ts';
import { cells } from './ansi.ts';
import { renderResponsivenessText } from './responsiveness-text.ts';

const upload: ResponsivenessDirection = {
  direction: 'upload',
  outcome: { kind: 'answered' },
  ended: 'stable',
  rpm: 240,
  grade: 'poor',
  foreignRpm: 280,
  loadedRpm: 200,
  goodputMbit: 19.4,
  confidence: { goodput: 'high', responsiveness: 'high' },
  trimmedMeans: { tcpMs: 214, tlsMs: 215, httpMs: 214, selfMs: 300 },
  connections: 8,
  bytes: 97_000_000,
  durationMs: 40_100,
  probes: { foreign: 400, self: 398, failed: 2, skipped: 0, failure: 'timedOut' },
  intervals: [],
};
const report: ResponsivenessReport = {
  schema: 'inferpath/responsiveness@1',
  version: '0',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 41_000,
  url: 'https://nq.example.com/.well-known/nq',
  outcome: { kind: 'answered' },
  interrupted: false,
  parameters: draftParameters,
  idle: { probes: 5, tcpMs: 10, tlsMs: 11, httpMs: 12, rpm: 5454 },
  directions: [upload],
  client: { eventLoopLagP99Ms: 1, eventLoopLagMaxMs: 3, cpuShare: 0.3, bottleneck: false, stamps: 'kernel' },
  notes: [],
};

const render = (more: Partial<ResponsivenessReport> = {}, columns = 80) =>
  renderResponsivenessText({ ...report, ...more }, { columns, colors: false });

describe('renderResponsivenessText()', () => {
  test('tells RPM, round trip, grade, confidence, what it is made of and which targets it meets', () => {
    const text = render({}, 120);
    expect(text).toContain('upload    240 RPM, poor: a round trip takes 250 ms under load');
    expect(text).toContain('confidence high: the result is stable');
    expect(text).toContain('beside the load 200 RPM: request 300 ms');
    expect(text).toContain('50 ms (1200 RPM) not met · 10 ms (6000 RPM) not met');
    expect(text).toContain('398 beside the load, 2 failed (timedOut)');
    expect(text).not.toContain('bottleneck');
  });

  test('says when this client was too slow, and when there is no result', () => {
    const text = render({
      client: { ...report.client, bottleneck: true },
      directions: [
        {
          ...upload,
          rpm: null,
          grade: null,
          trimmedMeans: null,
          ended: 'interrupted',
          outcome: { kind: 'interrupted' },
        },
      ],
    });
    expect(text).toContain('may have been the bottleneck');
    expect(text).toContain('no result: interrupted');
  });

  test('says why the server could not be asked, without its control characters', () => {
    const outcome = { kind: 'rejected' as const, status: 404, message: 'no\u001b[31m such page' };
    const text = render({ outcome, idle: null, directions: [] });
    expect(text).toContain('COULD NOT MEASURE  HTTP 404');
    expect(text).not.toContain('\u001b');
  });

  test('fits the terminal', () => {
    for (const columns of [40, 80, 120])
      for (const line of render({}, columns).split('\n')) expect(cells(line)).toBeLessThanOrEqual(columns);
  });
});
