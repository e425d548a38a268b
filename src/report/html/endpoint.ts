import type { AssessReport, EndpointSummary } from '../../model/assess.ts';
import type { Evidence } from '../../model/finding.ts';
import { describeOutcome, printable } from '../../model/outcome.ts';
import { blamedParty, findingsOf, limits, requestsOf } from '../facts.ts';
import { intervalText, plural, quantity } from '../format.ts';
import { charts } from './charts.ts';
import { esc } from './escape.ts';
import { findingsTable } from './findings.ts';

/** The section of one endpoint: who is to blame, headline numbers, charts, findings. */
export function endpointSection(report: AssessReport, e: EndpointSummary, index: number): string {
  const requests = requestsOf(report, e.name);
  const missing = requests.find((r) => r.outcome.kind !== 'answered');
  const answered = `${e.answered} of ${plural(e.requests, 'request')} answered${missing ? ` (${describeOutcome(missing.outcome)})` : ''}`;
  return (
    `<section class="ep" id="endpoint-${index}" aria-labelledby="endpoint-${index}-title"><header><h2 id="endpoint-${index}-title">${esc(printable(e.name))}</h2>` +
    `<span class="facts">${esc(e.class)} · ${esc(answered)}</span></header><div class="url">${esc(printable(e.url, 300))}</div>` +
    blame(e) +
    (e.metrics.length > 0 ? `<div class="stats">${e.metrics.map(stat).join('')}</div>` : '') +
    charts(report, e, requests) +
    findingsTable(report, findingsOf(report, e)) +
    `<p class="facts wanted">Wanted for ${esc(printable(e.workload))}: ${limits(e)
      .map((l) => esc(`${l.label} ${l.text}`))
      .join(' · ')}</p></section>`
  );
}

function blame(e: EndpointSummary): string {
  const who = e.blame === 'none' ? 'Nothing misses its target' : `To blame: ${blamedParty(e)}`;
  return `<p class="blame b-${e.blame}"><strong>${esc(who)}.</strong> ${esc(printable(e.blameWhy, 600))}</p>`;
}

function stat(m: Evidence): string {
  const range = intervalText(m.interval, m.unit);
  return `<div class="stat"><div class="name">${esc(printable(m.metric))}</div><div class="value">${esc(quantity(m.value, m.unit))}</div><div class="sub">${esc(range) || 'no interval'}</div><div class="sub">n = ${m.n}</div></div>`;
}
