import type { Target } from '../../measure/probe.ts';
import { tcpProbe } from '../../measure/tcp.ts';
import type { Observation } from '../../model/observation.ts';
import { type BareSample, sampleOf } from '../../store/sample-of.ts';
import type { Io } from '../../wire/io.ts';
import type { RunnableJob } from './jobs.ts';
import type { Uplink } from './uplink.ts';

/** No probe of ours takes longer; one that does would keep its place in the schedule for ever. */
const longestRunMs = 10 * 60_000;
const uplinkTimeoutMs = 2000;

export interface RunParts {
  agent: string;
  io: Io;
  uplink: Uplink;
  lagMs: number;
  target?: Pick<Target, 'resolve' | 'ca'> | undefined;
}

/**
 * Runs a job once. What looks bad while the own uplink was down becomes `unknown`: it says nothing about the endpoint. What the
 * stop of this agent cut short is left out.
 */
export async function runJob(
  job: RunnableJob,
  { agent, io, uplink, lagMs, target: known }: RunParts,
  signal: AbortSignal,
): Promise<BareSample[]> {
  const beganMs = io.clock.monoMs();
  const observations: Observation[] = [];
  const target: Target = { ...known, name: job.endpoint, vantage: agent, url: job.url };
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const patience = new AbortController();
  void io.clock.sleep(longestRunMs, patience.signal).then(
    () => stop.abort(new DOMException('the run took too long', 'TimeoutError')),
    () => undefined,
  );
  try {
    for await (const one of job.probe.run(target, job.options, io, stop.signal)) observations.push(one);
  } finally {
    patience.abort();
    signal.removeEventListener('abort', onAbort);
  }
  const samples = observations
    .filter(({ outcome }) => !(signal.aborted && outcome.kind === 'interrupted'))
    .map((one) => withLag(sampleOf(one), lagMs));
  const isBad = samples.some(({ verdict }) => verdict === 'bad');
  if (!isBad || signal.aborted || !(await uplink.wasDownSince(beganMs))) return samples;
  return samples.map((sample) => (sample.verdict === 'bad' ? { ...sample, verdict: 'unknown' } : sample));
}

/** Lateness of the start, where the probe does not tell its own. */
function withLag(sample: BareSample, lagMs: number): BareSample {
  return { ...sample, metrics: { scheduleLagMs: lagMs, ...sample.metrics } };
}

/** Whether a HOST:PORT answers a TCP handshake, by yes or by no: both come over the uplink. */
export async function placeAnswers(place: string, io: Io, signal: AbortSignal): Promise<boolean> {
  if (!URL.canParse(`http://${place}/`)) return false;
  const target = { name: place, vantage: 'uplink', url: new URL(`http://${place}/`) };
  const options = tcpProbe.options.parse({ count: 1, timeoutMs: uplinkTimeoutMs });
  for await (const { outcome } of tcpProbe.run(target, options, io, signal))
    if (outcome.kind === 'answered' || outcome.kind === 'refused') return true;
  return false;
}
