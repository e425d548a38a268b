import type { Alert } from '../../model/alert.ts';
import { printable } from '../../model/outcome.ts';
import { blameWords } from '../alert-text.ts';
import { evidenceText, moment } from '../format.ts';
import { badge } from '../html/badge.ts';
import { esc } from '../html/escape.ts';
import { alertLook } from './alerts.ts';
import { frame, liveMark, livePage } from './frame.ts';

export interface AlertView {
  nowMs: number;
  version: string;
  alert: Alert;
  /** The one that explains it. */
  explainedBy: Alert | null;
  /** Those that it explains. */
  explains: readonly Alert[];
}

/** Everything about one alert: where the link of a page leads. */
export function renderAlert(view: AlertView): string {
  const { alert } = view;
  const parts = [
    ['top', top(view)],
    ['alert', facts(view)],
    ['evidence', evidence(alert)],
    ['others', others(view)],
  ] as const;
  const skip = { to: 'facts-title', words: 'Skip to the facts' };
  return livePage(`inferpath: ${printable(alert.subject)} ${alert.state}`, skip, parts, view.version);
}

/** An alert is forgotten some time after its end; the link in an old message has to say so. */
export function renderNoAlert(): string {
  return frame(
    'inferpath: no such alert',
    '<main class="login"><div class="brand">inferpath watch</div><h1>No such alert</h1><p>It is over and forgotten, or never was: an alert is kept for a day after its end.</p><p><a href="/">The status page</a></p></main>',
    null,
  );
}

function top({ alert, nowMs }: AlertView): string {
  const { state, severity, subject, finding } = alert;
  return `<div class="top"><div class="brand"><a href="/">inferpath watch</a> ${liveMark(nowMs)}</div><h1 class="hero">${badge(alertLook[state], state, 'big')} <span>${text(subject)}</span></h1><p class="lead">${text(finding.claim)}</p><p class="facts">${severity} · ${esc(alert.rule)}</p></div>`;
}

function facts({ alert }: AlertView): string {
  const { finding, where, blame, agents, endpoints, flapping } = alert;
  const rows: [string, string][] = [
    ['since', time(alert.sinceMs)],
    ...(alert.firedAtMs === null ? [] : [['fires since', time(alert.firedAtMs)] satisfies [string, string]]),
    ...(alert.endedAtMs === null ? [] : [['ended', time(alert.endedAtMs)] satisfies [string, string]]),
    ['told', alert.toldAtMs === null ? 'nobody' : time(alert.toldAtMs)],
    ['where', where === null ? 'nothing tells where on the path' : text(where)],
    ['whose side', esc(blameWords[blame])],
    ['seen by', names(agents)],
    ['endpoints', names(endpoints)],
    ...finding.details.map((detail): [string, string] => ['', text(detail)]),
    ...(flapping ? [['', 'it comes and goes: flapping'] satisfies [string, string]] : []),
    ['rule', `${esc(alert.rule)} <span class="id">docs/${esc(alert.page)}</span>`],
    ['incident', `<span class="id">${text(alert.incident)}</span>`],
  ];
  const list = rows.map(([label, value]) => `<dt>${esc(label)}</dt><dd>${value}</dd>`).join('');
  const remedy = finding.remedy ? `<div class="remedy"><strong>→</strong> ${text(finding.remedy.text)}</div>` : '';
  return `<section aria-labelledby="facts-title"><h2 id="facts-title">What, since when, where</h2><div class="card">${remedy}<dl class="pairs">${list}</dl></div></section>`;
}

function evidence({ finding }: Alert): string {
  const items = finding.evidence.map((one) => `<li>${text(evidenceText(one))}</li>`).join('');
  return `<section aria-labelledby="evidence-title"><h2 id="evidence-title">Evidence</h2><div class="card">${items === '' ? '<p>The rule has no number to show.</p>' : `<ul class="plain">${items}</ul>`}<p class="id">confidence ${finding.confidence}</p></div></section>`;
}

function others({ explainedBy, explains }: AlertView): string {
  if (explainedBy === null && explains.length === 0) return '';
  const link = (alert: Alert) =>
    `<li>${badge(alertLook[alert.state], alert.state)} <a href="/alerts/${encodeURIComponent(alert.id)}">${text(alert.subject)}</a> ${text(alert.finding.claim)}</li>`;
  const cause =
    explainedBy === null
      ? ''
      : `<p>It is not told on its own; this explains it:</p><ul class="plain">${link(explainedBy)}</ul>`;
  const list = explains.length === 0 ? '' : `<p>It explains:</p><ul class="plain">${explains.map(link).join('')}</ul>`;
  return `<section aria-labelledby="others-title"><h2 id="others-title">Other alerts</h2><div class="card">${cause}${list}</div></section>`;
}

const text = (value: string): string => esc(printable(value, 600));
const names = (all: readonly string[]): string => (all.length === 0 ? '–' : text(all.join(', ')));
const time = (ms: number): string => esc(moment(new Date(ms).toISOString()));
