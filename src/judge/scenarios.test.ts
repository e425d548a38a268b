import { describe, expect, it } from 'vitest';
import type { InferenceRequest } from '../model/inference.ts';
import type { Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import * as build from './build.case.ts';
import { dns, modernTls, mtu, networkOf, now, pings, requests, split, tcp, tlsProbe, trace } from './build.case.ts';
import { viewOf } from './rule.ts';
import { rules } from './rules.ts';

interface Scenario {
  rule: string;
  when: string;
  network?: Network;
  see: Observation[];
  verdict: 'pass' | 'fail' | 'unknown' | 'none';
  says?: RegExp;
  remedy?: RegExp;
  gainMs?: number;
}

const ended = (outcome: Outcome) => (r: InferenceRequest) => ({ ...r, outcome });
const stalled = (cause: 'network' | 'server' | 'client' | 'undetermined') => (r: InferenceRequest) => ({
  ...r,
  stalls: [1, 2].map((afterToken) => ({ afterToken, durationMs: 300, cause, evidence: ['seen 3 times'] })),
});
const plain = networkOf([{ url: 'http://192.0.2.1:8000' }]);
const literal = networkOf([{ url: 'https://192.0.2.1' }]);
const frankfurt = { name: 'fra', role: 'user', location: { lat: 50.1, lon: 8.7 } };
const virginia = { name: 'iad', role: 'cloud', location: { lat: 38.9, lon: -77.4 } };
const overseas = networkOf([{ site: 'iad' }], { vantage: { name: 'here', site: 'fra' }, sites: [frankfurt, virginia] });

/** Two endpoints behind the same two routers, and one behind others. */
const twins = [
  trace([
    [1, '10.0.0.1', 1],
    [2, '198.51.100.1', 12],
    [3, '192.0.2.1', 20],
  ]),
  trace(
    [
      [1, '10.0.0.1', 1],
      [2, '198.51.100.1', 12],
      [3, '192.0.2.9', 20],
    ],
    true,
    'e2',
  ),
];
const loner = trace(
  [
    [1, '10.0.0.1', 1],
    [2, '203.0.113.1', 9],
  ],
  true,
  'e3',
);

/** Packets above 1450 octets vanish, and nobody says so; TCP does not know. */
const hole = {
  verdict: 'black-hole' as const,
  why: 'packets of 1450 octets arrive and of 1451 do not\u001b[31m',
  confirmedBytes: 1450,
  refutedBytes: 1451,
  by: null,
  saidMtuBytes: null,
  chanceOfLoss: 0.001,
  hop: null,
};

const scenarios: Scenario[] = [
  {
    rule: 'path-mtu',
    when: 'a black hole',
    see: [mtu(hole)],
    verdict: 'fail',
    says: /more than 1,450 octets vanish/,
    remedy: /ICMP type 3 code 4.*maxseg size set 1410/,
  },
  {
    rule: 'path-mtu',
    when: 'a limit that a router confirms',
    see: [mtu({ ...hole, verdict: 'icmp-confirmed', by: '192.0.2.1', saidMtuBytes: 1450 })],
    verdict: 'pass',
    says: /as 192\.0\.2\.1 says/,
  },
  {
    rule: 'path-mtu',
    when: 'silence',
    see: [mtu({ ...hole, verdict: 'unknown', confirmedBytes: null, refutedBytes: null })],
    verdict: 'unknown',
  },
  { rule: 'path-mtu', when: 'no measurement', see: [], verdict: 'none' },
  {
    rule: 'shared-hops',
    when: 'a backup behind the same router',
    network: networkOf([{ backupOf: 'e2' }, {}]),
    see: twins,
    verdict: 'fail',
    says: /stand in for e2, but 1 hop beyond the first.*198\.51\.100\.1 at hop 2/,
    remedy: /does not pass 198\.51\.100\.1/,
  },
  {
    rule: 'shared-hops',
    when: 'a backup that shares only the first router',
    network: networkOf([{ backupOf: 'e3' }, {}, {}]),
    see: [...twins, loner],
    verdict: 'pass',
    says: /^0 hops beyond the first/,
  },
  {
    rule: 'shared-hops',
    when: 'endpoints that nobody called independent',
    network: networkOf([{}, {}]),
    see: twins,
    verdict: 'pass',
    says: /2 hops on every way here carry other endpoints too; the last is 198/,
  },
  {
    rule: 'bufferbloat',
    when: 'a queue that fills',
    see: [build.underLoad(20, 200, 200)],
    verdict: 'fail',
    says: /takes 180 ms .*longer than the idle one/,
    gainMs: 180,
  },
  {
    rule: 'responsiveness',
    when: 'a queue that fills',
    see: [build.rpmSeen([build.rpmDirection([300, 310, 290, 300])])],
    verdict: 'fail',
    says: /^during a download a round trip takes 180 ms .*longer than the idle one/,
    gainMs: 180,
  },
  {
    rule: 'responsiveness',
    when: 'a client that was late itself',
    see: [build.rpmSeen([build.rpmDirection([300, 310, 290, 300])], { eventLoopLagP99Ms: 45 })],
    verdict: 'unknown',
    says: /this client was late itself/,
  },
  { rule: 'shared-hops', when: 'a single endpoint', see: twins.slice(0, 1), verdict: 'none' },
  {
    rule: 'network-rtt',
    when: 'too few pings',
    see: pings(100, () => 20),
    verdict: 'unknown',
    says: /needs 199 more samples$/,
  },
  {
    rule: 'network-rtt',
    when: 'enough near pings',
    see: pings(299, () => 20),
    verdict: 'pass',
    says: /^network p99 20 ms .*against 50 ms for chat \(n = 299/,
  },
  {
    rule: 'network-rtt',
    when: 'a queue',
    see: pings(400, (i) => (i % 10 === 0 ? 84 : 20)),
    verdict: 'fail',
    says: /p99 84 ms/,
    remedy: /fix the queue first/,
    gainMs: 64,
  },
  {
    rule: 'network-rtt',
    when: 'distance, and a nearer endpoint',
    network: networkOf([{}, {}]),
    see: [...pings(400, () => 70), ...pings(400, () => 19, 'e2')],
    verdict: 'fail',
    remedy: /e2 measured 19 ms.*distance alone is 70 ms/,
    gainMs: 51,
  },
  {
    rule: 'network-jitter',
    when: 'jitter',
    see: pings(400, (i) => (i % 10 === 0 ? 60 : 20)),
    verdict: 'fail',
    says: /p99 40 ms/,
  },
  {
    rule: 'network-loss',
    when: 'lost pings',
    see: pings(400, (i) => (i % 20 === 0 ? null : 20)),
    verdict: 'fail',
    says: /^5 % .* of 400 packets lost against 0.1 %/,
  },
  { rule: 'network-loss', when: 'pings that nobody ever answers', see: pings(400, () => null), verdict: 'unknown' },
  {
    rule: 'ttft',
    when: 'a slow server',
    see: requests(30, () => ({ serverMs: 900 })),
    verdict: 'fail',
    remedy: /^the network cannot fix this/,
  },
  {
    rule: 'ttft',
    when: 'a slow network',
    see: requests(30, () => ({ networkMs: 600 })),
    verdict: 'fail',
    remedy: /^shorten the way/,
  },
  {
    rule: 'ttft',
    when: 'bounds that do not decide',
    see: requests(30, () => ({
      serverMs: 900,
      patch: (r) => ({ ...r, split: { ...r.split, ttft: split([0, 920], [0, 920]) } }),
    })),
    verdict: 'fail',
    remedy: /^let the server report its own time/,
  },
  {
    rule: 'ttft',
    when: 'requests given up before their first token',
    see: requests(30, () => ({
      patch: (r) => ({
        ...r,
        outcome: { kind: 'timedOut', phase: 'wait', afterMs: 9000 },
        phases: { ...r.phases, ttftMs: null },
      }),
    })),
    verdict: 'fail',
    says: /9000 ms/,
  },
  {
    rule: 'token-gap',
    when: 'a slow cadence',
    see: requests(10, () => ({ gaps: Array.from({ length: 40 }, () => 80) })),
    verdict: 'fail',
    remedy: /writes too slowly/,
  },
  {
    rule: 'stall-rate',
    when: 'stalls',
    see: requests(20, () => ({ patch: stalled('undetermined') })),
    verdict: 'fail',
  },
  {
    rule: 'network-stalls',
    when: 'its own stalls',
    see: requests(20, () => ({ patch: stalled('network') })),
    verdict: 'fail',
    says: /stalled by the network/,
  },
  {
    rule: 'network-stalls',
    when: "the server's stalls",
    see: requests(20, () => ({ patch: stalled('server') })),
    verdict: 'pass',
  },
  {
    rule: 'network-stalls',
    when: 'stalls of unknown cause',
    see: requests(20, () => ({ patch: stalled('undetermined') })),
    verdict: 'unknown',
    says: /cause of 40 stalls is undetermined/,
  },
  {
    rule: 'server-stalls',
    when: 'its own stalls',
    see: requests(20, () => ({ patch: stalled('server') })),
    verdict: 'fail',
    remedy: /network cannot fix/,
  },
  {
    rule: 'server-stalls',
    when: "the network's stalls",
    see: requests(20, () => ({ patch: stalled('network') })),
    verdict: 'pass',
  },
  {
    rule: 'slow-dns',
    when: 'slow lookups',
    see: Array.from({ length: 10 }, () => dns(120)),
    verdict: 'fail',
    gainMs: 120,
  },
  { rule: 'slow-dns', when: 'an address instead of a name', network: literal, see: [dns(120)], verdict: 'none' },
  {
    rule: 'slow-tls',
    when: 'TLS 1.2 far away',
    see: Array.from({ length: 10 }, () => tlsProbe({ ...modernTls, version: 'TLSv1.2' }, 90)),
    verdict: 'fail',
    remedy: /enable TLS 1.3/,
    gainMs: 70,
  },
  {
    rule: 'slow-tls',
    when: 'one handshake',
    see: [tlsProbe(modernTls, 90)],
    verdict: 'unknown',
    says: /needs 4 more handshakes$/,
  },
  {
    rule: 'far-terminator',
    when: 'a proxy at 2 ms before a server at 150 ms',
    see: [
      ...pings(20, () => 2),
      ...requests(20, () => ({
        rttMs: 2,
        networkMs: 152,
        patch: (r) => ({
          ...r,
          phases: { ...r.phases, waitMs: 212 },
          server: {
            ...r.server,
            terminator: ['via: 1.1 edge'],
            reported: [{ source: 'body', covers: 'ttft', by: 'server', valueMs: 60, resolutionMs: 0 }],
          },
        }),
      })),
    ],
    verdict: 'fail',
    says: /TCP ends 2 ms away.* 150 ms more/,
    gainMs: 150,
  },
  {
    rule: 'far-terminator',
    when: 'a proxy that hides the server',
    see: [
      ...pings(20, () => 2),
      ...requests(20, () => ({
        rttMs: 2,
        patch: (r) => ({ ...r, server: { ...r.server, terminator: ['cf-ray: 8a-FRA\u001b[31m'] } }),
      })),
    ],
    verdict: 'unknown',
    says: /ends at a proxy/,
  },
  {
    rule: 'far-terminator',
    when: 'faster than light to the site',
    network: overseas,
    see: pings(20, () => 5),
    verdict: 'fail',
    says: /shorter than light/,
  },
  {
    rule: 'far-terminator',
    when: 'a detour',
    network: overseas,
    see: pings(20, () => 400),
    verdict: 'fail',
    says: /400 ms is 6\.\d times/,
  },
  {
    rule: 'cold-connection',
    when: 'set-up alone misses the target',
    see: requests(40, () => ({ fresh: true, rttMs: 150, serverMs: 100 })),
    verdict: 'fail',
    says: /costs 30[0-9] ms/,
  },
  {
    rule: 'slow-start-upload',
    when: 'a prompt of 250 KB on new connections',
    see: requests(20, () => ({
      patch: (r) => ({ ...r, upload: { bytes: 250_000, rounds: 5 }, phases: { ...r.phases, uploadMs: 100 } }),
    })),
    verdict: 'fail',
    says: /250,000 bytes need 5 rounds/,
    gainMs: 80,
  },
  { rule: 'slow-start-upload', when: 'a prompt of one segment', see: requests(20), verdict: 'none' },
  {
    rule: 'buffering-proxy',
    when: 'bursts',
    see: requests(30, () => ({ gaps: Array.from({ length: 40 }, (_, i) => (i % 10 === 9 ? 400 : 0.05)) })),
    verdict: 'fail',
    remedy: /proxy_buffering off/,
  },
  {
    rule: 'buffering-proxy',
    when: 'everything at once',
    see: requests(30, () => ({ gaps: Array.from({ length: 40 }, () => 0.02), serverMs: 900 })),
    verdict: 'fail',
  },
  {
    rule: 'nagle-comb',
    when: 'pairs 40 ms apart',
    see: requests(10, () => ({ gaps: Array.from({ length: 40 }, (_, i) => (i % 2 ? 40.2 : 0.1)) })),
    verdict: 'fail',
    remedy: /TCP_NODELAY/,
  },
  {
    rule: 'client-bottleneck',
    when: 'user stamps and a late loop',
    see: [
      build.client({ eventLoopLagP99Ms: 80 }),
      ...requests(5, () => ({ patch: (r) => ({ ...r, stamps: 'user' }) })),
    ],
    verdict: 'fail',
    says: /^the client was the bottleneck/,
  },
  {
    rule: 'client-bottleneck',
    when: 'kernel stamps and a late loop',
    see: [build.client({ eventLoopLagP99Ms: 80 }), ...requests(5)],
    verdict: 'pass',
  },
  {
    rule: 'schedule-lag',
    when: 'late starts',
    see: [build.client({ scheduleLagP99Ms: 700 })],
    verdict: 'fail',
    says: /700 ms \(p99\)/,
  },
  {
    rule: 'clock-step',
    when: 'a step back',
    see: [build.client({ clockStepMs: -130 })],
    verdict: 'fail',
    says: /130 ms/,
  },
  { rule: 'concurrency', when: 'one at a time', see: requests(50), verdict: 'unknown', says: /--concurrency/ },
  {
    rule: 'concurrency',
    when: 'a server that queues',
    // 40 requests alone, then 60 that start 30 ms apart and last nearly two seconds each.
    see: requests(100, (index) =>
      index < 40 ? { everyMs: 2000 } : { everyMs: (80_000 + (index - 40) * 30) / index, serverMs: 900 },
    ),
    verdict: 'fail',
    remedy: /the server queues/,
  },
  {
    rule: 'rate-limited',
    when: 'a 429',
    see: requests(10, (i) =>
      i === 3 ? { patch: ended({ kind: 'rejected', status: 429, message: 'slow down', retryAfterMs: 2000 }) } : {},
    ),
    verdict: 'fail',
    says: /^10 % of 10 requests.*not the network/,
  },
  {
    rule: 'request-errors',
    when: 'rejected requests',
    see: requests(20, () => ({ patch: ended({ kind: 'rejected', status: 500, message: 'oops\u0007' }) })),
    verdict: 'fail',
    remedy: /the server rejects them/,
  },
  {
    rule: 'request-errors',
    when: 'only the rate limit',
    see: requests(20, () => ({ patch: ended({ kind: 'rejected', status: 429, message: 'x' }) })),
    verdict: 'unknown',
  },
  {
    rule: 'broken-stream',
    when: 'streams cut at 60 s',
    see: requests(20, () => ({
      patch: (r) => ({
        ...r,
        outcome: { kind: 'brokenStream', message: 'cut' },
        phases: { ...r.phases, eofMs: 60_050 },
      }),
    })),
    verdict: 'fail',
    remedy: /above 60 s/,
  },
  {
    rule: 'bad-protocol',
    when: 'garbage',
    see: requests(3, () => ({
      patch: ended({
        kind: 'failed',
        phase: 'wait',
        operation: 'request',
        errno: 'HPE_INVALID_CONSTANT',
        address: '192.0.2.1:443',
        message: 'Expected HTTP/',
      }),
    })),
    verdict: 'fail',
    says: /3 of 3 answers broke the protocol/,
  },
  {
    rule: 'bad-protocol',
    when: 'a reset before the first token',
    see: requests(3, () => ({
      patch: (r) => ({
        ...r,
        outcome: { kind: 'brokenStream', message: 'ECONNRESET: aborted' },
        tokens: { ...r.tokens, events: 0 },
      }),
    })),
    verdict: 'none',
  },
  {
    rule: 'reachable',
    when: 'silence',
    see: Array.from({ length: 3 }, () => tcp('192.0.2.1:443', null)),
    verdict: 'fail',
    says: /^0 of 3 attempts/,
  },
  {
    rule: 'reachable',
    when: 'a name that resolves to silence',
    see: [...Array.from({ length: 9 }, () => dns(2)), ...Array.from({ length: 3 }, () => tcp('192.0.2.1:443', null))],
    verdict: 'fail',
    says: /^0 of 3 attempts/,
  },
  {
    rule: 'network-loss',
    when: 'one retransmission on a connection that all streams share',
    see: requests(50, () => ({
      patch: (r) => ({ ...r, sharedConnection: true, tcp: { ...r.tcp, retransmits: 1, outOfOrder: 1 } }),
    })),
    verdict: 'unknown',
  },
  {
    rule: 'far-terminator',
    when: 'a proxy of our own',
    see: requests(20, () => ({ patch: (r) => ({ ...r, phases: { ...r.phases, proxyMs: 4 } }) })),
    verdict: 'unknown',
    says: /ends at a proxy/,
  },
  { rule: 'reachable', when: 'silence once', see: [tcp('192.0.2.1:443', null)], verdict: 'unknown' },
  {
    rule: 'path',
    when: 'a loop',
    see: [
      trace(
        [
          [1, '10.0.0.1', 1],
          [2, '10.0.0.2', 2],
          [3, '10.0.0.1', 3],
        ],
        false,
      ),
    ],
    verdict: 'fail',
    says: /10\.0\.0\.1 appears at hop 1 and again at hop 3/,
  },
  {
    rule: 'path',
    when: 'a slow router on a fast path',
    see: [
      trace([
        [1, '10.0.0.1', 1],
        [2, '10.0.0.2', 90],
        [3, '192.0.2.1', 4],
      ]),
    ],
    verdict: 'pass',
  },
  {
    rule: 'address-family',
    when: 'dead IPv6',
    see: [
      dns(2, ['192.0.2.1', '2001:db8::1']),
      tcp('192.0.2.1', 20),
      ...Array.from({ length: 3 }, () => tcp('[2001:db8::1]:443', null)),
    ],
    verdict: 'fail',
    says: /publishes IPv6, but 0 of 3/,
  },
  {
    rule: 'address-family',
    when: 'IPv6 that nobody tried',
    see: [dns(2, ['192.0.2.1', '2001:db8::1']), tcp('192.0.2.1', 20)],
    verdict: 'unknown',
    says: /--family 6/,
  },
  {
    rule: 'transport-security',
    when: 'plain HTTP',
    network: plain,
    see: [],
    verdict: 'fail',
    says: /readable by anyone.*port 8000/,
  },
  {
    rule: 'transport-security',
    when: 'plain HTTP inside the machine',
    network: networkOf([{ url: 'http://127.0.0.1:7041' }]),
    see: [],
    verdict: 'unknown',
  },
  {
    rule: 'certificate',
    when: 'ten days left',
    see: [tlsProbe({ ...modernTls, certificate: { ...modernTls.certificate!, validTo: '2026-12-03T12:00:00Z' } })],
    verdict: 'fail',
    says: /ends in 10 days/,
  },
  {
    rule: 'certificate',
    when: 'an unknown issuer',
    see: [tlsProbe({ ...modernTls, authorized: false, authorizationError: 'SELF_SIGNED' })],
    verdict: 'fail',
    says: /not trusted here: SELF_SIGNED/,
  },
  {
    rule: 'old-tls',
    when: 'TLS 1.0',
    see: [tlsProbe({ ...modernTls, version: 'TLSv1' })],
    verdict: 'fail',
    says: /which is broken/,
  },
];

// What captures tell is judged in captured.test.ts.
const measured = rules.map((r) => r.id).filter((id) => !id.startsWith('capture-'));

describe.each(measured)('rule %s', (id) => {
  const rule = rules.find((r) => r.id === id)!;
  const own = scenarios.filter((s) => s.rule === id);

  it('has a scenario in which it fails', () => {
    expect(own.some((s) => s.verdict === 'fail')).toBe(true);
  });

  it.each(own)('on $when: $verdict', ({ network = networkOf(), see, verdict, says, remedy, gainMs }) => {
    const found = rule.judge(network, viewOf(see), now)[0];
    expect(found?.verdict ?? 'none').toBe(verdict);
    if (says) expect(found?.claim).toMatch(says);
    if (remedy) expect(found?.remedy?.text).toMatch(remedy);
    if (gainMs !== undefined) expect(found?.remedy?.gainMs).toBeCloseTo(gainMs, 6);
    // oxlint-disable-next-line no-control-regex -- the point is that none gets through
    expect(JSON.stringify(found ?? null)).not.toMatch(/\\u00[01][0-9a-f]/);
  });
});
