import type { MetricHead, MetricSample } from '../../report/openmetrics.ts';
import type { MetricFamily } from '../../report/openmetrics.ts';

interface Entry {
  type: MetricHead['type'];
  help: string;
  labels: readonly string[];
}

const lineLabels = ['endpoint', 'agent', 'probe'] as const;
const whoLabels = ['endpoint', 'agent'] as const;

/**
 * Every metric of `/metrics`, in the order in which they come. The names up to the first of ours are those of blackbox_exporter
 * 0.23 for what is the same thing; `docs/reference/metrics.md` is made from this.
 */
export const catalog = {
  probe_success: {
    type: 'gauge',
    help: 'Whether the newest probe was answered. Absent while the newest says nothing about the endpoint, or is old.',
    labels: lineLabels,
  },
  probe_duration_seconds: { type: 'gauge', help: 'How long the newest probe took.', labels: lineLabels },
  probe_dns_lookup_time_seconds: { type: 'gauge', help: 'Name resolution of the newest probe.', labels: lineLabels },
  probe_http_duration_seconds: {
    type: 'gauge',
    help: 'Phases of the newest request; processing ends with the first token, transfer with the last.',
    labels: [...lineLabels, 'phase'],
  },
  probe_icmp_duration_seconds: {
    type: 'gauge',
    help: 'Round trip of the newest ping.',
    labels: [...lineLabels, 'phase'],
  },
  probe_ssl_earliest_cert_expiry: {
    type: 'gauge',
    help: 'When the certificate of the endpoint ends, in unixtime.',
    labels: lineLabels,
  },
  inferpath_probe_timestamp_seconds: {
    type: 'gauge',
    help: 'When the newest probe began, by the clock of the agent.',
    labels: lineLabels,
  },
  inferpath_probe_results_total: {
    type: 'counter',
    help: 'Probes by how they ended: ok, bad, or unknown where the fault was ours.',
    labels: [...lineLabels, 'result'],
  },
  inferpath_slo_events_total: {
    type: 'counter',
    help: 'Events of an objective as the judge counts them: no maintenance, no faults of agents.',
    labels: ['slo', ...whoLabels, 'result'],
  },
  inferpath_rtt_seconds: {
    type: 'histogram',
    help: 'Network round trips of answered probes (RFC 2681).',
    labels: lineLabels,
  },
  inferpath_ttft_seconds: {
    type: 'histogram',
    help: 'Time from the begin of a request to its first token.',
    labels: whoLabels,
  },
  inferpath_inter_token_seconds: {
    type: 'histogram',
    help: 'Gaps between two token events, all of them.',
    labels: whoLabels,
  },
  inferpath_token_gap_max_seconds: {
    type: 'histogram',
    help: 'Longest gap between two token events of each answer.',
    labels: whoLabels,
  },
  inferpath_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the begin of a request to its last token.',
    labels: whoLabels,
  },
  inferpath_output_tokens_total: { type: 'counter', help: 'Tokens that were received.', labels: whoLabels },
  inferpath_stalls_total: {
    type: 'counter',
    help: 'Token gaps beyond the limit of the workload, by whether the network caused them.',
    labels: [...whoLabels, 'cause'],
  },
  inferpath_retransmits_total: {
    type: 'counter',
    help: 'TCP segments that had to be sent again.',
    labels: lineLabels,
  },
  inferpath_network_time_seconds: {
    type: 'gauge',
    help: 'What of the newest answer was network: bounds.',
    labels: [...whoLabels, 'bound'],
  },
  inferpath_server_time_seconds: {
    type: 'gauge',
    help: 'What of the newest answer was the server: bounds.',
    labels: [...whoLabels, 'bound'],
  },
  inferpath_loss_ratio: {
    type: 'gauge',
    help: 'Packets lost in the newest run of a probe that counts them; way is both, up or down.',
    labels: [...lineLabels, 'way'],
  },
  inferpath_delay_variation_seconds: {
    type: 'gauge',
    help: 'Packet delay variation of the newest probe, 99th percentile (RFC 5481).',
    labels: lineLabels,
  },
  inferpath_path_hops: { type: 'gauge', help: 'Hops to the endpoint.', labels: lineLabels },
  inferpath_path_mtu_bytes: { type: 'gauge', help: 'Largest packet that was confirmed to arrive.', labels: whoLabels },
  inferpath_throughput_bits_per_second: {
    type: 'gauge',
    help: 'What the path carried in the newest test.',
    labels: lineLabels,
  },
  inferpath_responsiveness_rpm: {
    type: 'gauge',
    help: 'Round trips per minute on the loaded path, newest test.',
    labels: whoLabels,
  },
  inferpath_slo_objective_ratio: {
    type: 'gauge',
    help: 'Share of good events that is promised.',
    labels: ['slo', 'endpoint'],
  },
  inferpath_slo_budget_left_ratio: {
    type: 'gauge',
    help: 'Share of the error budget of the period that is left, by the judge; below 0 when overdrawn.',
    labels: ['slo', 'endpoint'],
  },
  inferpath_alerts: {
    type: 'gauge',
    help: 'Alerts that are remembered, by rule, severity and state; those explained by another one apart.',
    labels: ['rule', 'severity', 'state', 'suppressed'],
  },
  inferpath_agent_last_arrival_timestamp_seconds: {
    type: 'gauge',
    help: 'When the agent was last heard of, by the clock of the server.',
    labels: ['agent'],
  },
  inferpath_agent_newest_sample_timestamp_seconds: {
    type: 'gauge',
    help: 'Begin of the newest sample, by the clock of the agent.',
    labels: ['agent'],
  },
  inferpath_agent_samples_total: { type: 'counter', help: 'Samples that were stored.', labels: ['agent'] },
  inferpath_agent_uplink_up: {
    type: 'gauge',
    help: '0 while the agent says that its own uplink is down.',
    labels: ['agent'],
  },
  inferpath_agent_clock_offset_seconds: {
    type: 'gauge',
    help: 'Clock of the server minus that of the agent: middle of the bounds.',
    labels: ['agent'],
  },
  inferpath_agent_clock_offset_error_seconds: {
    type: 'gauge',
    help: 'Half the width of these bounds.',
    labels: ['agent'],
  },
  inferpath_agent_schedule_lag_seconds: {
    type: 'gauge',
    help: 'Lateness of starts, 99th percentile.',
    labels: ['agent'],
  },
  inferpath_agent_loop_lag_seconds: {
    type: 'gauge',
    help: 'Lateness of its event loop, 99th percentile.',
    labels: ['agent'],
  },
  inferpath_agent_cpu_ratio: { type: 'gauge', help: 'CPU seconds that it uses in a second.', labels: ['agent'] },
  inferpath_agent_spool_batches: {
    type: 'gauge',
    help: 'Batches that wait for an acknowledgement.',
    labels: ['agent'],
  },
  inferpath_agent_dropped_samples_total: {
    type: 'counter',
    help: 'Results lost for want of room.',
    labels: ['agent'],
  },
  inferpath_build_info: { type: 'info', help: 'Version of the server.', labels: ['version'] },
  inferpath_network_info: {
    type: 'info',
    help: 'Revision of the network file in force.',
    labels: ['revision'],
  },
  inferpath_ingest_batches_total: {
    type: 'counter',
    help: 'Batches by what became of them; refused and failed ones come again.',
    labels: ['result'],
  },
  inferpath_ingest_samples_total: { type: 'counter', help: 'Samples that were stored.', labels: [] },
  inferpath_ingest_pending_batches: { type: 'gauge', help: 'Batches on their way into the store.', labels: [] },
  inferpath_ingest_pending_samples: { type: 'gauge', help: 'Samples of them.', labels: [] },
  inferpath_store_takes: {
    type: 'gauge',
    help: '1 while writes succeed; 0 from one that failed (a full disk, a server that is gone) to the next that does not.',
    labels: ['what'],
  },
  inferpath_store_free_bytes: { type: 'gauge', help: 'Free space on the disk of the samples.', labels: [] },
  inferpath_store_reserved_bytes: {
    type: 'gauge',
    help: 'Free space below which samples are refused, kept for alerts and tidying up.',
    labels: [],
  },
  inferpath_store_maintained_timestamp_seconds: {
    type: 'gauge',
    help: 'When the store was last brought up to date (roll-ups, retention).',
    labels: [],
  },
  inferpath_store_maintenance_failures_total: {
    type: 'counter',
    help: 'Times that this failed.',
    labels: [],
  },
  inferpath_evaluations_total: {
    type: 'counter',
    help: 'Turns of the judge by result; another: a node beside this one was faster.',
    labels: ['result'],
  },
  inferpath_evaluation_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last turn of the judge ended well.',
    labels: [],
  },
  inferpath_evaluation_duration_seconds: { type: 'gauge', help: 'How long it took.', labels: [] },
  inferpath_outbox_entries: {
    type: 'gauge',
    help: 'Pages and other messages in the outbox.',
    labels: ['receiver', 'state'],
  },
  inferpath_outbox_oldest_waiting_timestamp_seconds: {
    type: 'gauge',
    help: 'When the oldest of those that wait to be delivered was made.',
    labels: [],
  },
  inferpath_exports_total: {
    type: 'counter',
    help: 'Pushes of metrics: refused ones are not tried again, failed ones had the whole interval.',
    labels: ['export', 'result'],
  },
  inferpath_export_timestamp_seconds: {
    type: 'gauge',
    help: 'When a push was last taken.',
    labels: ['export'],
  },
  inferpath_http_requests_total: {
    type: 'counter',
    help: 'Requests by route and status.',
    labels: ['route', 'code'],
  },
  inferpath_probes_on_demand_total: {
    type: 'counter',
    help: 'Requests to /probe by what became of them.',
    labels: ['probe', 'result'],
  },
  inferpath_metrics_lines_dropped: {
    type: 'gauge',
    help: 'Endpoint, agent and probe that are left out of /metrics, because there are too many.',
    labels: [],
  },
  process_cpu_seconds_total: { type: 'counter', help: 'CPU time of this process, user and system.', labels: [] },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of this process.', labels: [] },
  process_start_time_seconds: { type: 'gauge', help: 'When this process began, in unixtime.', labels: [] },
} as const satisfies Record<string, Entry>;

export type MetricName = keyof typeof catalog;

/** A family of the catalog with its samples. */
export function family(name: MetricName, samples: Iterable<MetricSample>): MetricFamily {
  const { type, help } = catalog[name];
  return { name, type, help, samples };
}
