import { describe, expect, it } from 'vitest';
import { network as schema } from '../../model/network.ts';
import type { Sample } from '../../model/sample.ts';
import type { StateChange } from '../../store/store.ts';
import { evaluate } from './evaluate.ts';
import { newStates } from './changes.ts';
import { momentOf } from './moment.ts';

const t0 = Date.UTC(2026, 0, 1);
const minute = 60_000;
const change = (atMinutes: number, before: string, after: string, agent = 'a'): StateChange => ({
  atMs: t0 + atMinutes * minute,
  agent,
  endpoint: 'eu',
  kind: 'trace',
  before,
  after,
});
const rule = { standsMs: 5 * minute, parts: (state: string) => state.split(' ') };
const seen = (changes: StateChange[], atMinutes: number) =>
  newStates(changes, rule, t0 + atMinutes * minute).map(({ after }) => after);

describe('newStates()', () => {
  it('tells of a state that has nothing in common with what was, once it has stood for a while, for an hour', () => {
    const changes = [change(10, 'p1', 'p2')];
    expect([12, 16, 60, 80].map((at) => seen(changes, at))).toEqual([[], ['p2'], ['p2'], []]);
  });

  it('is silent about equal paths that take turns, and about sets that grow, shrink or overlap', () => {
    expect(seen([change(10, 'p1', 'p2'), change(11, 'p2', 'p1'), change(12, 'p1', 'p2')], 20)).toEqual([]);
    expect(seen([change(10, 'p1 p2', 'p1')], 20)).toEqual([]);
    expect(seen([change(10, 'p1', 'p1 p3')], 20)).toEqual([]);
    expect(seen([change(10, 'p1', 'p2'), change(30, 'p2', 'p1')], 40)).toEqual([]);
  });

  it('keeps agents apart', () => {
    expect(seen([change(10, 'p1', 'p2', 'a'), change(11, 'p2', 'p1', 'b')], 20)).toEqual(['p2', 'p1']);
  });
});

describe('evaluate() about changes', () => {
  const network = schema.parse({
    version: 1,
    endpoints: [{ name: 'eu', url: 'https://eu.example.com' }],
    watch: { agents: [{ name: 'a' }, { name: 'b' }] },
  });
  const sample = (days: number): Sample => ({
    id: 's/1',
    atMs: t0,
    agent: 'a',
    endpoint: 'eu',
    kind: 'tls',
    outcome: 'answered',
    verdict: 'ok',
    metrics: { certificateDaysLeft: days },
    state: null,
    detail: null,
  });
  const alertsOf = (latest: Sample[], changes: StateChange[] = []) =>
    evaluate(
      momentOf({
        network,
        now: t0 + 20 * minute,
        alerts: [],
        memory: null,
        paths: [],
        counts: new Map(),
        levels: new Map(),
        changes,
        runs: [],
        latest,
        silence: [],
      }),
    )
      .alerts.filter(({ state }) => state === 'firing')
      .map(({ rule, severity, finding }) => [rule, severity, finding.claim]);

  it.each([
    [40, []],
    [15.5, []],
    [13, [['certificate-expiry', 'ticket', 'the certificate is valid for 12.9 more days']]],
    [1, [['certificate-expiry', 'page', 'the certificate is valid for 0.9 more days']]],
    [-3, [['certificate-expiry', 'page', 'the certificate is valid for 0 more days']]],
  ])('a certificate with %s days left', (days, expected) => {
    expect(alertsOf([sample(days)])).toEqual(expected);
  });

  it('an answer from another network is told, one that only rotates is not', () => {
    const dns = (before: string, after: string): StateChange => ({ ...change(1, before, after), kind: 'dns' });
    expect(alertsOf([], [dns('10.0.1.1 10.0.1.2', '10.0.1.7')])).toEqual([]);
    expect(alertsOf([], [dns('10.0.1.1', '10.9.9.9')])).toEqual([
      ['dns-change', 'info', 'the answer of the name server changed 2026-01-01T00:01:00Z, as 1 agent sees it'],
    ]);
  });

  it('another certificate or group is told at once', () => {
    const tls: StateChange = { ...change(19, 'TLSv1.3, X25519MLKEM768, cn', 'TLSv1.3, x25519, cn'), kind: 'tls' };
    expect(alertsOf([], [tls])).toEqual([
      ['tls-change', 'info', 'the certificate or key exchange changed 2026-01-01T00:19:00Z, as 1 agent sees it'],
    ]);
  });
});
