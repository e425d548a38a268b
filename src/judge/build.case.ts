import type { InferenceRequest, Split } from '../model/inference.ts';
import type { MtuDirection, TcpSizes } from '../model/mtu.ts';
import { type Network, network } from '../model/network.ts';
import type { Observation, ObservationOf } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ResponsivenessDirection } from '../model/responsiveness.ts';
import type { LoadRtts } from '../model/throughput.ts';

export const now = new Date('2026-11-23T12:00:00.000Z');
const startMs = now.getTime() - 600_000;
const at = '2026-11-23T11:50:00.000Z';
const answered: Outcome = { kind: 'answered' };

export function networkOf(endpoints: Partial<Network['endpoints'][number]>[] = [{}], rest: object = {}): Network {
  const list = endpoints.map((e, i) => ({ name: `e${i + 1}`, url: 'https://model.example/v1', ...e }));
  return network.parse({ version: 1, endpoints: list, ...rest });
}

export function split(networkMs: [number, number], serverMs: [number, number], clientMs = 0): Split {
  return {
    networkMs,
    serverMs,
    clientMs,
    undeterminedMs: networkMs[1] - networkMs[0],
    evidence: 'kernel',
    why: 'built by a test',
  };
}

export const modernTls: NonNullable<InferenceRequest['tls']> = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  group: 'X25519',
  alpn: 'http/1.1',
  resumed: false,
  authorized: true,
  authorizationError: null,
  certificate: {
    subject: 'CN=model.example',
    issuer: 'CN=Test CA',
    validTo: '2027-06-01T00:00:00.000Z',
    daysLeft: 190,
    keyType: 'EC P-256',
    chainLength: 2,
    chainBytes: 2400,
  },
};

/** What a test says about a request; everything else is healthy: 20 ms away, 60 ms of server, 40 tokens every 20 ms. */
export interface RequestShape {
  index?: number;
  /** Start of this request after the one before. */
  everyMs?: number;
  rttMs?: number;
  serverMs?: number;
  networkMs?: number;
  gaps?: number[];
  fresh?: boolean;
  patch?: (r: InferenceRequest) => InferenceRequest;
}

export function request(shape: RequestShape = {}): InferenceRequest {
  const { index = 0, everyMs = 2000, rttMs = 20, serverMs = 60, fresh = false } = shape;
  const setupMs = fresh ? 2 + 2 * rttMs : 0;
  const networkMs = shape.networkMs ?? setupMs + rttMs;
  const gaps = shape.gaps ?? Array.from({ length: 39 }, () => 20);
  const ttftMs = networkMs + serverMs;
  const streamMs = gaps.reduce((sum, gapMs) => sum + gapMs, 0);
  const r: InferenceRequest = {
    id: `r${index}`,
    startedAt: new Date(startMs + index * everyMs).toISOString(),
    endpoint: 'e1',
    address: '192.0.2.1:443',
    dialect: 'openai-chat',
    model: 'm',
    httpVersion: '1.1',
    status: 200,
    reused: !fresh,
    sharedConnection: false,
    connectionId: fresh ? index : 1,
    outcome: answered,
    phases: {
      scheduleLagMs: 0.1,
      dnsMs: fresh ? 2 : null,
      tcpMs: fresh ? rttMs : null,
      proxyMs: null,
      tlsMs: fresh ? rttMs + 1 : null,
      uploadMs: rttMs,
      waitMs: rttMs + serverMs,
      ttfbMs: ttftMs,
      ttfeMs: ttftMs,
      ttftMs,
      ttftVisibleMs: ttftMs,
      streamMs,
      totalMs: ttftMs + streamMs,
      eofMs: ttftMs + streamMs,
    },
    split: {
      ttft: split([networkMs - 1, networkMs], [serverMs, serverMs + 1]),
      total: split([networkMs, networkMs + 5], [serverMs + streamMs - 5, serverMs + streamMs]),
      phases: {},
    },
    stalls: [],
    stallThresholdMs: 50,
    tokens: { prompt: 1000, cachedPrompt: 0, output: gaps.length + 1, reasoning: null, events: gaps.length + 1 },
    tpotMs: 20,
    gaps,
    eventsPerRead: 1,
    stamps: 'kernel',
    upload: { bytes: 4500, rounds: 1 },
    receivedBytes: 9000,
    tcp: {
      handshakeRttMs: rttMs,
      requestRttMs: rttMs,
      minRttMs: rttMs,
      pdvMs: 1,
      retransmits: 0,
      outOfOrder: 0,
      info: [],
    },
    tls: modernTls,
    server: { reported: [], terminator: [], requestId: null, rateLimit: {} },
    client: { eventLoopLagMs: 0.5, processingMs: 0.2 },
    notes: [],
  };
  return shape.patch ? shape.patch(r) : r;
}

export function inference(r: InferenceRequest, to = 'e1'): ObservationOf<'inference'> {
  return { kind: 'inference', at: r.startedAt, from: 'here', to, how: 'kernel stamps', outcome: r.outcome, request: r };
}

/** `n` requests to an endpoint, the shape of each by its index. */
export function requests(n: number, shape: (index: number) => RequestShape = () => ({}), to = 'e1'): Observation[] {
  return Array.from({ length: n }, (_, index) => inference(request({ index, ...shape(index) }), to));
}

/** `n` TCP pings, the round trip of each by its index; null is a lost one. */
export function pings(n: number, rttMs: (index: number) => number | null, to = 'e1'): Observation[] {
  return Array.from({ length: n }, (_, sequence) => {
    const rtt = rttMs(sequence);
    const outcome: Outcome = rtt === null ? { kind: 'lost' } : answered;
    return {
      kind: 'ping',
      at,
      from: 'here',
      to,
      how: 'kernel stamps',
      outcome,
      address: '192.0.2.1',
      method: 'tcp-connect',
      sequence,
      rttMs: rtt,
    };
  });
}

export function dns(durationMs: number, addresses = ['192.0.2.1'], to = 'e1'): Observation {
  return {
    kind: 'dns',
    at,
    from: 'here',
    to,
    how: 'user clock',
    outcome: answered,
    host: 'model.example',
    durationMs,
    addresses,
  };
}

export function tcp(address: string, rttMs: number | null, to = 'e1'): Observation {
  const outcome: Outcome = rttMs === null ? { kind: 'timedOut', phase: 'tcp', afterMs: 3000 } : answered;
  return {
    kind: 'tcp',
    at,
    from: 'here',
    to,
    how: 'TCP_INFO',
    outcome,
    address,
    rttMs,
    synRetransmits: rttMs === null ? null : 0,
  };
}

export function tlsProbe(tls: ObservationOf<'tls'>['tls'], durationMs = 21, to = 'e1'): Observation {
  return {
    kind: 'tls',
    at,
    from: 'here',
    to,
    how: 'user clock',
    outcome: answered,
    address: '192.0.2.1:443',
    durationMs,
    rttMs: 20,
    tls,
  };
}

export function trace(hops: [number, string | null, number | null][], reached = true, to = 'e1'): Observation {
  return {
    kind: 'trace',
    at,
    from: 'here',
    to,
    how: 'UDP',
    outcome: answered,
    address: '192.0.2.1',
    method: 'udp',
    reached,
    hops: hops.map(([ttl, address, rttMs]) => ({ ttl, address, rttMs })),
  };
}

function loadRtts(ms: number, count: number): LoadRtts {
  const same = { minMs: ms, medianMs: ms, p95Ms: ms, p99Ms: ms, maxMs: ms };
  return { sent: count, received: count, ...same, histogram: [{ lowMs: ms, highMs: ms, count }] };
}

/** A throughput test with `count` round trips of `loadedMs` while data flowed, and 20 before. */
export function underLoad(idleMs: number | null, loadedMs: number, count: number): ObservationOf<'throughput'> {
  const idle = idleMs === null ? null : loadRtts(idleMs, 20);
  const increaseMs = idleMs === null ? null : loadedMs - idleMs;
  return {
    kind: 'throughput',
    at: '2026-11-23T11:50:00.000Z',
    from: 'here',
    to: 'e1',
    how: 'test',
    outcome: { kind: 'answered' },
    address: '192.0.2.1',
    port: 5201,
    test: {
      protocol: 'tcp',
      parallel: 1,
      blockBytes: 131_072,
      targetMbitPerS: null,
      omitS: 0,
      endedBy: 'time',
      server: 'iperf3',
      directions: [],
      latency: { method: 'icmp', how: 'test', idle, loaded: loadRtts(loadedMs, count), increaseMs, grade: 'C' },
      cpu: { local: 0, busiestThread: 0, remote: null },
    },
  };
}

/** One direction whose moving averages were `rpms`, the last one its result. */
export function rpmDirection(
  rpms: readonly number[],
  patch: Partial<ResponsivenessDirection> = {},
): ResponsivenessDirection {
  return {
    direction: 'download',
    outcome: { kind: 'answered' },
    ended: 'stable',
    rpm: rpms.at(-1) ?? null,
    grade: 'fair',
    foreignRpm: null,
    loadedRpm: null,
    goodputMbit: 94.2,
    confidence: { goodput: 'high', responsiveness: 'high' },
    trimmedMeans: null,
    connections: 4,
    bytes: 1e8,
    durationMs: 8000,
    probes: { foreign: 80, self: 60, failed: 0, skipped: 0, failure: null },
    intervals: rpms.map((rpm, i) => ({
      atMs: 1000 * (i + 1),
      connections: 4,
      goodputMbit: 94,
      foreignProbes: 20,
      selfProbes: 15,
      rpm,
    })),
    ...patch,
  };
}

/** Idle: 3000 RPM, so 20 ms; chat allows 30 ms more. */
export function rpmSeen(
  directions: ResponsivenessDirection[],
  patch: Partial<ObservationOf<'responsiveness'>> = {},
): ObservationOf<'responsiveness'> {
  return {
    kind: 'responsiveness',
    at: '2026-11-23T11:50:00.000Z',
    from: 'here',
    to: 'e1',
    how: 'test',
    outcome: { kind: 'answered' },
    url: 'https://192.0.2.1/.well-known/nq',
    idle: { tcpMs: 20, tlsMs: 20, httpMs: 20, probes: 5, rpm: 3000 },
    directions,
    eventLoopLagP99Ms: 1,
    ...patch,
  };
}

export function client(patch: Partial<ObservationOf<'client'>> = {}): Observation {
  return {
    kind: 'client',
    at,
    from: 'here',
    to: 'client',
    how: 'own timers',
    outcome: answered,
    scheduleLagP99Ms: 0.4,
    eventLoopLagP99Ms: 1,
    eventLoopLagMaxMs: 4,
    clockStepMs: 0.1,
    cpuShare: 0.3,
    ...patch,
  };
}

/** A path MTU as it was found, of a client on Ethernet. */
export function mtu(
  forward: MtuDirection,
  segments: TcpSizes | null = null,
  patch: Partial<ObservationOf<'mtu'>> = {},
): ObservationOf<'mtu'> {
  return {
    kind: 'mtu',
    at,
    from: 'here',
    to: 'e1',
    how: 'ICMP echo',
    outcome: forward.confirmedBytes === null ? { kind: 'lost' } : { kind: 'answered' },
    address: '192.0.2.9',
    family: 4,
    method: 'icmp',
    interfaceName: 'eth0',
    interfaceMtuBytes: 1500,
    maxBytes: 1500,
    forward,
    reverse: null,
    tcp: segments,
    ladder: [],
    reverseLadder: [],
    probes: 12,
    lossShare: 0,
    notes: [],
    ...patch,
  };
}

/** A run in which nothing is wrong and enough was measured: 400 requests at up to three at once, 3000 pings and every probe. */
export function healthyRun(): Observation[] {
  return [
    ...requests(400, (i) => ({ everyMs: 300, fresh: i % 2 === 0, rttMs: 20 + (i % 5) / 2 })),
    ...pings(3000, (i) => 20 + (i % 7) / 3),
    ...Array.from({ length: 10 }, () => dns(2)),
    ...Array.from({ length: 10 }, () => tcp('192.0.2.1', 20)),
    ...Array.from({ length: 10 }, () => tlsProbe(modernTls)),
    trace([
      [1, '10.0.0.1', 1],
      [2, '198.51.100.1', 12],
      [3, '192.0.2.1', 20],
    ]),
    mtu({
      verdict: 'no-limit',
      why: 'packets of 1500 octets arrive',
      confirmedBytes: 1500,
      refutedBytes: null,
      by: null,
      saidMtuBytes: null,
      chanceOfLoss: null,
      hop: null,
    }),
    client(),
  ];
}
