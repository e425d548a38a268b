import type { AssessReport } from '../../model/assess.ts';
import type { Finding } from '../../model/finding.ts';
import { printable } from '../../model/outcome.ts';
import { isNote } from '../facts.ts';
import { duration, evidenceText } from '../format.ts';
import { badge } from './badge.ts';
import { esc } from './escape.ts';
import { anchorOf } from './matrix.ts';

/** Findings as a table (verdict, claim with details and remedy, evidence), with the checks that passed as a list below it. */
export function findingsTable(report: AssessReport, findings: readonly Finding[]): string {
  const shown = findings.filter((f) => f.verdict !== 'pass');
  const passed = findings.filter((f) => f.verdict === 'pass');
  if (findings.length === 0) return '<p>No finding.</p>';
  const rows = shown.map((f) => row(report, f)).join('');
  const table =
    rows &&
    `<table class="findings restack"><thead><tr><th scope="col">verdict</th><th scope="col">finding and remedy</th><th scope="col">evidence</th></tr></thead><tbody>${rows}</tbody></table>`;
  const list =
    passed.length > 0
      ? `<ul class="passed" aria-label="Checks that passed">${passed.map((f) => item(report, f)).join('')}</ul>`
      : '';
  return `<div class="card found">${table}${list}</div>`;
}

function item(report: AssessReport, f: Finding): string {
  return `<li id="${anchorOf(report, f)}" data-verdict="pass">${badge('pass', 'pass')} <span>${esc(printable(f.claim, 600))} <span class="id">${esc(f.id)}</span></span></li>`;
}

function row(report: AssessReport, f: Finding): string {
  const kind = isNote(f) ? 'note' : f.verdict;
  const details = f.details.map((d) => `<li>${esc(printable(d, 600))}</li>`).join('');
  const remedy = f.remedy
    ? `<div class="remedy"><strong>→</strong> ${esc(printable(f.remedy.text, 600))}${gain(f.remedy.gainMs)}</div>`
    : '';
  const evidence = f.evidence.map((e) => `<div>${esc(evidenceText(e))}</div>`).join('');
  return (
    `<tr id="${anchorOf(report, f)}" data-verdict="${kind}">` +
    `<td>${badge(kind, kind === 'fail' ? 'FAIL' : kind)}</td>` +
    `<td><div class="claim">${esc(printable(f.claim, 600))}</div>${details && `<ul>${details}</ul>`}${remedy}</td>` +
    `<td class="evidence">${evidence}<div class="id">${esc(f.id)} · ${f.pillar} · confidence ${f.confidence}</div></td></tr>`
  );
}

/** What a remedy gains, as markup; empty where that was not measured. */
export function gain(gainMs: number | undefined): string {
  return gainMs !== undefined && gainMs > 0 ? ` <span class="gain">gains ≈ ${duration(gainMs)}</span>` : '';
}

/** Buttons that filter the rows of all findings; hidden until the script that serves them runs. */
export function filters(report: AssessReport): string {
  const count = (kind: string) => report.findings.filter((f) => (isNote(f) ? 'note' : f.verdict) === kind).length;
  const button = (kind: string, word: string, n: number) =>
    n === 0 ? '' : `<button type="button" data-filter="${kind}" aria-pressed="${kind === 'all'}">${word} ${n}</button>`;
  return `<div class="filters" role="group" aria-label="Filter findings" hidden>Show findings: ${[
    button('all', 'all', report.findings.length),
    button('fail', 'fail', count('fail')),
    button('unknown', 'unknown', count('unknown')),
    button('note', 'note', count('note')),
    button('pass', 'pass', count('pass')),
  ].join('')}</div>`;
}
