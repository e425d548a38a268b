import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyObservations } from '../model/arbitrary.case.ts';
import type { Observation, ObservationOf } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import { pathId } from '../model/path-id.ts';
import { sampleKind, sampleMetrics } from '../model/sample.ts';
import { columnsOf, faultOfColumns, samplesOf } from './columns.ts';
import { sampleOf, verdictOf } from './sample-of.ts';

const header = {
  at: '2026-11-23T11:50:00.000Z',
  from: 'berlin',
  to: 'chat',
  how: 'kernel stamps',
  outcome: { kind: 'answered' } as Outcome,
};
const tcp = (change: Partial<ObservationOf<'tcp'>> = {}): Observation => ({
  kind: 'tcp',
  ...header,
  address: '127.0.0.1:443',
  rttMs: 12,
  synRetransmits: 1,
  ...change,
});

describe('sampleOf()', () => {
  test('whatever was observed becomes a sample that columns can carry', () => {
    fc.assert(
      fc.property(anyObservations(['a', 'b']), (observations) => {
        const samples = observations.map(sampleOf);
        for (const sample of samples) {
          expect(sampleKind.options).toContain(sample.kind);
          expect(Object.keys(sample.metrics).filter((m) => !sampleMetrics.includes(m as never))).toEqual([]);
          expect(Object.values(sample.metrics).every(Number.isFinite)).toBe(true);
          if (sample.outcome === 'answered') expect(sample.verdict).toBe('ok');
        }
        const columns = columnsOf(samples);
        expect(faultOfColumns(columns)).toBeNull();
        const again = samplesOf({ key: 'k', agent: 'x', columns });
        expect(again.map(({ endpoint, verdict }) => [endpoint, verdict])).toEqual(
          samples.map(({ endpoint, verdict }) => [endpoint, verdict]),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('a detail is the observation itself', () => {
    fc.assert(
      fc.property(anyObservations(['a']), (observations) => {
        for (const observation of observations) {
          const { detail } = sampleOf(observation);
          if (detail !== null) expect(JSON.parse(detail)).toEqual(JSON.parse(JSON.stringify(observation)));
        }
      }),
    );
  });

  test('an answered handshake is columns and no more', () => {
    expect(sampleOf(tcp())).toEqual({
      atMs: Date.parse(header.at),
      endpoint: 'chat',
      kind: 'tcp',
      outcome: 'answered',
      verdict: 'ok',
      metrics: { rttMs: 12, retransmits: 1 },
      state: null,
      detail: null,
    });
  });

  test('a failure keeps its reason', () => {
    const outcome: Outcome = { kind: 'unreachable', by: '192.0.2.1', message: 'no route' };
    const sample = sampleOf(tcp({ outcome, rttMs: null, synRetransmits: null }));
    expect(sample).toMatchObject({ outcome: 'unreachable', verdict: 'bad', metrics: {} });
    expect(JSON.parse(sample.detail!)).toMatchObject({ outcome });
  });

  test('addresses of a name are the same state in whatever order they come', () => {
    const dns = (addresses: string[]) =>
      sampleOf({ kind: 'dns', ...header, host: 'chat.example', durationMs: 3, addresses });
    expect(dns(['192.0.2.2', '192.0.2.1', '192.0.2.2'])).toEqual(dns(['192.0.2.1', '192.0.2.2']));
    expect(dns(['192.0.2.1']).state).toBe('192.0.2.1');
    expect(dns([]).state).toBeNull();
  });

  test('the state of TLS is group and certificate, and none where a resumed session shows none', () => {
    const certificate = {
      subject: 'CN=chat.example',
      issuer: 'CN=Test CA',
      validTo: '2027-06-01',
      daysLeft: 190,
      keyType: 'EC P-256',
      chainLength: 2,
      chainBytes: 2400,
    };
    const tls = (change: object) =>
      sampleOf({
        kind: 'tls',
        ...header,
        address: '127.0.0.1:443',
        durationMs: 30,
        rttMs: 10,
        tls: {
          version: 'TLSv1.3',
          cipher: 'TLS_AES_128_GCM_SHA256',
          group: 'X25519MLKEM768',
          alpn: null,
          resumed: false,
          authorized: true,
          authorizationError: null,
          certificate,
          ...change,
        },
      });
    expect(tls({}).metrics).toEqual({ rttMs: 10, tlsMs: 30, certificateDaysLeft: 190 });
    // A day less left is no other certificate.
    expect(tls({ certificate: { ...certificate, daysLeft: 189 } }).state).toBe(tls({}).state);
    expect(tls({ group: 'X25519' }).state).not.toBe(tls({}).state);
    expect(tls({ certificate: { ...certificate, validTo: '2028-06-01' } }).state).not.toBe(tls({}).state);
    expect(tls({ certificate: null }).state).toBeNull();
  });

  test('the state of a trace is the paths that reach the target, sorted', () => {
    const hops = ['192.0.2.1', null, '192.0.2.9'].map((address, i) => ({ ttl: i + 1, address, rttMs: i }));
    const trace = (change: object = {}) =>
      sampleOf({ kind: 'trace', ...header, address: '192.0.2.9', method: 'udp', reached: true, hops, ...change });
    expect(trace()).toMatchObject({
      state: pathId([['192.0.2.1'], [], ['192.0.2.9']]),
      metrics: { hops: 3, rttMs: 2 },
    });
    expect(trace({ reached: false })).toMatchObject({ state: null, metrics: {} });
    const path = (id: string, sent: number, received: number, medianMs: number, reached = true) => ({
      id,
      flows: [],
      nodes: [],
      reached,
      sent,
      received,
      rtts: { minMs: 1, medianMs, p95Ms: 9, maxMs: 9, pdvP99Ms: 4 },
    });
    const graph = {
      nodes: [],
      edges: [],
      balancers: [],
      algorithm: 'mda-lite',
      fallback: null,
      confidence: 0.95,
      probes: 9,
      complete: true,
    };
    const paths = [path('bb', 10, 9, 5), path('aa', 30, 21, 7), path('cc', 0, 0, 1, false)];
    expect(trace({ graph: { ...graph, paths } })).toMatchObject({
      state: 'aa bb',
      metrics: { hops: 3, rttMs: 7, pdvMs: 4, lossShare: 0.25 },
    });
  });

  test('what is too long to send goes without its lists, or not at all', () => {
    const [long] = fc
      .sample(
        anyObservations(['a']).filter((all) => all.some(({ kind }) => kind === 'inference')),
        {
          numRuns: 1,
          seed: 1,
        },
      )[0]!
      .filter(({ kind }) => kind === 'inference') as ObservationOf<'inference'>[];
    const gaps = Array.from({ length: 300_000 }, (_, i) => i / 7);
    const { detail, metrics } = sampleOf({ ...long!, request: { ...long!.request, gaps } });
    expect(detail!.length).toBeLessThan(1_048_576);
    expect(JSON.parse(detail!).request.gaps).toEqual([]);
    expect(metrics.gapMaxMs).toBe(299_999 / 7);
    expect(sampleOf(tcp({ how: 'x'.repeat(2e6), outcome: { kind: 'refused', address: 'a' } })).detail).toBeNull();
  });
});

test('verdictOf(): our own faults say nothing, all other failures are bad', () => {
  const failed = (errno: string): Outcome => ({
    kind: 'failed',
    phase: 'tcp',
    operation: 'socket',
    errno,
    address: '',
    message: '',
  });
  const table: [Outcome, string][] = [
    [{ kind: 'answered' }, 'ok'],
    [{ kind: 'interrupted' }, 'unknown'],
    [failed('EMFILE'), 'unknown'],
    [failed('EADDRNOTAVAIL'), 'unknown'],
    [failed('EPERM'), 'unknown'],
    [{ kind: 'unreachable', by: 'this host', message: '' }, 'unknown'],
    [{ kind: 'unreachable', by: '192.0.2.1', message: '' }, 'bad'],
    [failed('ECONNRESET'), 'bad'],
    [failed('ENOTFOUND'), 'bad'],
    [failed('CERT_HAS_EXPIRED'), 'bad'],
    [{ kind: 'lost' }, 'bad'],
    [{ kind: 'late', afterMs: 1 }, 'bad'],
    [{ kind: 'otherAddress', address: '' }, 'bad'],
    [{ kind: 'refused', address: '' }, 'bad'],
    [{ kind: 'timedOut', phase: 'wait', afterMs: 1 }, 'bad'],
    [{ kind: 'rejected', status: 401, message: '' }, 'bad'],
    [{ kind: 'brokenStream', message: '' }, 'bad'],
  ];
  expect(table.map(([outcome]) => verdictOf(outcome))).toEqual(table.map(([, verdict]) => verdict));
});
