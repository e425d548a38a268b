import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { AgentStatus } from '../../model/agent-health.ts';
import { renderMetrics } from '../../report/openmetrics.ts';
import type { Target } from '../../measure/probe.ts';
import { type BareSample, sampleOf } from '../../store/sample-of.ts';
import { type DurableFiles, writeWhole } from '../../wire/durable-files.ts';
import type { Io } from '../../wire/io.ts';
import type { ClockOffset } from './clock-offset.ts';
import { Collector } from './collector.ts';
import { DeadMan, type DeadManEvent, type DeadManOptions } from './dead-man.ts';
import { healthObservation, healthOf, statusFamilies, statusOf } from './health.ts';
import { JobFeed } from './job-feed.ts';
import type { JobRules, RunnableJob } from './jobs.ts';
import { placeAnswers, runJob } from './run-job.ts';
import { Scheduler } from './scheduler.ts';
import { watchSelf } from './self.ts';
import { Sender, type SenderOptions } from './sender.ts';
import type { ServerLink } from './server-link.ts';
import { withSharedSockets } from './shared-sockets.ts';
import { Spool, type SpoolLimits, spoolLimits } from './spool.ts';
import { guarded } from './target-policy.ts';
import { Uplink } from './uplink.ts';

export interface AgentPace {
  /** Runs of all jobs at once. */
  concurrency: number;
  /** Samples wait so long at most before they are a batch on disk, ms. */
  batchEveryMs: number;
  healthEveryMs: number;
  pollEveryMs: number;
  /** What the sender may still take when the agent has to stop, ms. */
  lingerMs: number;
  /**
   * Within this every job has its first run, beside the place in its interval that it is given for good; Infinity for no such run,
   * as a thousand agents that start together must not ask the same endpoint in the same second.
   */
  firstRoundMs: number;
}

export const agentPace: AgentPace = {
  concurrency: 64,
  batchEveryMs: 2000,
  healthEveryMs: 15_000,
  pollEveryMs: 30_000,
  lingerMs: 3000,
  firstRoundMs: Infinity,
};

export interface AgentParts {
  name: string;
  version: string;
  io: Io;
  files: DurableFiles;
  /** Holds the spool, the last list of jobs and the status files. */
  directory: string;
  link: ServerLink;
  rules: JobRules;
  /** Where endpoints are and whose certificates they have, where this agent's user knows better than DNS and the system. */
  target?: Pick<Target, 'resolve' | 'ca'>;
  /** CPU time of this process so far, user and system, ms. */
  cpuMs: () => number;
  /** Fed by whoever talks to the server; absent in the server's own process, whose clock is ours. */
  offset?: ClockOffset;
  certificateUntil?: () => string | null;
  onStatus?: (status: AgentStatus) => void;
  /** The jobs in force from now on. */
  onJobs?: (jobs: readonly RunnableJob[]) => void;
  /** What one run has measured. */
  onSamples?: (samples: readonly BareSample[]) => void;
  onAlarm?: (event: DeadManEvent) => void;
  onUnauthorised?: (why: string) => void;
  pace?: Partial<AgentPace>;
  limits?: SpoolLimits;
  sender?: SenderOptions;
  deadMan?: DeadManOptions;
}

/**
 * An agent until the signal aborts: list of jobs → schedule → runs → samples → batches → spool → sender. Each part knows its
 * neighbour by one function, and the spool alone stands between what was measured and what a crash takes.
 * @throws when the spool cannot be opened; later faults are told and survived
 */
export async function runAgent(parts: AgentParts, signal: AbortSignal): Promise<AgentStatus> {
  const { name, io, files, directory, link, rules } = parts;
  const pace = { ...agentPace, ...parts.pace };
  // Every run that is under way listens to it.
  setMaxListeners(0, signal);
  const { clock, random, log } = io;
  const spool = await Spool.open(files, join(directory, 'spool'), parts.limits ?? spoolLimits);
  const onUnauthorised = (why: string) => parts.onUnauthorised?.(why);
  const sender = new Sender({
    spool,
    deliver: (batch, stop) => link.deliver(batch, stop),
    clock,
    random,
    log,
    onUnauthorised,
    ...(parts.sender && { options: parts.sender }),
  });
  const life = io.random.uuid().replaceAll('-', '');
  const collector = new Collector({ spool, life, onBatch: () => sender.wake() });
  const shared = withSharedSockets(guarded(io, rules.policy));
  const uplink = new Uplink(clock, (place) => answers(place, rules, shared.io, signal));
  const scheduler = new Scheduler<RunnableJob>({
    clock,
    random,
    log,
    concurrency: pace.concurrency,
    firstRoundMs: pace.firstRoundMs,
    run: async (job, lagMs, stop) => {
      const samples = await runJob(job, { agent: name, io: shared.io, uplink, lagMs, target: parts.target }, stop);
      collector.add(samples);
      parts.onSamples?.(samples);
    },
  });
  const feed = new JobFeed({
    link,
    files,
    path: join(directory, 'jobs.json'),
    clock,
    random,
    log,
    rules,
    everyMs: pace.pollEveryMs,
    onJobs: (jobs, places) => {
      uplink.watch(places);
      scheduler.replace(jobs);
      parts.onJobs?.(jobs);
    },
    onUnauthorised,
  });
  const self = watchSelf(clock, parts.cpuMs);
  const deadMan = new DeadMan(clock.monoMs(), parts.deadMan);
  let before = scheduler.figures();
  const look = async (state: AgentStatus['state']): Promise<AgentStatus> => {
    const figures = self.take(scheduler.takeLags());
    // What was heard of the server's clock was held against one of ours that is no more.
    if (figures.clockStepMs > 0) parts.offset?.reset();
    const monoMs = clock.monoMs();
    const health = healthOf({
      clockOffsetMs: parts.offset?.bounds(monoMs) ?? null,
      uplink: uplink.state,
      refusedJobs: feed.refused.length,
      scheduler: scheduler.figures(),
      before,
      spool: spool.figures(),
      neverSpooled: collector.dropped,
      sender: sender.figures(),
      monoMs,
      certificateUntil: parts.certificateUntil?.() ?? null,
    });
    before = scheduler.figures();
    const event = deadMan.look(sender.figures(), { monoMs, wallMs: clock.wallMs() });
    if (event) parts.onAlarm?.(event);
    if (state === 'running') collector.add([sampleOf(healthObservation(name, clock.wallMs(), figures, health))]);
    const head = { version: parts.version, agent: name, server: link.about, state, alarm: deadMan.alarm };
    const status = statusOf(head, clock.wallMs(), figures, health);
    await writeStatus(files, directory, status);
    parts.onStatus?.(status);
    return status;
  };

  const sending = new AbortController();
  const sent = sender.run(sending.signal);
  if (await feed.restore()) log.debug('the list of jobs is that of the last time until the server is heard');
  await look('running');
  await Promise.all([
    feed.run(signal),
    scheduler.run(signal),
    every(pace.batchEveryMs, () => collector.flush(), io, signal),
    every(
      pace.healthEveryMs,
      async () => {
        await spool.flush();
        await look('running');
      },
      io,
      signal,
    ),
  ]);
  await collector.flush();
  await linger(spool, sender, pace.lingerMs, io);
  sending.abort();
  await sent;
  const last = await look('stopped');
  self.stop();
  await shared.close();
  return last;
}

/** An address is asked only where the policy permits it, a name by the guarded resolver. */
function answers(place: string, { policy }: JobRules, io: Io, signal: AbortSignal): Promise<boolean> {
  const host = /^\[?([^\]]*?)\]?:\d+$/.exec(place)?.[1] ?? '';
  if (isIP(host) !== 0 && policy.refusal(host) !== null) return Promise.resolve(false);
  return placeAnswers(place, io, signal);
}

async function every(ms: number, work: () => Promise<void>, { clock, log }: Io, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(ms, signal).catch(() => undefined);
    if (!signal.aborted) await work().catch((error: unknown) => log.warn(String(error)));
  }
}

/** What is in the spool gets a little time to leave, where the server takes it; the rest goes when the agent runs again. */
async function linger(spool: Spool, sender: Sender, ms: number, { clock }: Io): Promise<void> {
  const untilMs = clock.monoMs() + ms;
  const isLeaving = () => spool.figures().batches > 0 && sender.figures().failuresInARow === 0;
  while (isLeaving() && clock.monoMs() < untilMs) await clock.sleep(50);
}

async function writeStatus(files: DurableFiles, directory: string, status: AgentStatus): Promise<void> {
  const write = (name: string, text: string) =>
    // On a full disk there is no status; the spool has said why by then.
    writeWhole(files, join(directory, name), Buffer.from(text)).catch(() => undefined);
  await write('status.json', `${JSON.stringify(status, null, 1)}\n`);
  await write('status.prom', [...renderMetrics(statusFamilies(status), 'classic')].join(''));
}
