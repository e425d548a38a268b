import { type Labels, metricHead, metricsEnd, sampleText } from './openmetrics.ts';
import type { PingReport, PingTarget } from '../model/ping-report.ts';

/**
 * The report as OpenMetrics text (which a Prometheus server or its textfile collector reads): base units, counters and one
 * histogram, so that rates and quantiles can be computed over any time and any set of targets.
 */
export function* renderPingOpenMetrics(
  report: Omit<PingReport, 'targets'>,
  targets: () => Iterable<PingTarget>,
): Generator<string> {
  const { method } = report;
  for (const [name, help, value] of counters) {
    yield head(`${name}_total`, 'counter', help);
    for (const target of targets())
      yield sampleText(`${name}_total`, { labels: labels(target, method), value: value(target) });
  }
  yield head('inferpath_rtt_seconds', 'histogram', 'Round trips (RFC 2681), the first of several left out.');
  for (const target of targets()) yield histogram(target, method);
  yield head('inferpath_rtt_error_seconds', 'gauge', 'Largest error of the round trips of a target.');
  for (const target of targets())
    if (target.errorMs !== null)
      yield sampleText('inferpath_rtt_error_seconds', {
        labels: labels(target, method),
        value: seconds(target.errorMs),
      });
  yield head('inferpath_own_drops_total', 'counter', 'Packets that found the receive buffer of this tool full.');
  yield `inferpath_own_drops_total ${report.client.ownDrops}\n`;
  yield metricsEnd;
}

const counters: readonly [name: string, help: string, value: (target: PingTarget) => number][] = [
  ['inferpath_probes_sent', 'Probes that left this host.', (t) => t.sent],
  ['inferpath_probes_answered', 'Probes answered in time.', (t) => t.answered],
  [
    'inferpath_probes_lost',
    'Probes without an answer in time: lost, late or unreachable (RFC 7680).',
    (t) => t.lost + t.late + t.unreachable,
  ],
  ['inferpath_probes_late', 'Probes answered after the wait.', (t) => t.late],
  ['inferpath_probes_failed', 'Probes that could not be sent.', (t) => t.failed],
  ['inferpath_duplicates', 'Further answers to a probe that was answered.', (t) => t.duplicates],
  ['inferpath_reordered', 'Answers that came after the answer to a later probe.', (t) => t.reordered],
];

/** Upper edges of the buckets in ms: 10 µs × 2ⁿ up to 21 s. Fixed, so that series of different hosts add up. */
const EDGES_MS = Array.from({ length: 22 }, (_, i) => 0.01 * 2 ** i);

function histogram(target: PingTarget, method: string): string {
  const buckets = target.rtt?.histogram.buckets ?? [];
  const name = 'inferpath_rtt_seconds';
  const counts = Array<number>(EDGES_MS.length + 1).fill(0);
  for (const [low, , samples] of buckets) {
    // A bucket of ours that an edge cuts counts as below it: 3 % wide at most.
    const at = EDGES_MS.findIndex((edgeMs) => low <= edgeMs);
    counts[at === -1 ? EDGES_MS.length : at]! += samples;
  }
  const sum = seconds(target.rtt?.histogram.sumMs ?? 0);
  return sampleText(name, { labels: labels(target, method), bounds: EDGES_MS.map(seconds), counts, sum });
}

function head(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): string {
  return metricHead({ name, type, help }, 'openmetrics');
}

function labels({ target, address }: PingTarget, method: string): Labels {
  return { target, address: address ?? '', method };
}

/** Without binary noise. */
function seconds(ms: number): number {
  return Number((ms / 1e3).toPrecision(9));
}
