import type { AssessReport, EndpointSummary } from '../model/assess.ts';
import { type Finding, pillars } from '../model/finding.ts';
import { describeOutcome, printable } from '../model/outcome.ts';
import { cells, clip, hang, pad, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import { barLegend, stackedBar } from './bar.ts';
import {
  blamedParty,
  firstTokenSegments,
  headline,
  isNote,
  requestAt,
  requestsOf,
  sortFindings,
  stallSummary,
} from './facts.ts';
import { duration, evidenceText, coverage as known, plural } from './format.ts';

export type { TextOptions } from './ansi.ts';

/** A longer report ends with its verdict once more. */
const screenLines = 40;

/**
 * The report for a terminal: verdict, matrix, findings, and where the milliseconds went. No line is wider than `columns`
 * (at least 40 are assumed); verdicts are words, so nothing is lost without colour.
 */
export function renderText(report: AssessReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const lines = [
    ...head(report, columns, paint),
    '',
    ...matrix(report, columns, paint),
    ...findingBlocks(report, columns, paint),
    '',
    ...milliseconds(report, columns, paint, options.colors),
    ...notes(report, columns, paint),
  ];
  // By then the matrix has left the screen: who reads the end first shall find the verdict there.
  if (lines.length > screenLines)
    lines.push('', ...verdictLine(report, columns, paint), ...matrix(report, columns, paint, true));
  return `${lines.map((l) => l.trimEnd()).join('\n')}\n`;
}

function head(report: AssessReport, columns: number, paint: Palette): string[] {
  const facts = [
    plural(report.endpoints.length, 'endpoint'),
    `from ${printable(report.vantage, 63)}`,
    plural(report.requests, 'request'),
    `${(report.durationMs / 1000).toFixed(report.durationMs < 9950 ? 1 : 0)} s`,
  ].join(' · ');
  const lines = [...wrap(facts, columns).map(paint.dim), ...verdictLine(report, columns, paint)];
  if (report.interrupted)
    lines.push(
      ...hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'the run was stopped: this is what it had', columns),
    );
  return lines;
}

function verdictLine(report: AssessReport, columns: number, paint: Palette): string[] {
  const { word, why } = headline(report);
  return hang(`${paint.verdict[report.ready](word)}  `, why, columns);
}

function cellText(e: EndpointSummary, pillar: (typeof pillars)[number]): string {
  const { verdict, coverage } = e.cells[pillar];
  if (verdict === 'unknown') return `unknown ${known(coverage)}`;
  return verdict === 'fail' ? 'FAIL' : 'pass';
}

/** One column of the matrix: the text decides the width, the colour comes on top. */
interface Column {
  title: string;
  text(e: EndpointSummary): string;
  paint(e: EndpointSummary, text: string): string;
}

function matrix(report: AssessReport, columns: number, paint: Palette, withBlame = false): string[] {
  const shown: Column[] = [
    { title: '', text: (e) => printable(e.name, 63), paint: (_, text) => paint.bold(text) },
    { title: '', text: (e) => e.class, paint: (_, text) => paint.dim(text) },
    ...pillars.map((p) => ({
      title: p,
      text: (e: EndpointSummary) => cellText(e, p),
      paint: (e: EndpointSummary, text: string) => paint.verdict[e.cells[p].verdict](text),
    })),
  ];
  if (withBlame)
    shown.push({ title: 'to blame', text: (e) => (e.blame === 'none' ? 'nobody' : e.blame), paint: (_, text) => text });
  const widths = shown.map((c) => Math.max(cells(c.title), ...report.endpoints.map((e) => cells(c.text(e)))));
  const gap = 2;
  const gaps = widths.length - 1;
  const width = widths.reduce((a, b) => a + b, 0) + gap * gaps;
  if (width > columns) return withBlame ? matrix(report, columns, paint) : matrixList(report, columns, paint);
  const between = ' '.repeat(Math.min(4, gap + Math.floor((columns - width) / gaps)));
  const row = (texts: readonly string[]) => texts.map((text, i) => pad(text, widths[i] ?? 0)).join(between);
  return [
    paint.dim(row(shown.map((c) => c.title)).trimEnd()),
    ...report.endpoints.map((e) => row(shown.map((c) => c.paint(e, c.text(e))))),
  ];
}

/** The matrix for narrow terminals: one block per endpoint, one line per verdict. */
function matrixList(report: AssessReport, columns: number, paint: Palette): string[] {
  return report.endpoints.flatMap((e) => {
    const line = (verdict: 'fail' | 'unknown' | 'pass', label: string) => {
      const of = pillars.filter((p) => e.cells[p].verdict === verdict);
      if (of.length === 0) return [];
      const text = of.map((p) => (verdict === 'unknown' ? `${p} ${known(e.cells[p].coverage)}` : p)).join(', ');
      return hang(`  ${paint.verdict[verdict](pad(label, 7))}  `, text, columns);
    };
    return [
      paint.bold(clip(`${printable(e.name, 63)}  ${e.class}`, columns)),
      ...line('fail', 'FAIL'),
      ...line('unknown', 'unknown'),
      ...line('pass', 'pass'),
    ];
  });
}

function findingBlocks(report: AssessReport, columns: number, paint: Palette): string[] {
  const sorted = sortFindings(report);
  const isUnknown = (f: Finding) => f.verdict === 'unknown';
  const passes = sorted.filter((f) => f.verdict === 'pass').length;
  const subjects = [...new Set(sorted.filter(isUnknown).map((f) => f.subject))];
  const lines = [
    ...sorted.filter((f) => f.verdict === 'fail' && !isNote(f)).flatMap((f) => ['', ...block(f, columns, paint)]),
    ...subjects.flatMap((s) => [
      '',
      ...unknownBlock(
        s,
        sorted.filter((f) => isUnknown(f) && f.subject === s),
        columns,
        paint,
      ),
    ]),
    ...sorted.filter(isNote).flatMap((f) => ['', ...block(f, columns, paint)]),
  ];
  if (passes > 0)
    lines.push('', ...hang(`${paint.verdict.pass('pass')} `, `${plural(passes, 'check')} passed`, columns));
  lines.push(
    ...hang('', 'every check with its evidence: --html FILE, --markdown FILE or --json', columns).map(paint.dim),
  );
  return lines;
}

const indent = '     ';

function block(f: Finding, columns: number, paint: Palette): string[] {
  const label = isNote(f) ? paint.bold('note') : paint.verdict.fail('FAIL');
  const lines = [
    ...titled(label, f.subject, printable(f.claim, 600), columns, paint),
    ...f.details.flatMap((d) => hang(indent, printable(d, 600), columns)),
  ];
  if (f.remedy)
    lines.push(...hang(`${indent}${paint.bold('→')} `, `${printable(f.remedy.text, 600)}${gain(f)}`, columns));
  // Most claims carry their n and method already; evidence that only repeats them would hide the rest.
  const more = /\bn = \d/.test(f.claim) ? f.evidence.slice(1) : f.evidence;
  const basis = [f.id, `confidence ${f.confidence}`, more.map(evidenceText).join('; ')].filter(Boolean).join(' · ');
  return [...lines, ...hang(indent, basis, columns).map(paint.dim)];
}

/** All unknowns of one subject: a line each, since what is missing matters more than what little was measured. */
function unknownBlock(subject: string, findings: readonly Finding[], columns: number, paint: Palette): string[] {
  return [
    ...titled(paint.verdict.unknown('unknown'), subject, plural(findings.length, 'check'), columns, paint),
    ...findings.flatMap((f) => [
      ...hang(indent, `${printable(f.claim, 600)} (${f.id})`, columns, indent.length + 2),
      ...(f.remedy
        ? hang(`${indent}  ${paint.bold('→')} `, `${printable(f.remedy.text, 600)}${gain(f)}`, columns)
        : []),
    ]),
  ];
}

function titled(label: string, subject: string, claim: string, columns: number, paint: Palette): string[] {
  const name = printable(subject, 63);
  // The no-break space keeps two cells between subject and claim through the wrapping.
  const lines = hang(`${label} `, `${name}\u00a0 ${claim}`, columns, indent.length);
  return lines.map((l, i) => (i === 0 ? l.replace(name, () => paint.bold(name)) : l));
}

/** What the remedy gains, as a half-sentence; empty where that was not measured. */
export function gain(f: Finding): string {
  const gainMs = f.remedy?.gainMs ?? 0;
  return gainMs > 0 ? `: gains ≈ ${duration(gainMs)}` : '';
}

function milliseconds(report: AssessReport, columns: number, paint: Palette, colors: boolean): string[] {
  return [
    ...hang(`${paint.bold('Where the milliseconds went')}  `, 'to first token, p50 / p99 request', columns),
    ...report.endpoints.flatMap((e) => ['', ...bars(report, e, columns, paint, colors)]),
  ];
}

/** Nobody to blame is not yet everything met: a cell may be unknown, or fail for what nobody spends time on. */
function nobodyWhy(e: EndpointSummary): string {
  const cells = Object.values(e.cells);
  if (cells.every((cell) => cell.verdict === 'pass')) return 'every target met';
  return cells.some((cell) => cell.verdict === 'fail')
    ? 'no time is lost to anybody'
    : 'no target missed, some unknown';
}

function bars(report: AssessReport, e: EndpointSummary, columns: number, paint: Palette, colors: boolean): string[] {
  const because = e.blame === 'none' ? nobodyWhy(e) : `${blamedParty(e)} is to blame: ${printable(e.blameWhy, 600)}`;
  const top = hang(`${paint.bold(clip(printable(e.name, 63), columns - 20))}  `, because, columns, 2);
  const requests = requestsOf(report, e.name);
  const shown = [50, 99].flatMap((p) => {
    const request = requestAt(requests, p);
    const segments = request && firstTokenSegments(request);
    return segments ? [{ label: `p${p}`, segments, totalMs: segments.reduce((a, s) => a + s.ms, 0) }] : [];
  });
  if (shown.length === 0) return [...top, ...hang('  ', `no first token arrived (${whyNone(requests)})`, columns)];
  const width = columns - 6 - 10;
  const scaleMs = Math.max(...shown.map((s) => s.totalMs));
  const lines = shown.map(({ label, segments, totalMs }) => {
    const length = Math.max(1, Math.round((totalMs / scaleMs) * width));
    return `  ${paint.dim(label)} ${stackedBar(segments, length, paint, colors)} ${duration(totalMs)}`;
  });
  const stalled = stallSummary(requests);
  return [
    ...top,
    ...lines,
    ...barLegend(
      shown.map((s) => s.segments),
      columns - 6,
      paint,
      colors,
    ).map((l) => `      ${l}`),
    ...(stalled ? hang('      ', stalled, columns) : []),
  ];
}

function whyNone(requests: ReturnType<typeof requestsOf>): string {
  const first = requests[0];
  return first ? `first request: ${describeOutcome(first.outcome)}` : 'no request was sent';
}

function notes(report: AssessReport, columns: number, paint: Palette): string[] {
  if (report.notes.length === 0) return [];
  return ['', ...report.notes.flatMap((n) => hang('note ', printable(n, 600), columns)).map(paint.dim)];
}
