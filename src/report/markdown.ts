import type { AssessReport, EndpointSummary } from '../model/assess.ts';
import { type Finding, pillars } from '../model/finding.ts';
import { printable } from '../model/outcome.ts';
import {
  blamedParty,
  firstTokenSegments,
  headline,
  isNote,
  limits,
  requestAt,
  requestsOf,
  sortFindings,
} from './facts.ts';
import { briefMs, evidenceText, intervalText, moment, coverage as known, plural, quantity } from './format.ts';
import { howMeasured } from './methods.ts';
import { gain } from './text.ts';

/** The report as GitHub-flavoured Markdown for a pull request or ticket: matrix, findings, numbers, how measured. */
export function renderMarkdown(report: AssessReport): string {
  const { word, why } = headline(report);
  const all = sortFindings(report);
  const shown = all.filter((f) => f.verdict === 'fail');
  const unknown = all.filter((f) => f.verdict === 'unknown');
  const passed = all.filter((f) => f.verdict === 'pass');
  const sections = [
    `# inferpath: ${word}`,
    `**${md(why)}** · ${plural(report.endpoints.length, 'endpoint')} · from ${md(report.vantage)} · ${plural(report.requests, 'request')} · ${(report.durationMs / 1000).toFixed(0)} s · ${moment(report.startedAt)}`,
    report.interrupted ? '> The run was interrupted: this is what it had.' : '',
    matrix(report),
    '## Findings',
    shown.length > 0 ? shown.map(findingBlock).join('\n\n') : 'Nothing failed.',
    unknown.length > 0 ? `### ${mark.unknown}\n\n${unknown.map(unknownLine).join('\n')}` : '',
    passed.length > 0
      ? details(
          `${plural(passed.length, 'check')} passed`,
          passed.map((f) => `- **${md(f.subject)}** ${md(f.claim)} (\`${f.id}\`)`).join('\n'),
        )
      : '',
    '## Where the milliseconds went',
    'To first token, median request (p50) and p99 request of each endpoint, in ms.',
    milliseconds(report),
    '## Numbers',
    ...report.endpoints.map((e) => numbers(e)),
    '## How this was measured',
    howMeasured(report)
      .map((line) => `- ${md(line)}`)
      .join('\n'),
  ];
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}

/**
 * Text from outside for Markdown, on one line: what could start a table cell, code, emphasis, link, heading, mention or HTML
 * is escaped.
 */
export function md(text: string): string {
  return printable(text, 600)
    .replace(/[\\`*_{}[\]<>|~#]/g, (c) => `\\${c}`)
    .replaceAll('&', '&amp;')
    .replace(/@(?=\w)/g, '@\u200b')
    .replace(/\bhttp(s?):\/\//g, 'http$1:\u200b//');
}

/** A code span; backticks cannot be escaped inside one, so they become apostrophes. */
function code(text: string): string {
  return `\`${printable(text, 300).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

const mark = { pass: '✅ pass', fail: '❌ **FAIL**', unknown: '❔ unknown' };

function matrix(report: AssessReport): string {
  const cell = (e: EndpointSummary, p: (typeof pillars)[number]) => {
    const { verdict, coverage } = e.cells[p];
    return verdict === 'unknown' ? `${mark.unknown} ${known(coverage)}` : mark[verdict];
  };
  return table(
    ['endpoint', 'class', ...pillars, 'to blame'],
    report.endpoints.map((e) => [
      md(e.name),
      e.class,
      ...pillars.map((p) => cell(e, p)),
      e.blame === 'none' ? '–' : blamedParty(e),
    ]),
  );
}

function findingBlock(f: Finding): string {
  const label = isNote(f) ? 'ℹ️ note' : mark[f.verdict];
  const lines = [`### ${label} ${md(f.subject)}: ${md(f.claim)}`, ...f.details.map((d) => `- ${md(d)}`)];
  if (f.remedy) lines.push(`- **→ ${md(f.remedy.text)}**${gain(f)}`);
  const basis = [`\`${f.id}\``, f.pillar, `confidence ${f.confidence}`, ...f.evidence.map((e) => md(evidenceText(e)))];
  lines.push(`- <sub>${basis.join(' · ')}</sub>`);
  return [lines[0], '', ...lines.slice(1)].join('\n');
}

/** An unknown in one list item: what is missing matters more than what little was measured. */
function unknownLine(f: Finding): string {
  const remedy = f.remedy ? ` → ${md(f.remedy.text)}` : '';
  return `- **${md(f.subject)}** ${md(f.claim)}${remedy} (\`${f.id}\`)`;
}

function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

function milliseconds(report: AssessReport): string {
  const rows = report.endpoints.flatMap((e) => {
    const requests = requestsOf(report, e.name);
    return [50, 99].flatMap((p) => {
      const request = requestAt(requests, p);
      const segments = request && firstTokenSegments(request);
      if (!segments) return [];
      const of = (...names: string[]) =>
        briefMs(segments.reduce((sum, s) => (names.includes(s.part) ? sum + s.ms : sum), 0));
      const total = briefMs(segments.reduce((sum, s) => sum + s.ms, 0));
      return [
        [
          md(e.name),
          `p${p}`,
          total,
          of('dns'),
          of('tcp'),
          of('tls'),
          of('upload'),
          of('network'),
          of('undetermined'),
          of('server'),
          of('client'),
        ],
      ];
    });
  });
  if (rows.length === 0) return 'No first token arrived.';
  return table(
    ['endpoint', '', 'total', 'dns', 'tcp', 'tls', 'upload', 'network', 'undetermined', 'server', 'client'],
    rows,
  );
}

function numbers(e: EndpointSummary): string {
  const rows = e.metrics.map((m) => [
    md(m.metric),
    md(quantity(m.value, m.unit)),
    md(intervalText(m.interval, m.unit)) || '–',
    String(m.n),
    md(m.how),
  ]);
  const title = `### ${md(e.name)} (${e.class})`;
  const wanted = limits(e)
    .map((l) => `${l.label} ${l.text}`)
    .join(' · ');
  const answered = `${e.answered} of ${plural(e.requests, 'request')} answered · ${code(e.url)}`;
  return [
    title,
    answered,
    `Wanted: ${wanted}`,
    rows.length > 0 ? table(['metric', 'value', 'interval', 'n', 'how'], rows) : 'No numbers.',
  ].join('\n\n');
}
