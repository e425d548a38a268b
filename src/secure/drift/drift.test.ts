import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../model/cidr.ts';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { plannedNetwork } from '../../model/network.ts';
import { policyDriftReport } from '../../model/secure/policy-drift.ts';
import type { Flow, Snapshot } from '../../model/secure/snapshot.ts';
import { meaningOf } from '../policy/policy.ts';
import { driftOf } from './drift.ts';
import { driftFindings } from './findings.ts';

const policy = {
  groups: [
    { name: 'clients', cidrs: ['10.1.0.0/16'] },
    { name: 'servers', cidrs: ['10.2.0.1', '2001:db8::/64'] },
    { name: 'others', cidrs: ['10.9.0.0/16'] },
  ],
  allow: [
    { name: 'ask', from: ['clients'], to: ['servers'], services: ['tcp/8000', 'tcp/9000-9010'], why: 'questions' },
    { name: 'ssh', from: ['clients'], to: ['servers'], services: ['tcp/22'], why: 'maintenance' },
    { name: 'elsewhere', from: ['others'], to: ['others'], services: ['tcp/22'], why: 'not ours' },
  ],
};
const meaning = meaningOf(plannedNetwork.parse({ version: 1, policy: policy as unknown as NetworkPolicy }))!;

const flow = (from: string, to: string, port: number, more: Partial<Flow> = {}): Flow => ({
  from,
  to,
  protocol: 'tcp',
  port,
  direction: 'in',
  seen: 1,
  denied: 0,
  firstMs: null,
  lastMs: null,
  how: 'test',
  ...more,
});
const snapshot = (flows: Flow[], listeners: Snapshot['listeners'] = []): Snapshot => ({
  fromMs: null,
  toMs: null,
  samples: 12,
  intervalS: 5,
  sources: [],
  listeners,
  flows,
  undirected: 0,
  loopback: 0,
  leftOut: 0,
});
const drift = (observed: Snapshot, earlier: Snapshot | null = null, self = ['10.2.0.1']) =>
  driftOf({ meaning, observed, self, earlier: earlier && { file: 'before.json', snapshot: earlier } });

describe('driftOf()', () => {
  it('tells what would be denied, and whether this host would do it', () => {
    const { denials } = drift(
      snapshot([
        flow('10.1.0.5', '10.2.0.1', 8000),
        flow('10.9.0.5', '10.2.0.1', 8000),
        flow('10.2.0.1', '10.9.0.5', 443, { direction: 'out' }),
        flow('10.9.0.5', '10.2.0.1', 80, {
          translatedFrom: { address: '203.0.113.1', port: 80 },
          direction: 'through',
        }),
      ]),
    );
    expect(denials.map(({ from, port, hook, enforcedHere }) => [from, port, hook, enforcedHere])).toEqual([
      ['10.9.0.5', 8000, 'inbound', true],
      ['10.2.0.1', 443, 'outbound', false],
      ['10.9.0.5', 80, 'published', true],
    ]);
  });

  it('lets pass what every network needs: path MTU discovery and neighbour discovery', () => {
    const needed = [
      flow('192.0.2.1', '10.2.0.1', 11, { protocol: 'icmp' }),
      flow('fe80::1', 'fe80::2', 135, { protocol: 'icmpv6' }),
    ];
    expect(drift(snapshot(needed)).denials).toEqual([]);
    expect(drift(snapshot([flow('192.0.2.1', '10.2.0.1', 8, { protocol: 'icmp' })])).denials).toHaveLength(1);
  });

  it('keeps apart what a firewall has kept out already, whether the policy permits it or not', () => {
    const kept = { seen: 3, denied: 3 };
    const { denials, alreadyDenied, deniedThoughPermitted } = drift(
      snapshot([flow('10.9.0.5', '10.2.0.1', 8000, kept), flow('10.1.0.5', '10.2.0.1', 22, kept)]),
    );
    expect([denials.length, alreadyDenied.length]).toEqual([0, 1]);
    expect(deniedThoughPermitted).toMatchObject([{ port: 22, lines: ['ssh'] }]);
  });

  it('says of each line how much of it was seen, never "none", and nothing of lines about others', () => {
    const { permissions } = drift(snapshot([flow('10.1.0.5', '10.2.0.1', 9005, { seen: 7 })]));
    expect(permissions.map(({ line, state, claim, unseenServices }) => [line, state, claim, unseenServices])).toEqual([
      ['ask', 'used', 'seen 7 times in 12 samples, one every 5 s', ['tcp/8000']],
      ['ssh', 'unused', '0 in 12 samples, one every 5 s', []],
      ['elsewhere', 'notObservable', 'it is about other hosts, whose flows do not pass here', []],
    ]);
    // Flow records of a router see the others, too.
    const records = drift(snapshot([flow('10.1.0.5', '10.2.0.1', 22, { direction: 'through' })]));
    expect(records.permissions[2]).toMatchObject({ line: 'elsewhere', state: 'unused' });
  });

  it('finds new listeners and first-time talkers against an earlier snapshot, and says nothing of them without one', () => {
    const listener = { protocol: 'tcp', address: '0.0.0.0', port: 8000, certain: true, seen: 1 };
    const local = { ...listener, address: '127.0.0.1', port: 9 };
    const before = snapshot([flow('10.1.0.5', '10.2.0.1', 8000)], [listener]);
    const now = snapshot(
      [flow('10.1.0.5', '10.2.0.1', 8000), flow('10.1.0.6', '10.2.0.1', 8000)],
      [listener, { ...listener, port: 22 }, { ...listener, port: 11_434 }, local],
    );
    const found = drift(now, before);
    expect(found.listeners.map(({ port, isNew, permittedBy }) => [port, isNew, permittedBy])).toEqual([
      [8000, false, ['ask']],
      [22, true, ['ssh']],
      [11_434, true, []],
    ]);
    expect(found.firstTimeTalkers).toMatchObject([{ from: '10.1.0.6' }]);
    expect(drift(now)).toMatchObject({ firstTimeTalkers: null, against: null, listeners: [{ isNew: null }, {}, {}] });
  });

  it('judges every flow as a slow reading of the policy does', () => {
    const ip = fc.oneof(
      fc.constantFrom('10.1.0.0', '10.1.255.255', '10.2.0.1', '10.2.0.2', '10.0.255.255', '10.9.1.1'),
      fc.nat(0xffffffff).map((n) => formatAddress(4, BigInt(n >>> 0))),
    );
    const port = fc.constantFrom(21, 22, 23, 7999, 8000, 8001, 8999, 9000, 9010, 9011);
    fc.assert(
      fc.property(ip, ip, port, (from, to, p) => {
        const within = (address: string, start: string) => address.startsWith(start);
        const slow =
          (within(from, '10.1.') && to === '10.2.0.1' && (p === 22 || p === 8000 || (p >= 9000 && p <= 9010))) ||
          (within(from, '10.9.') && within(to, '10.9.') && p === 22);
        expect(drift(snapshot([flow(from, to, p)])).denials.length).toBe(slow ? 0 : 1);
      }),
      { numRuns: 3000, seed: 64 },
    );
  });
});

describe('driftFindings()', () => {
  const report = (observed: Snapshot, earlier: Snapshot | null = null) => {
    const judged = {
      schema: 'inferpath/policy-drift@1' as const,
      file: 'network.yaml',
      measuredAt: '2026-11-27T10:00:00.000Z',
      interrupted: false,
      self: ['10.2.0.1'],
      ...drift(observed, earlier),
      notes: [],
      snapshot: observed,
    };
    return policyDriftReport.parse({ ...judged, findings: driftFindings(judged) });
  };

  it('never passes for want of what was seen', () => {
    const { findings } = report(snapshot([]));
    expect(findings.map(({ id, verdict, claim }) => [id, verdict, claim])).toEqual([
      ['policy-drift', 'unknown', '0 flows outside the policy in 12 samples, one every 5 s'],
      [
        'policy-unused',
        'unknown',
        '2 of 2 lines of the policy that can be seen from here: 0 flows in 12 samples, one every 5 s',
      ],
    ]);
  });

  it('fails with the flows as evidence, and with listeners that were not there before', () => {
    const listener = { protocol: 'tcp', address: '::', port: 11_434, certain: true, seen: 1, process: 'ollama/7' };
    const { findings } = report(snapshot([flow('10.9.0.5', '10.2.0.1', 8000)], [listener]), snapshot([]));
    expect(findings).toMatchObject([
      { id: 'policy-drift', verdict: 'fail', evidence: [{ value: 1 }] },
      { id: 'policy-unused' },
      { id: 'new-listener', verdict: 'fail', details: [':: tcp/11434 of ollama/7, permitted by no line'] },
    ]);
    expect(findings[0]!.details[0]).toBe('10.9.0.5 → 10.2.0.1 tcp/8000, seen 1 times, denied inbound');
  });
});
