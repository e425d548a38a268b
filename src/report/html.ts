import type { AssessReport } from '../model/assess.ts';
import { printable } from '../model/outcome.ts';
import { headline, otherFindings } from './facts.ts';
import { intervalText, moment, plural, quantity } from './format.ts';
import { badge } from './html/badge.ts';
import { endpointSection } from './html/endpoint.ts';
import { esc } from './html/escape.ts';
import { filters, findingsTable } from './html/findings.ts';
import { changes } from './html/changes.ts';
import { matrix } from './html/matrix.ts';
import { script } from './html/script.ts';
import { style } from './html/style.ts';
import { howMeasured } from './methods.ts';

// Nothing may be loaded from anywhere: what the page needs is in it.
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * The report as one self-contained HTML page: verdict, matrix, one section per endpoint with charts and findings, methods,
 * numbers. Complete without script; all text from outside is escaped.
 */
export function renderHtml(report: AssessReport): string {
  const { word } = headline(report);
  const other = otherFindings(report);
  const body = [
    '<a class="skip" href="#matrix-title">Skip to the verdicts</a>',
    hatch,
    top(report),
    '<main>',
    matrix(report),
    changes(report),
    filters(report),
    ...report.endpoints.map((e, i) => endpointSection(report, e, i)),
    other.length > 0
      ? `<section class="ep"><h2>This client and the run</h2>${findingsTable(report, other)}</section>`
      : '',
    methods(report),
    numbers(report),
    '</main>',
    `<footer>inferpath ${esc(printable(report.version, 40))} · ${esc(moment(report.startedAt))}</footer><div id="tip" role="presentation"></div>`,
    `<script>${script}</script>`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">
<title>inferpath: ${esc(word)}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body>${body.join('\n')}</body></html>
`;
}

// One pattern for the whole page: grey stripes mean that the evidence does not decide.
const hatch =
  '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-bg" width="6" height="6"/><path class="hatch" d="M1.5 0V6"/></pattern></defs></svg>';

function top(report: AssessReport): string {
  const { word, why } = headline(report);
  const facts = [
    plural(report.endpoints.length, 'endpoint'),
    `from ${printable(report.vantage)}`,
    plural(report.requests, 'request'),
    `${(report.durationMs / 1000).toFixed(0)} s`,
    moment(report.startedAt),
  ];
  const cut = report.interrupted
    ? `<p>${badge('unknown', 'interrupted')} The run was stopped: this is what it had.</p>`
    : '';
  return `<div class="top"><div class="brand">inferpath readiness report</div><h1 class="hero">${badge(report.ready, word, 'big')} <span class="why">${esc(why)}</span></h1><p class="facts">${esc(facts.join(' · '))}</p>${cut}</div>`;
}

function methods(report: AssessReport): string {
  return `<section class="ep"><h2>How this was measured</h2><div class="card"><ul class="notes">${howMeasured(report)
    .map((l) => `<li>${esc(l)}</li>`)
    .join('')}</ul></div></section>`;
}

function numbers(report: AssessReport): string {
  const rows = report.endpoints.flatMap((e) =>
    e.metrics.map((m) => {
      const cells = [
        ['endpoint', printable(e.name), ''],
        ['value', quantity(m.value, m.unit), 'num'],
        ['interval', intervalText(m.interval, m.unit) || '–', 'num'],
        ['n', String(m.n), 'num'],
        ['how', printable(m.how), ''],
      ].map(
        ([label, value, kind]) => `<td data-label="${label}"${kind && ` class="${kind}"`}>${esc(value ?? '')}</td>`,
      );
      return `<tr><th scope="row">${esc(printable(m.metric))}</th>${cells.join('')}</tr>`;
    }),
  );
  if (rows.length === 0) return '';
  const header = ['metric', 'endpoint', 'value', 'interval', 'n', 'how']
    .map((h) => `<th scope="col"${['value', 'interval', 'n'].includes(h) ? ' class="num"' : ''}>${h}</th>`)
    .join('');
  return `<section aria-labelledby="numbers-title"><h2 id="numbers-title">Numbers</h2><div class="card scroll" tabindex="0" role="region" aria-label="Numbers"><table class="numbers restack"><thead><tr>${header}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}
