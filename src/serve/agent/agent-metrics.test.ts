import { expect, test } from 'vitest';
import { tcpProbe } from '../../measure/tcp.ts';
import type { AgentStatus } from '../../model/agent-health.ts';
import type { BareSample } from '../../store/sample-of.ts';
import { AgentMetrics } from './agent-metrics.ts';
import type { RunnableJob } from './jobs.ts';

const status: AgentStatus = {
  schema: 'inferpath/agent-status@1',
  version: '0',
  agent: 'edge',
  server: 'https://watch.test',
  at: '2026-11-27T08:00:00.000Z',
  state: 'running',
  alarm: null,
  scheduleLagP99Ms: 1.5,
  eventLoopLagP99Ms: 1,
  clockStepMs: 0,
  cpuShare: 0.1,
  health: {
    clockOffsetMs: null,
    uplink: null,
    jobs: 2,
    refusedJobs: 0,
    runningJobs: 0,
    waitingJobs: 0,
    startedRuns: 0,
    failedRuns: 0,
    skippedStarts: { running: 0, late: 0 },
    spool: {
      batches: 3,
      samples: 9,
      bytes: 100,
      memoryBatches: 0,
      diskFault: null,
      droppedSamples: 0,
      quarantinedSamples: 0,
    },
    server: { acknowledgedSamples: 7, duplicates: 0, failuresInARow: 0, trouble: null, lastAckAgoMs: 1 },
    certificateUntil: null,
  },
};
const job = (endpoint: string): RunnableJob => ({
  id: `0/tcp/${endpoint}`,
  everyMs: 10_000,
  endpoint,
  url: new URL('http://10.0.0.1/'),
  probe: tcpProbe,
  options: {},
});
const handshake = (endpoint: string, atMs: number, rttMs: number | null): BareSample => ({
  atMs,
  endpoint,
  kind: 'tcp',
  outcome: rttMs === null ? 'timedOut' : 'answered',
  verdict: rttMs === null ? 'bad' : 'ok',
  metrics: rttMs === null ? {} : { rttMs },
  state: null,
  detail: null,
});

test('an agent exposes what it measures in the names of /metrics, and how it is', () => {
  let nowMs = 1_000_000;
  const metrics = new AgentMetrics('edge', { wallMs: () => nowMs });
  metrics.follow([job('chat'), job('rag')]);
  metrics.add([handshake('chat', nowMs, 12), handshake('chat', nowMs + 1, null), handshake('gone', nowMs, 5)]);
  const text = metrics.text(status);
  expect(text).toContain('probe_success{endpoint="chat",agent="edge",probe="tcp"} 0\n');
  expect(text).toContain('inferpath_probe_results_total{endpoint="chat",agent="edge",probe="tcp",result="ok"} 1\n');
  expect(text).toContain('inferpath_probe_results_total{endpoint="chat",agent="edge",probe="tcp",result="bad"} 1\n');
  // Nothing was measured there yet, which is 0 and not absence: its first failure has to be an increase.
  expect(text).toContain('inferpath_probe_results_total{endpoint="rag",agent="edge",probe="tcp",result="bad"} 0\n');
  expect(text).toContain('inferpath_rtt_seconds_sum{endpoint="chat",agent="edge",probe="tcp"} 0.012\n');
  expect(text).toContain('inferpath_agent_spool_batches{agent="edge"} 3\n');
  expect(text).not.toMatch(/gone|# EOF/);

  metrics.follow([job('rag')]);
  expect(metrics.text(status)).not.toContain('chat');
  metrics.follow([job('chat')]);
  metrics.add([handshake('chat', nowMs, 12)]);
  nowMs += 3_600_000;
  const later = metrics.text(status);
  // Old gauges go, counters stay.
  expect(later).not.toContain('probe_success');
  expect(later).toContain('result="ok"} 1\n');
});
