import type { AssessReport, EndpointSummary } from '../../model/assess.ts';
import { type Finding, type Pillar, pillars } from '../../model/finding.ts';
import { printable } from '../../model/outcome.ts';
import { blamedParty, findingsOf } from '../facts.ts';
import { coverage as known } from '../format.ts';
import { badge } from './badge.ts';
import { esc } from './escape.ts';

/** Gives every finding of the report an anchor. */
export function anchorOf(report: AssessReport, f: Finding): string {
  return `finding-${report.findings.indexOf(f)}`;
}

/** Endpoint × pillar; each cell leads to the worst finding behind it, each name to its endpoint. */
export function matrix(report: AssessReport): string {
  const rows = report.endpoints.map(
    (e, i) =>
      `<tr><th scope="row"><a href="#endpoint-${i}">${esc(printable(e.name))}</a><span class="kind">${esc(e.class)}</span></th>` +
      pillars.map((p) => `<td data-label="${p}">${cell(report, e, i, p)}</td>`).join('') +
      `<td data-label="to blame" class="who">${e.blame === 'none' ? '–' : `<i class="p-dot d-${e.blame}" aria-hidden="true"></i>${esc(blamedParty(e))}`}</td></tr>`,
  );
  const header = pillars.map((p) => `<th scope="col">${p}</th>`).join('');
  return `<section aria-labelledby="matrix-title"><h2 id="matrix-title">Readiness</h2><div class="card scroll" tabindex="0" role="region" aria-label="Readiness matrix"><table class="matrix restack"><thead><tr><th scope="col">endpoint</th>${header}<th scope="col">to blame</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

function cell(report: AssessReport, e: EndpointSummary, i: number, pillar: Pillar): string {
  const { verdict, coverage } = e.cells[pillar];
  const worst = findingsOf(report, e, pillar)[0];
  const href = worst ? anchorOf(report, worst) : `endpoint-${i}`;
  const word = verdict === 'fail' ? 'FAIL' : verdict === 'pass' ? 'pass' : `unknown ${known(coverage)}`;
  const cover =
    verdict === 'unknown'
      ? `<svg class="cover" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.round(coverage * 100)}" height="3"/></svg>`
      : '';
  const spoken = `${pillar} of ${printable(e.name)}: ${verdict}${verdict === 'unknown' ? `, ${known(coverage)} of what is needed is known` : ''}`;
  return `<a href="#${href}" aria-label="${esc(spoken)}">${badge(verdict, word)}${cover}</a>`;
}
