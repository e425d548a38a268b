import { judge } from '../judge/judge.ts';
import { summarise } from '../judge/matrix.ts';
import { dnsProbe } from '../measure/dns.ts';
import { type InferenceOptions, inferenceProbe, inferenceProbeWith } from '../measure/inference/probe.ts';
import type { LinkOptions } from '../measure/inference/link.ts';
import { pingProbe } from '../measure/ping.ts';
import type { Target } from '../measure/probe.ts';
import { tcpProbe } from '../measure/tcp.ts';
import { tlsProbe } from '../measure/tls.ts';
import type { AssessReport } from '../model/assess.ts';
import { resolveWorkload } from '../model/defaults.ts';
import type { Finding, Verdict } from '../model/finding.ts';
import type { Endpoint, Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { rankFindings } from '../plan/rank.ts';
import { quantile, sorted } from '../stats/quantile.ts';
import type { Io } from '../wire/io.ts';
import { watchLoopLag } from '../wire/loop-lag.ts';
import { loadSteps, type PathStep, pathSteps } from './assess-path.ts';
import type { CaptureEvidence } from './capture/evidence.ts';
import { version } from './version.ts';

/** How much an assessment sends; everything is bounded. */
export interface AssessOptions {
  requests: number;
  concurrency: number;
  pings: number;
  pingIntervalMs: number;
  timeoutMs: number;
  tap: boolean;
  floor: boolean;
  /** Measure against the reflectors that the network file names, too. */
  load: boolean;
  vantage: string;
  link: LinkOptions;
  headers: Record<string, string>;
  /** Endpoint name → API key. */
  keys: ReadonlyMap<string, string>;
  promptTokens: number | undefined;
  maxTokens: number | undefined;
  model: string | undefined;
  notes: readonly string[];
  /** Captures of traffic to the endpoints, judged beside what is measured; null: none. */
  captured: CaptureEvidence | null;
  /** What the network file plans with, judged beside what was measured: findings that do not pass. */
  planned(observations: readonly Observation[]): Promise<readonly Finding[]>;
}

/** One progress counter per endpoint, for whoever shows it. */
export interface AssessProgress {
  step(endpoint: string, what: string): void;
  requests(endpoint: string, done: number, total: number): void;
}

/** Cold requests per endpoint, each on a new connection: what a first request costs. */
const coldRequests = 5;
/** Name lookups per endpoint: the first may be cold, the others show a cache. */
const lookups = 5;

/** Measures every endpoint, judges, summarises. Ends early, with what it has, when the signal aborts. */
export async function assessNetwork(
  network: Network,
  options: AssessOptions,
  io: Io,
  signal: AbortSignal,
  progress: AssessProgress,
): Promise<AssessReport> {
  const beganMs = io.clock.monoMs();
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const self = watchSelf(io);
  const abouts = new Set<string>();
  const perEndpoint = await Promise.all(
    network.endpoints.map((endpoint) => measureEndpoint(network, endpoint, options, io, signal, progress, abouts)),
  );
  const underLoad: Observation[] = [];
  // Alone and last: a full path is no place to measure anything else, and two may share a link.
  for (const endpoint of options.load ? network.endpoints : [])
    await walk(
      loadSteps(endpoint, targetOf(endpoint, options), options.link),
      endpoint,
      underLoad,
      io,
      signal,
      progress,
    );
  const measured = [...perEndpoint.flat(), ...underLoad];
  const captured = options.captured?.observations(addressesSeen(measured));
  const observations = [...measured, ...(captured?.observations ?? []), self.observation(options.vantage, measured)];
  const planned = await options.planned(observations);
  const findings = rankFindings([...judge(network, observations, new Date(io.clock.wallMs())), ...planned]);
  const endpoints = summarise(network, observations, findings);
  const cells = [
    ...endpoints.flatMap((e) => Object.values(e.cells).map((c) => c.verdict)),
    ...planned.map(({ verdict }) => verdict),
  ];
  const ready: Verdict = cells.includes('fail') ? 'fail' : cells.includes('unknown') ? 'unknown' : 'pass';
  return {
    schema: 'inferpath/assess@1',
    version,
    startedAt,
    durationMs: io.clock.monoMs() - beganMs,
    interrupted: signal.aborted,
    vantage: options.vantage,
    requests: endpoints.reduce((n, e) => n + e.requests, 0),
    ready,
    endpoints,
    findings,
    observations,
    notes: [...options.notes, ...(captured?.notes ?? []), ...abouts],
  };
}

/** Which addresses each endpoint had in this run. */
function addressesSeen(measured: readonly Observation[]): Map<string, string[]> {
  const seen = new Map<string, string[]>();
  for (const one of measured) if (one.kind === 'dns') seen.set(one.to, [...(seen.get(one.to) ?? []), ...one.addresses]);
  return seen;
}

function targetOf(endpoint: Endpoint, { vantage, link }: AssessOptions): Target {
  return {
    name: endpoint.name,
    vantage,
    url: new URL(endpoint.url),
    ...(link.family === undefined ? {} : { family: link.family }),
    ...(link.resolve === undefined ? {} : { resolve: link.resolve }),
    ca: link.ca,
    clientCert: link.clientCert,
    clientKey: link.clientKey,
  };
}

async function walk(
  steps: readonly PathStep[],
  endpoint: Endpoint,
  found: Observation[],
  io: Io,
  signal: AbortSignal,
  progress: AssessProgress,
): Promise<void> {
  for (const { name, run } of steps) {
    if (signal.aborted) return;
    progress.step(endpoint.name, name);
    for await (const item of run(io, signal)) found.push(item);
  }
}

async function measureEndpoint(
  network: Network,
  endpoint: Endpoint,
  options: AssessOptions,
  io: Io,
  signal: AbortSignal,
  progress: AssessProgress,
  abouts: Set<string>,
): Promise<Observation[]> {
  const target = targetOf(endpoint, options);
  const found: Observation[] = [];
  const collect = async (items: AsyncIterable<Observation>) => {
    for await (const item of items) found.push(item);
  };
  progress.step(endpoint.name, 'set-up');
  for (let i = 0; i < lookups && !signal.aborted; i++)
    await collect(dnsProbe.run(target, dnsProbe.options.parse({}), io, signal));
  await collect(tcpProbe.run(target, tcpProbe.options.parse({ timeoutMs: options.link.connectTimeoutMs }), io, signal));
  const reachable = found.some((o) => o.kind === 'tcp' && o.outcome.kind === 'answered');
  // Behind a proxy these would measure a path that the requests do not take.
  const direct = options.link.proxy === undefined;
  if (reachable && direct) await collect(tlsProbe.run(target, tlsProbe.options.parse({}), io, signal));
  if (direct) await walk(pathSteps(target), endpoint, found, io, signal, progress);
  if (signal.aborted) return found;
  progress.step(endpoint.name, 'requests');
  const pings = reachable && direct ? collect(handshakes(target, options, io, signal)) : Promise.resolve();
  const count = (done: number, total: number) => progress.requests(endpoint.name, done, total);
  const asked = inferenceOptionsOf(network, endpoint, options, reachable);
  await Promise.all([pings, collect(requests(target, asked, options, io, signal, count, abouts))]);
  progress.step(endpoint.name, 'done');
  return found;
}

/** TCP handshakes to the endpoint's own port while the requests run: ICMP may be filtered or treated otherwise. */
function handshakes(target: Target, options: AssessOptions, io: Io, signal: AbortSignal): AsyncIterable<Observation> {
  const { pings: count, pingIntervalMs: intervalMs } = options;
  return pingProbe.run(target, pingProbe.options.parse({ count, intervalMs, method: 'tcp-connect' }), io, signal);
}

/** What the requests to one endpoint are like: `requests` of them in all. */
function inferenceOptionsOf(
  network: Network,
  endpoint: Endpoint,
  options: AssessOptions,
  reachable: boolean,
): InferenceOptions {
  const workload = resolveWorkload(network, endpoint);
  const wanted = endpoint.requests ?? options.requests;
  const { http2, insecure, proxy, connectTimeoutMs } = options.link;
  return inferenceProbe.options.parse({
    dialect: endpoint.dialect,
    model: endpoint.model ?? options.model,
    apiKey: options.keys.get(endpoint.name),
    authHeader: endpoint.auth?.header,
    headers: options.headers,
    promptTokens: options.promptTokens ?? workload.promptTokens,
    maxTokens: options.maxTokens ?? workload.maxTokens,
    // Nobody answers: two requests say so as well as hundreds.
    requests: reachable || proxy ? wanted : Math.min(2, wanted),
    stallThresholdMs: workload.targets.tokenGapMs.max,
    timeoutMs: options.timeoutMs,
    connectTimeoutMs,
    floor: options.floor && reachable,
    http2,
    insecure,
    proxy: proxy?.href,
  });
}

/** A few on cold connections, a few alone on a warm one, then as many at once as asked for: does it hold? */
async function* requests(
  target: Target,
  asked: InferenceOptions,
  options: AssessOptions,
  io: Io,
  signal: AbortSignal,
  count: (done: number, total: number) => void,
  abouts: Set<string>,
): AsyncIterable<Observation> {
  const total = asked.requests;
  const cold = Math.min(coldRequests, total);
  const warm = Math.min(coldRequests, total - cold);
  const stages: InferenceOptions[] = [
    { ...asked, requests: cold, concurrency: 1, fresh: true },
    { ...asked, requests: warm, concurrency: 1 },
    { ...asked, requests: total - cold - warm, concurrency: options.concurrency },
  ];
  // One transport for all stages: its thread takes a while to start, and that would disturb the other endpoints.
  const transport = io.sockets.openTcp({ tap: options.tap });
  abouts.add(transport.about);
  let done = 0;
  const progress = { started: () => undefined, finished: () => count(++done, total) };
  const probe = inferenceProbeWith({ transport, progress });
  try {
    for (const stage of stages) if (stage.requests > 0 && !signal.aborted) yield* probe.run(target, stage, io, signal);
  } finally {
    await transport.close();
  }
}

/** The measuring process watches itself: what it cannot follow it must not judge. */
function watchSelf(io: Io): { observation(vantage: string, found: readonly Observation[]): Observation } {
  const lag = watchLoopLag(io.clock.monoMs);
  const beganMs = io.clock.monoMs();
  const wallBeganMs = io.clock.wallMs();
  const cpuBegan = process.cpuUsage();
  return {
    observation: (vantage, found) => {
      lag.stop();
      const elapsedMs = io.clock.monoMs() - beganMs;
      const cpu = process.cpuUsage(cpuBegan);
      const lags = sorted([...lag.samples()]);
      const scheduleLags = sorted(
        found.flatMap((o) => (o.kind === 'inference' ? [o.request.phases.scheduleLagMs] : [])),
      );
      const stepMs = Math.abs(io.clock.wallMs() - wallBeganMs - elapsedMs);
      return {
        kind: 'client',
        at: new Date(io.clock.wallMs()).toISOString(),
        from: vantage,
        to: 'client',
        how: 'own timers and CPU accounting',
        outcome: { kind: 'answered' },
        scheduleLagP99Ms: scheduleLags.length === 0 ? 0 : quantile(scheduleLags, 0.99),
        eventLoopLagP99Ms: lags.length === 0 ? 0 : quantile(lags, 0.99),
        eventLoopLagMaxMs: lags.length === 0 ? 0 : (lags.at(-1) as number),
        // The two clocks are read a moment apart, and the wall clock may be slewed by 0.05 % (adjtime): that is no step.
        clockStepMs: stepMs < 2 + elapsedMs * 0.001 ? 0 : stepMs,
        cpuShare: (cpu.user + cpu.system) / 1000 / Math.max(1, elapsedMs),
      };
    },
  };
}
