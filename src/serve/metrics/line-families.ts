import type { SampleMetric } from '../../model/sample.ts';
import type { Labels, MetricFamily, MetricSample } from '../../report/openmetrics.ts';
import { bounds, coarser, type Tally } from './buckets.ts';
import { family } from './catalog.ts';
import type { Line, Meter, Newest, SummedMetric, TallyName } from './meter.ts';

/** A gauge of what is older than this, or than three intervals, would pass the past off as the present. */
const leastFreshMs = 300_000;
/** How far the clock of an agent may be behind ours. */
const toleranceMs = 120_000;

interface Fresh {
  line: Line;
  newest: Newest;
  labels: Labels;
}

/** What is known of endpoints, in the order of the catalog. Nothing of it asks the store. */
export function* lineFamilies(meter: Meter, nowMs: number): Generator<MetricFamily> {
  const lines = [...meter.lines()];
  const fresh = lines.flatMap((line): Fresh[] => {
    const { newest } = line;
    return newest && isFresh(newest, line.everyMs, nowMs) ? [{ line, newest, labels: labelsOf(line) }] : [];
  });
  const newest = (metric: SampleMetric, scale: number, kinds?: readonly string[]) =>
    gauges(fresh, ({ line, newest }) => ((kinds?.includes(line.kind) ?? true) ? scaled(newest, metric, scale) : null));
  yield family(
    'probe_success',
    gauges(fresh, ({ newest: { verdict } }) => success[verdict]),
  );
  yield family(
    'probe_duration_seconds',
    gauges(fresh, ({ line, newest }) => {
      const metric = durations[line.kind];
      return metric ? scaled(newest, metric, 1e-3) : null;
    }),
  );
  yield family('probe_dns_lookup_time_seconds', newest('dnsMs', 1e-3));
  yield family('probe_http_duration_seconds', fresh.filter(({ line }) => line.kind === 'inference').flatMap(phases));
  yield family(
    'probe_icmp_duration_seconds',
    fresh.flatMap(({ line, newest, labels }) =>
      line.kind === 'ping' && newest.metrics.rttMs !== undefined
        ? [{ labels: { ...labels, phase: 'rtt' }, value: newest.metrics.rttMs / 1000 }]
        : [],
    ),
  );
  yield family(
    'probe_ssl_earliest_cert_expiry',
    gauges(fresh, ({ newest: { atMs, metrics } }) =>
      metrics.certificateDaysLeft === undefined ? null : Math.round(atMs / 1000 + metrics.certificateDaysLeft * 86_400),
    ),
  );
  yield family(
    'inferpath_probe_timestamp_seconds',
    gauges(fresh, ({ newest }) => newest.atMs / 1000),
  );
  yield family('inferpath_probe_results_total', results(lines));
  yield family('inferpath_slo_events_total', sloEvents(meter));
  yield family('inferpath_rtt_seconds', histograms(lines, 'rttMs', bounds.rtt, labelsOf));
  yield family('inferpath_ttft_seconds', histograms(lines, 'ttftMs', bounds.ttft, whoOf));
  yield family('inferpath_inter_token_seconds', histograms(lines, 'gap', bounds.tokenGap, whoOf));
  yield family('inferpath_token_gap_max_seconds', histograms(lines, 'gapMaxMs', bounds.tokenGap, whoOf));
  yield family('inferpath_request_duration_seconds', histograms(lines, 'totalMs', bounds.request, whoOf));
  yield family('inferpath_output_tokens_total', sums(lines, 'outputTokens', whoOf));
  yield family('inferpath_stalls_total', stalls(lines));
  yield family('inferpath_retransmits_total', sums(lines, 'retransmits', labelsOf));
  yield family('inferpath_network_time_seconds', boundsOf(fresh, ['networkLowMs', 'networkHighMs']));
  yield family('inferpath_server_time_seconds', boundsOf(fresh, ['serverLowMs', 'serverHighMs']));
  yield family('inferpath_loss_ratio', losses(fresh));
  yield family('inferpath_delay_variation_seconds', newest('pdvMs', 1e-3));
  yield family('inferpath_path_hops', newest('hops', 1));
  yield family('inferpath_path_mtu_bytes', who(fresh, 'mtuBytes'));
  yield family('inferpath_throughput_bits_per_second', newest('mbitPerS', 1e6));
  yield family('inferpath_responsiveness_rpm', who(fresh, 'rpm'));
}

const success = { ok: 1, bad: 0, unknown: null } as const;

/** What the whole probe took, in the columns of its kind. */
const durations: Partial<Record<Line['kind'], SampleMetric>> = {
  dns: 'dnsMs',
  tcp: 'rttMs',
  tls: 'tlsMs',
  ping: 'rttMs',
  inference: 'totalMs',
};

function isFresh({ atMs, arrivedMs }: Newest, everyMs: number | null, nowMs: number): boolean {
  const freshMs = Math.max(leastFreshMs, 3 * (everyMs ?? 0));
  return nowMs - arrivedMs < freshMs && nowMs - atMs < freshMs + toleranceMs;
}

const labelsOf = ({ endpoint, agent, kind }: Line): Labels => ({ endpoint, agent, probe: kind });
const whoOf = ({ endpoint, agent }: Line): Labels => ({ endpoint, agent });

function scaled({ metrics }: Newest, metric: SampleMetric, scale: number): number | null {
  const value = metrics[metric];
  return value === undefined ? null : value * scale;
}

function gauges(fresh: readonly Fresh[], valueOf: (one: Fresh) => number | null): MetricSample[] {
  return fresh.flatMap((one) => {
    const value = valueOf(one);
    return value === null ? [] : [{ labels: one.labels, value }];
  });
}

/** Of metrics that one kind of probe has alone. */
function who(fresh: readonly Fresh[], metric: SampleMetric): MetricSample[] {
  return fresh.flatMap(({ line, newest }) => {
    const value = newest.metrics[metric];
    return value === undefined ? [] : [{ labels: whoOf(line), value }];
  });
}

/** As blackbox_exporter cuts a request, with the first token in place of the first octet: of streams, headers say nothing. */
function phases({ newest: { metrics }, labels }: Fresh): MetricSample[] {
  const { dnsMs, tcpMs, tlsMs, ttftMs, totalMs } = metrics;
  const setUpMs = (dnsMs ?? 0) + (tcpMs ?? 0) + (tlsMs ?? 0);
  const all: [phase: string, ms: number | undefined][] = [
    ['resolve', dnsMs],
    ['connect', tcpMs],
    ['tls', tlsMs],
    ['processing', ttftMs === undefined ? undefined : Math.max(0, ttftMs - setUpMs)],
    ['transfer', ttftMs === undefined || totalMs === undefined ? undefined : Math.max(0, totalMs - ttftMs)],
  ];
  return all.flatMap(([phase, ms]) => (ms === undefined ? [] : [{ labels: { ...labels, phase }, value: ms / 1000 }]));
}

function* results(lines: readonly Line[]): Generator<MetricSample> {
  for (const line of lines)
    for (const [i, result] of (['ok', 'bad', 'unknown'] as const).entries())
      yield { labels: { ...labelsOf(line), result }, value: line.results[i]! };
}

function* sloEvents(meter: Meter): Generator<MetricSample> {
  for (const { slo, endpoint, agent, good, bad } of meter.slos()) {
    yield { labels: { slo, endpoint, agent, result: 'good' }, value: good };
    yield { labels: { slo, endpoint, agent, result: 'bad' }, value: bad };
  }
}

/** As they are counted, between the bounds that are wanted: some of those that are counted by. */
export function* histograms(
  lines: readonly Line[],
  metric: TallyName,
  wanted: readonly number[],
  labels: (line: Line) => Labels,
): Generator<MetricSample> {
  for (const line of lines) {
    const tally: Tally | undefined = line.tallies.get(metric);
    if (tally) yield { labels: labels(line), ...coarser(tally, wanted) };
  }
}

function* sums(lines: readonly Line[], metric: SummedMetric, labels: (line: Line) => Labels): Generator<MetricSample> {
  for (const line of lines) {
    const value = line.sums.get(metric);
    if (value !== undefined) yield { labels: labels(line), value };
  }
}

function* stalls(lines: readonly Line[]): Generator<MetricSample> {
  for (const line of lines) {
    const all = line.sums.get('stalls');
    if (all === undefined) continue;
    const network = line.sums.get('networkStalls') ?? 0;
    yield { labels: { ...whoOf(line), cause: 'network' }, value: network };
    yield { labels: { ...whoOf(line), cause: 'other' }, value: Math.max(0, all - network) };
  }
}

function boundsOf(fresh: readonly Fresh[], [low, high]: readonly [SampleMetric, SampleMetric]): MetricSample[] {
  return fresh.flatMap(({ line, newest: { metrics } }) => {
    const pairs = [['low', metrics[low]] as const, ['high', metrics[high]] as const];
    return pairs.flatMap(([bound, ms]) =>
      ms === undefined ? [] : [{ labels: { ...whoOf(line), bound }, value: ms / 1000 }],
    );
  });
}

function losses(fresh: readonly Fresh[]): MetricSample[] {
  const ways = [
    ['both', 'lossShare'],
    ['up', 'lossUpShare'],
    ['down', 'lossDownShare'],
  ] as const;
  return fresh.flatMap(({ labels, newest: { metrics } }) =>
    ways.flatMap(([way, metric]) => {
      const value = metrics[metric];
      return value === undefined ? [] : [{ labels: { ...labels, way }, value }];
    }),
  );
}
