import { alert } from '../../model/alert.ts';
import type { MetricFamily, MetricSample } from '../../report/openmetrics.ts';
import type { SampleMetric } from '../../model/sample.ts';
import { processUse } from '../../wire/process-use.ts';
import type { ServeContext } from '../context.ts';
import { readOutbox } from '../deliver/outbox.ts';
import type { Arrival } from '../ingest.ts';
import { family, type MetricName } from './catalog.ts';

/** A word of an agent about itself is worth nothing after this. */
const wordIsGoodMs = 300_000;

/** What the server knows of objectives, alerts, agents and itself, in the order of the catalog. */
export async function ownFamilies(context: ServeContext, nowMs: number): Promise<MetricFamily[]> {
  const { documents, evaluation, ingest, configuration, meter, figures, keeping } = context;
  const [alerts, outbox, arrivals, room] = await Promise.all([
    documents.list('alert'),
    readOutbox(documents),
    context.arrivals.all(),
    context.room().catch(() => null),
  ]);
  const slos = evaluation.slos();
  const totals = ingest.totals();
  const pending = ingest.pending();
  const turns = evaluation.figures();
  const use = processUse();
  const waiting = outbox.filter(({ entry }) => entry.state === 'waiting').map(({ entry }) => entry.madeAtMs);
  return [
    family(
      'inferpath_slo_objective_ratio',
      slos.map(({ slo, endpoint, objective }) => ({ labels: { slo, endpoint }, value: objective })),
    ),
    family(
      'inferpath_slo_budget_left_ratio',
      slos.flatMap(({ slo, endpoint, left }) => (left === null ? [] : [{ labels: { slo, endpoint }, value: left }])),
    ),
    family(
      'inferpath_alerts',
      counted(
        alerts.flatMap(({ body }) => {
          const one = alert.safeParse(body).data;
          return one
            ? [
                {
                  rule: one.rule,
                  severity: one.severity,
                  state: one.state,
                  suppressed: String(one.suppressedBy !== null),
                },
              ]
            : [];
        }),
      ),
    ),
    ...agentFamilies(context, arrivals, nowMs),
    family('inferpath_build_info', [{ labels: { version: context.version }, value: 1 }]),
    family('inferpath_network_info', [{ labels: { revision: configuration.revision }, value: 1 }]),
    family(
      'inferpath_ingest_batches_total',
      [
        ['stored', totals.batches] as const,
        ['duplicate', totals.duplicates] as const,
        ['refused', totals.refused] as const,
        ['failed', totals.failed] as const,
      ].map(([result, value]) => ({ labels: { result }, value })),
    ),
    one('inferpath_ingest_samples_total', totals.rows),
    one('inferpath_ingest_pending_batches', pending.batches),
    one('inferpath_ingest_pending_samples', pending.rows),
    family(
      'inferpath_store_takes',
      (['samples', 'documents'] as const).map((what) => ({ labels: { what }, value: keeping.of(what) ? 0 : 1 })),
    ),
    one('inferpath_store_free_bytes', room && room.freeBytes),
    one('inferpath_store_reserved_bytes', room && room.reservedBytes),
    one('inferpath_store_maintained_timestamp_seconds', seconds(figures.maintainedAtMs)),
    one('inferpath_store_maintenance_failures_total', figures.maintenanceFailures),
    family(
      'inferpath_evaluations_total',
      (['done', 'another', 'failed'] as const).map((result) => ({ labels: { result }, value: turns[result] })),
    ),
    one('inferpath_evaluation_timestamp_seconds', seconds(turns.atMs)),
    one('inferpath_evaluation_duration_seconds', seconds(turns.durationMs)),
    family('inferpath_outbox_entries', counted(outbox.map(({ entry: { receiver, state } }) => ({ receiver, state })))),
    one(
      'inferpath_outbox_oldest_waiting_timestamp_seconds',
      waiting.length === 0 ? null : seconds(waiting.reduce((oldest, at) => Math.min(oldest, at))),
    ),
    family(
      'inferpath_exports_total',
      [...figures.exports].flatMap(([name, counts]) =>
        (['done', 'refused', 'failed'] as const).map((result) => ({
          labels: { export: name, result },
          value: counts[result],
        })),
      ),
    ),
    family(
      'inferpath_export_timestamp_seconds',
      [...figures.exports].flatMap(([name, { doneAtMs }]) =>
        doneAtMs === null ? [] : [{ labels: { export: name }, value: doneAtMs / 1000 }],
      ),
    ),
    family(
      'inferpath_http_requests_total',
      [...figures.requests].map(([key, value]) => {
        const [route = '', code = ''] = key.split(' ');
        return { labels: { route, code }, value };
      }),
    ),
    family(
      'inferpath_probes_on_demand_total',
      [...context.onDemand.results].map(([key, value]) => {
        const [probe = '', result = ''] = key.split(' ');
        return { labels: { probe, result }, value };
      }),
    ),
    one('inferpath_metrics_lines_dropped', meter.dropped),
    one('process_cpu_seconds_total', use.cpuSeconds),
    one('process_resident_memory_bytes', use.residentBytes),
    one('process_start_time_seconds', Math.round(nowMs / 1000 - use.upSeconds)),
  ];
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

function one(name: MetricName, value: number | null): MetricFamily {
  return family(name, value === null ? [] : [{ labels: {}, value }]);
}

/** How often each set of labels comes. */
function counted(all: readonly Record<string, string>[]): MetricSample[] {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const labels of all) {
    const key = JSON.stringify(labels);
    const count = counts.get(key) ?? { labels, value: 0 };
    count.value++;
    counts.set(key, count);
  }
  return [...counts.values()];
}

/** @param arrivals at all nodes: each tells when an agent was heard of by any; what it counts is its own, so that sums over nodes are right */
function agentFamilies({ ingest, meter }: ServeContext, arrivals: readonly Arrival[], nowMs: number): MetricFamily[] {
  const words = [...meter.agents()].filter(([, { arrivedMs }]) => nowMs - arrivedMs < wordIsGoodMs);
  const said = (name: MetricName, metric: SampleMetric, scale = 1) =>
    family(
      name,
      words.flatMap(([agent, { metrics }]) => {
        const value = metrics[metric];
        return value === undefined ? [] : [{ labels: { agent }, value: value * scale }];
      }),
    );
  return [
    family(
      'inferpath_agent_last_arrival_timestamp_seconds',
      arrivals.map(({ agent, lastArrivalMs }) => ({ labels: { agent }, value: lastArrivalMs / 1000 })),
    ),
    family(
      'inferpath_agent_newest_sample_timestamp_seconds',
      arrivals.flatMap(({ agent, newestSampleMs }) =>
        newestSampleMs === null ? [] : [{ labels: { agent }, value: newestSampleMs / 1000 }],
      ),
    ),
    family(
      'inferpath_agent_samples_total',
      ingest.arrivals().map(({ agent, rows }) => ({ labels: { agent }, value: rows })),
    ),
    said('inferpath_agent_uplink_up', 'uplinkUp'),
    said('inferpath_agent_clock_offset_seconds', 'clockOffsetMs', 1e-3),
    said('inferpath_agent_clock_offset_error_seconds', 'clockOffsetErrorMs', 1e-3),
    said('inferpath_agent_schedule_lag_seconds', 'scheduleLagMs', 1e-3),
    said('inferpath_agent_loop_lag_seconds', 'loopLagMs', 1e-3),
    said('inferpath_agent_cpu_ratio', 'cpuShare'),
    said('inferpath_agent_spool_batches', 'spoolBatches'),
    said('inferpath_agent_dropped_samples_total', 'droppedSamples'),
  ];
}
