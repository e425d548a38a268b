import type { InferReport, InferSummary, SummaryRow } from '../model/infer-report.ts';
import type { InferenceRequest, Split } from '../model/inference.ts';
import { describeOutcome, printable } from '../model/outcome.ts';
import { cells, hang, pad, padLeft, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import { barLegend, stackedBar } from './bar.ts';
import { cadenceStrip } from './cadence-text.ts';
import { firstTokenSegments, requestAt } from './facts.ts';
import { briefMs, intervalText, num, percent, plural, quantity } from './format.ts';
import { waterfall } from './waterfall-text.ts';

/**
 * `inferpath infer` for a terminal: the waterfall and the token cadence of one request (the only one, or the median by time
 * to first token), the split with its reason, then p50, p90 and p99 with intervals over all requests.
 */
export function renderInferText(report: InferReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const shown = requestAt(report.requests, 50) ?? report.requests[0];
  const blocks = [
    head(report, columns, paint),
    shown ? requestBlock(shown, report.requests.length, columns, paint, options.colors) : ['no request was sent'],
    table(report.summary.rows, columns, paint),
    closing(report, columns, paint),
  ];
  return `${blocks
    .filter((b) => b.length > 0)
    .map((b) => b.map((l) => l.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head(report: InferReport, columns: number, paint: Palette): string[] {
  const { summary } = report;
  const facts = `${plural(summary.requests, 'request')} · ${summary.answered} answered · ${report.class} · ${(report.durationMs / 1000).toFixed(1)} s`;
  const lines = [
    ...hang('', printable(report.url, 300), columns).map(paint.bold),
    ...wrap(facts, columns).map(paint.dim),
  ];
  if (report.interrupted)
    lines.push(...hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'this is what the run had', columns));
  return [...lines, ...failures(report.requests, columns, paint)];
}

function failures(requests: readonly InferenceRequest[], columns: number, paint: Palette): string[] {
  const counts = new Map<string, number>();
  for (const r of requests) {
    // Who stopped the run knows that; the line above says it for all.
    if (r.outcome.kind === 'answered' || r.outcome.kind === 'interrupted') continue;
    const why = describeOutcome(r.outcome);
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1]);
  const lines = sorted
    .slice(0, 5)
    .flatMap(([why, n]) => hang(`${paint.verdict.fail('FAIL')} `, `${plural(n, 'request')}: ${why}`, columns));
  return sorted.length > 5 ? [...lines, `     and ${sorted.length - 5} other reasons: see --json`] : lines;
}

function requestBlock(r: InferenceRequest, of: number, columns: number, paint: Palette, colors: boolean): string[] {
  const facts = [
    of === 1
      ? 'the request'
      : `${r.phases.ttftMs === null ? 'first of' : 'median of'} ${of} requests${r.phases.ttftMs === null ? '' : ' by time to first token'}`,
    printable(r.id, 60),
    r.reused ? 'reused connection' : 'fresh connection',
    ...(r.httpVersion ? [`HTTP/${printable(r.httpVersion, 8)}`] : []),
    ...(r.address ? [printable(r.address, 60)] : []),
    ...(r.tls ? [`${printable(r.tls.version, 12)}${r.tls.group ? ` ${printable(r.tls.group, 30)}` : ''}`] : []),
  ].join(' · ');
  const strip = cadenceStrip(r, columns, paint);
  return [
    ...wrap(facts, columns).map(paint.dim),
    ...waterfall(r, columns, paint),
    ...(strip.length > 0 ? ['', ...strip] : []),
    '',
    ...splitLines(r, columns, paint, colors),
  ];
}

function splitLines(r: InferenceRequest, columns: number, paint: Palette, colors: boolean): string[] {
  const segments = firstTokenSegments(r);
  if (!segments) return wrap(`no first token: ${describeOutcome(r.outcome)}`, columns);
  const legend = barLegend([segments], columns, paint, colors);
  const first = r.split.ttft
    ? sentence('to first token', r.split.ttft, r.phases.ttftMs)
    : 'to first token: no split, the evidence does not allow one';
  const whole = r.split.total ? sentence('to last token', r.split.total, r.phases.totalMs) : '';
  const reason = r.split.ttft ? `${r.split.ttft.evidence}: ${printable(r.split.ttft.why, 400)}` : '';
  return [
    stackedBar(segments, columns, paint, colors),
    ...legend,
    ...hang('', first, columns, 2),
    ...(whole ? hang('', whole, columns, 2) : []),
    ...(reason ? hang('', reason, columns, 2).map(paint.dim) : []),
  ];
}

/** Who took how much of an interval, as bounds: `to first token 296 ms: network 58 to 66 ms, server 212 to 220 ms, client 0.3 ms`. */
export function sentence(what: string, split: Split, totalMs: number | null): string {
  const range = ([low, high]: readonly [number, number]) => {
    const [from, to] = [briefMs(low), briefMs(high)];
    return from === to ? `${from} ms` : `${from} to ${to} ms`;
  };
  const total = totalMs === null ? '' : ` ${briefMs(totalMs)} ms`;
  return `${what}${total}: network ${range(split.networkMs)}, server ${range(split.serverMs)}, client ${briefMs(split.clientMs)} ms, undetermined ${briefMs(split.undeterminedMs)} ms`;
}

type Percentile = 'p50' | 'p90' | 'p99';
const percentiles: readonly Percentile[] = ['p50', 'p90', 'p99'];

function cell(row: SummaryRow, p: Percentile): string {
  const e = row[p];
  if (!e) return 'needs more';
  return [row.unit === 'ms' ? num(e.value) : quantity(e.value, row.unit), intervalText(e.interval, row.unit)]
    .filter(Boolean)
    .join(' ');
}

function table(rows: readonly SummaryRow[], columns: number, paint: Palette): string[] {
  if (rows.length === 0) return [];
  const name = (r: SummaryRow) => `${printable(r.metric, 40)}${r.unit === 'ms' ? ' ms' : ''}`;
  const body = rows.map((r) => [name(r), ...percentiles.map((p) => cell(r, p)), String(r.n)]);
  const header = ['', ...percentiles, 'n'];
  const widths = header.map((h, i) => Math.max(cells(h), ...body.map((b) => cells(b[i] ?? ''))));
  if (widths.reduce((a, b) => a + b + 2, -2) > columns) return stackedTable(rows, columns, paint, name);
  const line = (b: readonly string[]) =>
    b.map((c, i) => (i === b.length - 1 ? padLeft(c, widths[i] ?? 0) : pad(c, widths[i] ?? 0))).join('  ');
  return [paint.dim(line(header)), ...body.map(line)];
}

/** The table with each interval below its value, where the two do not fit beside each other. */
function stackedTable(
  rows: readonly SummaryRow[],
  columns: number,
  paint: Palette,
  name: (r: SummaryRow) => string,
): string[] {
  const value = (r: SummaryRow, p: Percentile) => cell({ ...r, [p]: r[p] && { ...r[p], interval: null } }, p);
  const interval = (r: SummaryRow, p: Percentile) => intervalText(r[p]?.interval ?? null, r.unit);
  const body = rows.flatMap((r) => {
    const below = percentiles.map((p) => interval(r, p));
    const top = [name(r), ...percentiles.map((p) => value(r, p)), String(r.n)];
    return below.every((text) => text === '') ? [top] : [top, ['', ...below, '']];
  });
  const header = ['', ...percentiles, 'n'];
  const widths = header.map((h, i) => Math.max(cells(h), ...body.map((b) => cells(b[i] ?? ''))));
  if (widths.reduce((a, b) => a + b + 2, -2) > columns) return narrowTable(rows, columns, paint, name);
  const line = (b: readonly string[]) =>
    b.map((c, i) => (i === 0 ? pad(c, widths[i] ?? 0) : padLeft(c, widths[i] ?? 0))).join('  ');
  return [paint.dim(line(header)), ...body.map((b) => (b[0] === '' ? paint.dim(line(b)) : line(b)))];
}

function narrowTable(
  rows: readonly SummaryRow[],
  columns: number,
  paint: Palette,
  name: (r: SummaryRow) => string,
): string[] {
  return rows.flatMap((r) => [
    ...hang('', `${name(r)}, n = ${r.n}`, columns).map(paint.bold),
    ...percentiles.flatMap((p) => hang(`  ${paint.dim(p)} `, cell(r, p), columns)),
  ]);
}

function closing(report: InferReport, columns: number, paint: Palette): string[] {
  const { stalls, client, evidence } = report.summary;
  const graded = Object.entries(evidence).filter(([, n]) => n > 0);
  const lines = [
    ...hang('', stallSentence(stalls), columns, 2),
    ...(graded.length > 0
      ? hang('', `split by evidence: ${graded.map(([g, n]) => `${g} ${n}`).join(', ')}`, columns, 2)
      : []),
    ...hang(
      '',
      `this client: schedule lag p99 ${num(client.scheduleLagP99Ms)} ms, event loop lag at most ${num(client.eventLoopLagMaxMs)} ms, processing at most ${num(client.processingMaxMs)} ms, ${percent(client.cpuShare)} of a CPU`,
      columns,
      2,
    ).map(paint.dim),
  ];
  if (client.bottleneck)
    lines.push(
      ...hang(
        `${paint.verdict.fail('FAIL')} `,
        `this client was the bottleneck: ${printable(client.why, 400)}`,
        columns,
      ),
    );
  return [...lines, ...report.notes.flatMap((n) => hang('note ', printable(n, 600), columns)).map(paint.dim)];
}

function stallSentence(s: InferSummary['stalls']): string {
  const by = (['network', 'server', 'client', 'undetermined'] as const)
    .filter((c) => s[c] > 0)
    .map((c) => `${c} ${s[c]}`);
  const all = s.network + s.server + s.client + s.undetermined;
  if (s.gaps === 0) return 'no token gap was measured';
  return all === 0
    ? `none of ${s.gaps} token gaps stalled`
    : `${all} of ${s.gaps} token gaps stalled: ${by.join(', ')}`;
}
