import { describe, expect, test } from 'vitest';
import { assessSample } from '../../test/fixtures/assess-sample.ts';
import { shareCells } from './bar.ts';
import {
  firstTokenSegments,
  firstTokenTimes,
  headline,
  requestAt,
  requestsOf,
  roundTrips,
  sortFindings,
  totalSegments,
  worstCadence,
} from './facts.ts';
import { briefMs, coverage, evidenceText, intervalText, num, percent, quantity } from './format.ts';

const sample = assessSample();
const all = sample.endpoints.flatMap((e) => requestsOf(sample, e.name));

describe('firstTokenSegments()', () => {
  test('adds up to the time to first token for every request', () => {
    for (const r of all) {
      const segments = firstTokenSegments(r);
      expect(segments === null).toBe(r.phases.ttftMs === null);
      if (segments) expect(segments.reduce((a, s) => a + s.ms, 0)).toBeCloseTo(r.phases.ttftMs ?? 0, 6);
    }
  });

  test('leaves open what has no split', () => {
    const [r] = all;
    if (!r) throw new Error('The sample has no request');
    const without = { ...r, split: { ...r.split, ttft: null } };
    expect(firstTokenSegments(without)?.at(-1)?.part).toBe('undetermined');
  });
});

test('totalSegments() adds up to the whole request', () => {
  expect(all.length).toBe(sample.requests);
  for (const r of all) {
    const segments = totalSegments(r);
    if (segments) expect(segments.reduce((a, s) => a + s.ms, 0)).toBeCloseTo(r.phases.totalMs ?? 0, 6);
  }
});

test('requestAt() picks a real request and ignores those without a token', () => {
  const of = (ms: number | null, id: string) => ({
    ...(all[0] as (typeof all)[number]),
    id,
    phases: { ...(all[0] as (typeof all)[number]).phases, ttftMs: ms },
  });
  const list = [of(30, 'c'), of(null, 'x'), of(10, 'a'), of(20, 'b')];
  expect([1, 50, 99].map((p) => requestAt(list, p)?.id)).toEqual(['a', 'b', 'c']);
  expect(requestAt([], 50)).toBeUndefined();
});

test('worstCadence() prefers a stall to any gap that is none', () => {
  const worst = worstCadence(requestsOf(sample, 'branch-voice'));
  expect(worst?.stalls.length).toBeGreaterThan(0);
});

test('roundTrips() begins with the method that the verdict rests on and leaves out methods without a sample', () => {
  const [chat, voice] = sample.endpoints;
  if (!chat || !voice) throw new Error('The sample has too few endpoints');
  expect(roundTrips(sample, chat).map((s) => s.label)).toEqual(['TCP round trips, kernel stamps', 'ICMP echo']);
  expect(roundTrips(sample, voice)[0]?.label).toBe('ICMP echo');
  expect(roundTrips(sample, { ...chat, name: 'nobody' })).toEqual([]);
});

test('firstTokenTimes() counts a request that was given up with the time waited', () => {
  expect(firstTokenTimes(sample, 'branch-voice').values.at(-1)).toBe(10_000);
});

test('sortFindings() keeps every finding', () => {
  expect(sortFindings(sample)).toHaveLength(sample.findings.length);
});

test('headline() speaks of one endpoint in the singular', () => {
  const endpoints = sample.endpoints.slice(0, 1);
  const findings = sample.findings.filter(({ subject }) => subject === endpoints[0]?.name);
  const one = { ...sample, endpoints, findings };
  expect(headline(one).why).toBe('the endpoint misses a target');
  expect(headline({ ...one, ready: 'pass' })).toEqual({ word: 'READY', why: 'the endpoint meets every target' });
});

test('headline() counts what the plan of the network finds apart from the endpoints', () => {
  const planned = { ...sample.findings[0]!, verdict: 'fail' as const, subject: 'office → llm' };
  const one = { ...sample, endpoints: [], findings: [planned], ready: 'fail' as const };
  expect(headline(one).why).toBe('1 finding about the plan of the network fails');
  const hop = { ...planned, pillar: 'security' as const };
  expect(headline({ ...one, findings: [planned, hop, hop] }).why).toBe(
    '1 finding about the plan of the network fails; 2 findings about the security of the network fail',
  );
  const open = { ...one, findings: [{ ...hop, verdict: 'unknown' as const }], ready: 'unknown' as const };
  expect(headline(open).why).toBe('nothing fails, but 1 finding about the security of the network is open');
});

describe('shareCells()', () => {
  test('fills the width exactly and hides nothing that makes a hundredth', () => {
    for (const amounts of [
      [1, 1, 1],
      [0.01, 0.01, 0.98],
      [5, 0, 95],
      [100, 0.1, 0.1],
      [3, 3, 3, 3, 3, 3, 3, 79],
    ]) {
      const got = shareCells(amounts, 40);
      expect(got.reduce((a, b) => a + b, 0)).toBe(40);
      const total = amounts.reduce((a, b) => a + b, 0);
      amounts.forEach((a, i) => a >= total / 100 && expect(got[i]).toBeGreaterThan(0));
    }
    expect(shareCells([0, 0], 10)).toEqual([0, 0]);
  });
});

describe('numbers', () => {
  test('num() writes three digits and no exponent', () => {
    expect([0, 0.0421, 8.41, 84.24, 1234.5, Number.NaN].map(num)).toEqual(['0', '0.042', '8.41', '84.2', '1235', '–']);
  });
  test('percent() never rounds to none or to all', () => {
    expect([0, 0.00001, 0.024, 0.6, 0.998, 1].map(percent)).toEqual([
      '0 %',
      '< 0.01 %',
      '2.4 %',
      '60 %',
      '> 99 %',
      '100 %',
    ]);
  });
  test('coverage() is whole, but never 0 % or 100 % of what is known in part', () => {
    expect([0, 0.0018, 0.5, 0.999, 1].map(coverage)).toEqual(['0 %', '< 1 %', '50 %', '> 99 %', '100 %']);
  });
  test('briefMs() keeps a tenth below ten', () => {
    expect([0, 0.01, 0.34, 9.96, 54.6].map(briefMs)).toEqual(['0', '< 0.1', '0.3', '10', '55']);
  });
  test('shares become per cent, with their interval', () => {
    expect(quantity(0.024, 'ratio')).toBe('2.4 %');
    expect(intervalText([0.019, 0.029], 'ratio')).toBe('[1.9, 2.9]');
    expect(
      evidenceText({ metric: 'loss', value: 0.024, unit: 'ratio', interval: [0.019, 0.029], n: 9, how: 'TCP_INFO' }),
    ).toBe('loss 2.4 % [1.9, 2.9], n = 9, TCP_INFO');
  });
});
