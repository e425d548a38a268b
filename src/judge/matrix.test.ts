import { describe, expect, it } from 'vitest';
import { endpointSummary } from '../model/assess.ts';
import type { Finding } from '../model/finding.ts';
import type { InferenceRequest } from '../model/inference.ts';
import type { Observation } from '../model/observation.ts';
import { client, healthyRun, networkOf, now, pings, requests, split } from './build.case.ts';
import { judge } from './judge.ts';
import { cellOf, summarise } from './matrix.ts';

const network = networkOf();
const summaryOf = (see: Observation[]) => summarise(network, see, judge(network, see, now))[0]!;

function finding(verdict: Finding['verdict'], coverage = 1): Finding {
  return {
    id: verdict,
    verdict,
    severity: 'info',
    pillar: 'speed',
    subject: 'e1',
    claim: '1 ms',
    details: [],
    evidence: [],
    confidence: 'low',
    coverage,
  };
}

describe('cellOf()', () => {
  it('is fail before unknown before pass, and never pass of nothing', () => {
    expect(cellOf([finding('pass'), finding('unknown', 0.5), finding('fail')])).toMatchObject({ verdict: 'fail' });
    expect(cellOf([finding('pass'), finding('unknown', 0.5)])).toMatchObject({ verdict: 'unknown', coverage: 0.75 });
    expect(cellOf([finding('pass')])).toEqual({ verdict: 'pass', coverage: 1, findings: ['pass'] });
    expect(cellOf([])).toEqual({ verdict: 'unknown', coverage: 0, findings: [] });
  });

  it('does not believe a pass that an unfit client measured', () => {
    expect(cellOf([finding('pass')], [finding('fail')])).toMatchObject({ verdict: 'unknown', coverage: 0.5 });
    expect(cellOf([finding('pass')], [finding('unknown')])).toMatchObject({ verdict: 'pass' });
  });
});

describe('summarise()', () => {
  it('passes every pillar of a healthy run and blames nobody', () => {
    const summary = summaryOf(healthyRun());
    expect(endpointSummary.parse(summary)).toEqual(summary);
    expect(Object.values(summary.cells).map((c) => c.verdict)).toEqual(['pass', 'pass', 'pass', 'pass', 'pass']);
    expect(summary).toMatchObject({ blame: 'none', requests: 400, answered: 400, class: 'chat' });
    expect(summary.metrics.map((m) => m.metric)).toContain('network RTT p99');
  });

  it('knows nothing about an endpoint that was never measured', () => {
    const summary = summaryOf([]);
    expect(Object.values(summary.cells).map((c) => c.verdict)).toEqual(Array.from({ length: 5 }, () => 'unknown'));
    expect(summary).toMatchObject({ blame: 'none', metrics: [], requests: 0 });
    expect(summary.blameWhy).toMatch(/known/);
  });

  it('takes a pass back when the client was the bottleneck', () => {
    const see = [...healthyRun(), client({ clockStepMs: 900 })];
    expect(summaryOf(see).cells.speed.verdict).toBe('unknown');
    expect(summaryOf(see).cells.security.verdict).toBe('pass');
  });

  const withStalls = (cause: 'network' | 'server') => (r: InferenceRequest) => ({
    ...r,
    stalls: [1, 2, 3].map((afterToken) => ({ afterToken, durationMs: 400, cause, evidence: [] })),
  });

  it.each<[string, string, Observation[]]>([
    ['server', 'a slow server', requests(40, () => ({ serverMs: 900 }))],
    ['network', 'a far endpoint', [...requests(40), ...pings(300, () => 80)]],
    [
      'network',
      'loss that costs the first token more than its allowance, before a server that stays within its own',
      requests(40, () => ({ networkMs: 350, serverMs: 300 })),
    ],
    ['server', 'a late server on a fast network', requests(40, () => ({ networkMs: 30, serverMs: 480 }))],
    ['network', 'stalls by the network', requests(40, () => ({ patch: withStalls('network') }))],
    ['server', 'stalls by the server', requests(40, () => ({ patch: withStalls('server') }))],
    [
      'client',
      'a client that waits for itself',
      requests(40, () => ({
        serverMs: 900,
        patch: (r) => ({ ...r, split: { ...r.split, ttft: split([20, 20], [60, 60], 840) } }),
      })),
    ],
    [
      'undetermined',
      'a split without evidence',
      requests(40, () => ({ serverMs: 900, patch: (r) => ({ ...r, split: { ...r.split, ttft: null } }) })),
    ],
    [
      'server',
      'refused requests',
      requests(40, () => ({ patch: (r) => ({ ...r, outcome: { kind: 'refused', address: '192.0.2.1:443' } }) })),
    ],
    [
      'network',
      'no route',
      requests(40, () => ({
        patch: (r) => ({ ...r, outcome: { kind: 'unreachable', by: '10.0.0.1', message: 'no route' } }),
      })),
    ],
  ])('blames the %s for %s', (blame, _when, see) => {
    expect(summaryOf(see).blame).toBe(blame);
  });
});

describe('judge()', () => {
  it('puts failures first and is stable', () => {
    const see = [...requests(40, () => ({ serverMs: 900 })), ...pings(300, () => 20)];
    const findings = judge(network, see, now);
    const order = findings.map((f) => ({ fail: 0, unknown: 1, pass: 2 })[f.verdict]);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBe(0);
    expect(judge(network, see, now)).toEqual(findings);
  });

  it('stays near linear: fifty thousand observations are judged', () => {
    const see = [
      ...requests(10_000, (i) => ({ everyMs: 100, fresh: i % 2 === 0 })),
      ...pings(40_000, (i) => 20 + (i % 9)),
    ];
    expect(judge(network, see, now).every((f) => f.verdict !== 'fail')).toBe(true);
  });
});
