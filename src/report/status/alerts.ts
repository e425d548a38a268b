import type { Alert, AlertState } from '../../model/alert.ts';
import { printable } from '../../model/outcome.ts';
import { blameWords, stateOrder } from '../alert-text.ts';
import { moment } from '../format.ts';
import { badge } from '../html/badge.ts';
import { esc } from '../html/escape.ts';
import type { StatusView } from './view.ts';

export const alertLook: Record<AlertState, Parameters<typeof badge>[0]> = {
  firing: 'fail',
  unknown: 'unknown',
  recovering: 'note',
  pending: 'note',
  resolved: 'pass',
};

/** Alerts that are not over, the gravest first; what another one explains stands below that one in number only. */
export function alertList({ alerts }: StatusView): string {
  const open = alerts
    .filter((a) => a.state !== 'resolved' && a.suppressedBy === null)
    .toSorted((a, b) => stateOrder[a.state] - stateOrder[b.state] || a.sinceMs - b.sinceMs);
  if (open.length === 0) return '';
  const items = open.map((a) => item(a, alerts.filter((other) => other.suppressedBy === a.id).length));
  return `<section aria-labelledby="alerts-title"><h2 id="alerts-title">Alerts</h2><div class="card"><ul class="alerts">${items.join('')}</ul></div></section>`;
}

function item({ id, where, blame, state, subject, severity, sinceMs, finding }: Alert, explained: number): string {
  const remedy = finding.remedy
    ? `<div class="remedy"><strong>→</strong> ${esc(printable(finding.remedy.text, 600))}</div>`
    : '';
  const facts = [
    severity,
    `since ${moment(new Date(sinceMs).toISOString())}`,
    ...(blame === 'undetermined' ? [] : [blameWords[blame]]),
    ...(explained > 0 ? [`explains ${explained} more`] : []),
    ...(where === null ? [] : [printable(where, 200)]),
  ];
  return `<li>${badge(alertLook[state], state)} <div><a class="subject" href="/alerts/${encodeURIComponent(id)}">${esc(printable(subject))}</a> ${esc(printable(finding.claim, 600))}${remedy}<div class="id">${esc(facts.join(' · '))}</div></div></li>`;
}
