import { expect, test } from 'vitest';
import type { Change } from '../model/change.ts';
import type { Finding } from '../model/finding.ts';
import { rankChanges, rankFindings } from './rank.ts';

function finding(id: string, verdict: Finding['verdict'], severity: Finding['severity']): Finding {
  const rest = { pillar: 'scale' as const, subject: 's', claim: 'c', details: [], evidence: [], coverage: 1 };
  return { id, verdict, severity, confidence: 'high', ...rest };
}

function change(target: string, metric = 'm'): Change {
  const buys = [{ metric, before: 1, after: 2, unit: 'ms' }];
  return { id: 'upgrade-link', target, before: 'b', after: 'a', buys, verify: 'v', rollback: 'r' };
}

test('failures come first, the graver first', () => {
  const findings = [
    finding('a', 'pass', 'critical'),
    finding('b', 'fail', 'warning'),
    finding('c', 'fail', 'critical'),
  ];
  const ranked = rankFindings([...findings, finding('d', 'unknown', 'critical')]);
  expect(ranked.map(({ id }) => id)).toEqual(['c', 'b', 'd', 'a']);
});

test('the best change of each part comes before the second of any, and parts with graver findings lead', () => {
  const calm = { findings: [finding('x', 'fail', 'warning')], changes: [change('c1'), change('c2')] };
  const grave = { findings: [finding('y', 'fail', 'critical')], changes: [change('g1'), change('g2')] };
  expect(rankChanges([calm, grave]).map(({ target }) => target)).toEqual(['g1', 'c1', 'g2', 'c2']);
});

test('the same change of two parts stands once with what it buys in both', () => {
  const ranked = rankChanges([
    { findings: [], changes: [change('l', 'availability')] },
    { findings: [], changes: [change('l', 'utilisation')] },
  ]);
  expect(ranked).toHaveLength(1);
  expect(ranked[0]?.buys.map(({ metric }) => metric)).toEqual(['availability', 'utilisation']);
});
