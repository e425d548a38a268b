import type { AssessReport } from '../model/assess.ts';
import { printable } from '../model/outcome.ts';
import { headline } from './facts.ts';
import { moment, plural } from './format.ts';
import { badge } from './html/badge.ts';
import { reportBody } from './html/body.ts';
import { esc } from './html/escape.ts';
import { script } from './html/script.ts';
import { style } from './html/style.ts';

// Nothing may be loaded from anywhere: what the page needs is in it.
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * The report as one self-contained HTML page: verdict, matrix, one section per endpoint with charts and findings, methods,
 * numbers. Complete without script; all text from outside is escaped.
 */
export function renderHtml(report: AssessReport): string {
  const { word } = headline(report);
  const body = [
    '<a class="skip" href="#matrix-title">Skip to the verdicts</a>',
    top(report),
    '<main>',
    ...reportBody(report),
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
