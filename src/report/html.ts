import type { AssessReport } from '../model/assess.ts';
import { printable } from '../model/outcome.ts';
import { headline } from './facts.ts';
import { moment, plural } from './format.ts';
import { badge } from './html/badge.ts';
import { reportBody } from './html/body.ts';
import { esc } from './html/escape.ts';
import { htmlPage } from './html/page.ts';

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
    `<footer>inferpath ${esc(printable(report.version, 40))} · ${esc(moment(report.startedAt))}</footer>`,
  ];
  return htmlPage({ title: `inferpath: ${word}`, body });
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
