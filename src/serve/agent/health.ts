import type { AgentHealth, AgentStatus } from '../../model/agent-health.ts';
import type { ObservationOf } from '../../model/observation.ts';
import type { MetricFamily } from '../../report/openmetrics.ts';
import type { Alarm } from './dead-man.ts';
import type { SchedulerFigures } from './scheduler.ts';
import type { SelfFigures } from './self.ts';
import type { SenderFigures } from './sender.ts';
import type { SpoolFigures } from './spool.ts';

/** What the parts of an agent say of themselves at one moment. */
export interface HealthParts {
  clockOffsetMs: [number, number] | null;
  uplink: 'up' | 'down' | null;
  refusedJobs: number;
  scheduler: SchedulerFigures;
  /** As it was at the last look, for what is told per period. */
  before: SchedulerFigures;
  spool: SpoolFigures;
  /** Samples that never reached the spool. */
  neverSpooled: number;
  sender: SenderFigures;
  monoMs: number;
  certificateUntil: string | null;
}

export function healthOf(parts: HealthParts): AgentHealth {
  const { scheduler, before, spool, sender } = parts;
  return {
    clockOffsetMs: parts.clockOffsetMs,
    uplink: parts.uplink,
    jobs: scheduler.jobs,
    refusedJobs: parts.refusedJobs,
    runningJobs: scheduler.running,
    waitingJobs: scheduler.waiting,
    startedRuns: scheduler.started - before.started,
    failedRuns: scheduler.failed - before.failed,
    skippedStarts: {
      running: scheduler.skipped.running - before.skipped.running,
      late: scheduler.skipped.late - before.skipped.late,
    },
    spool: {
      batches: spool.batches,
      samples: spool.samples,
      bytes: spool.bytes,
      memoryBatches: spool.memoryBatches,
      diskFault: spool.diskFault,
      droppedSamples: spool.dropped.samples + parts.neverSpooled,
      quarantinedSamples: spool.quarantined.samples,
    },
    server: {
      acknowledgedSamples: sender.acknowledgedSamples,
      duplicates: sender.duplicates,
      failuresInARow: sender.failuresInARow,
      trouble: sender.trouble,
      lastAckAgoMs: sender.lastAckMs === null ? null : parts.monoMs - sender.lastAckMs,
    },
    certificateUntil: parts.certificateUntil,
  };
}

/** The sample of kind `client` by which the server watches its agents. */
export function healthObservation(
  agent: string,
  wallMs: number,
  self: SelfFigures,
  health: AgentHealth,
): ObservationOf<'client'> {
  return {
    kind: 'client',
    at: new Date(wallMs).toISOString(),
    from: agent,
    to: agent,
    how: 'own timers and CPU accounting; clock of the server by the Date of its answers',
    outcome: { kind: 'answered' },
    ...self,
    agent: health,
  };
}

export interface StatusHead {
  version: string;
  agent: string;
  server: string;
  state: AgentStatus['state'];
  alarm: Alarm | null;
}

export function statusOf(head: StatusHead, wallMs: number, self: SelfFigures, health: AgentHealth): AgentStatus {
  const { version, agent, server, state, alarm } = head;
  const { scheduleLagP99Ms, eventLoopLagP99Ms, clockStepMs, cpuShare } = self;
  return {
    schema: 'inferpath/agent-status@1',
    version,
    agent,
    server,
    at: new Date(wallMs).toISOString(),
    state,
    alarm: alarm && { since: new Date(alarm.sinceMs).toISOString(), why: alarm.why },
    scheduleLagP99Ms,
    eventLoopLagP99Ms,
    clockStepMs,
    cpuShare,
    health,
  };
}

/** The same as metrics: the agent's alarm without any server. */
export function statusFamilies({ agent, health, alarm, at, scheduleLagP99Ms }: AgentStatus): MetricFamily[] {
  const rows: [name: string, type: 'gauge' | 'counter', help: string, value: number][] = [
    ['up_timestamp_seconds', 'gauge', 'When this file was written.', Date.parse(at) / 1000],
    ['alarm', 'gauge', '1 while the server does not acknowledge.', alarm ? 1 : 0],
    ['missed_acks', 'gauge', 'Attempts since the last one that worked.', health.server.failuresInARow],
    [
      'acknowledged_samples_total',
      'counter',
      'Results that the server has acknowledged.',
      health.server.acknowledgedSamples,
    ],
    ['spool_batches', 'gauge', 'Batches that wait for an acknowledgement.', health.spool.batches],
    ['spool_bytes', 'gauge', 'Octets of them.', health.spool.bytes],
    ['dropped_samples_total', 'counter', 'Results lost for want of room.', health.spool.droppedSamples],
    ['quarantined_samples_total', 'counter', 'Results that the server refused.', health.spool.quarantinedSamples],
    ['disk_fault', 'gauge', '1 while the disk takes no batch.', health.spool.diskFault === null ? 0 : 1],
    ['jobs', 'gauge', 'Jobs that run.', health.jobs],
    ['refused_jobs', 'gauge', 'Jobs of the server that do not.', health.refusedJobs],
    ['schedule_lag_p99_seconds', 'gauge', 'Lateness of starts.', scheduleLagP99Ms / 1000],
  ];
  return rows.map(([name, type, help, value]) => ({
    name: `inferpath_agent_${name}`,
    type,
    help,
    samples: [{ labels: { agent }, value }],
  }));
}
