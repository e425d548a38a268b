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
    yield head(name, 'counter', help);
    for (const target of targets()) yield `${name}_total${labels(target, method)} ${value(target)}\n`;
  }
  yield head('inferpath_rtt_seconds', 'histogram', 'Round trips (RFC 2681), the first of several left out.', 'seconds');
  for (const target of targets()) yield histogram(target, method);
  yield head('inferpath_rtt_error_seconds', 'gauge', 'Largest error of the round trips of a target.', 'seconds');
  for (const target of targets())
    if (target.errorMs !== null)
      yield `inferpath_rtt_error_seconds${labels(target, method)} ${seconds(target.errorMs)}\n`;
  yield head('inferpath_own_drops', 'counter', 'Packets that found the receive buffer of this tool full.');
  yield `inferpath_own_drops_total ${report.client.ownDrops}\n`;
  yield '# EOF\n';
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
  const count = target.rtt?.count ?? 0;
  const lines = EDGES_MS.map((edgeMs) => {
    // A bucket of ours that an edge cuts counts as below it: 3 % wide at most.
    const below = buckets.reduce((n, [low, , samples]) => (low <= edgeMs ? n + samples : n), 0);
    return `${name}_bucket${labels(target, method, seconds(edgeMs))} ${below}`;
  });
  lines.push(`${name}_bucket${labels(target, method, '+Inf')} ${count}`);
  lines.push(`${name}_sum${labels(target, method)} ${seconds(target.rtt?.histogram.sumMs ?? 0)}`);
  lines.push(`${name}_count${labels(target, method)} ${count}`);
  return `${lines.join('\n')}\n`;
}

function head(name: string, type: string, help: string, unit?: string): string {
  return `# TYPE ${name} ${type}\n${unit === undefined ? '' : `# UNIT ${name} ${unit}\n`}# HELP ${name} ${help}\n`;
}

function labels({ target, address }: PingTarget, method: string, le?: string): string {
  const pairs = [`target="${escaped(target)}"`, `address="${escaped(address ?? '')}"`, `method="${method}"`];
  if (le !== undefined) pairs.push(`le="${le}"`);
  return `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Seconds without binary noise. */
function seconds(ms: number): string {
  return String(Number((ms / 1e3).toPrecision(9)));
}
