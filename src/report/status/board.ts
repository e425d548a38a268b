import type { EndpointSummary } from '../../model/assess.ts';
import { printable } from '../../model/outcome.ts';
import { duration, percent } from '../format.ts';
import { badge } from '../html/badge.ts';
import { esc } from '../html/escape.ts';
import { sparkLine } from './spark-line.ts';
import type { EndpointLines, LinePoint, StatusView } from './view.ts';

/** Minutes that "now" is made of. */
const nowSteps = 3;

/** One row per endpoint: how it is now, how the last hour was. */
export function board(view: StatusView): string {
  const rows = view.report.endpoints.map((e, i) => row(view, e, i));
  const header = ['endpoint', 'now', 'round trip', 'first token', 'answered in the last hour']
    .map((h) => `<th scope="col">${h}</th>`)
    .join('');
  return `<section aria-labelledby="board-title"><h2 id="board-title">Endpoints</h2><div class="card scroll" tabindex="0" role="region" aria-label="Endpoints"><table class="board restack"><thead><tr>${header}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

function row(view: StatusView, e: EndpointSummary, index: number): string {
  const lines = view.lines.find((l) => l.name === e.name) ?? { name: e.name, rtt: [], ttft: [] };
  const all = [...lines.rtt, ...lines.ttft];
  return (
    `<tr><th scope="row"><a href="#endpoint-${index}">${esc(printable(e.name))}</a><span class="kind">${esc(e.class)}</span></th>` +
    `<td data-label="now">${state(view, all)}</td>` +
    `<td data-label="round trip">${measured('round trip', lines.rtt, view)}</td>` +
    `<td data-label="first token">${measured('first token', lines.ttft, view)}</td>` +
    `<td data-label="answered">${answered(lines)}</td></tr>`
  );
}

/** By the last minutes that have anything in them; silence is unknown, never up. */
function state({ nowMs, stepMs }: StatusView, points: readonly LinePoint[]): string {
  const recent = points.filter((p) => p.atMs >= nowMs - (nowSteps + 1) * stepMs);
  const [ok, bad] = [sum(recent, 'ok'), sum(recent, 'bad')];
  if (ok + bad === 0) return badge('unknown', points.length === 0 ? 'no data yet' : 'no data');
  if (bad === 0) return badge('pass', 'answers');
  return ok === 0 ? badge('fail', 'DOWN') : badge('fail', `${percent(bad / (ok + bad))} fail`);
}

function measured(label: string, points: readonly LinePoint[], { fromMs, nowMs, stepMs }: StatusView): string {
  const last = points.findLast((p) => p.value !== null)?.value ?? null;
  const value = last === null ? '' : `<span class="last">${esc(duration(last))}</span>`;
  return `<div class="measured">${value}${sparkLine(label, points, fromMs, nowMs, stepMs)}</div>`;
}

function answered({ rtt, ttft }: EndpointLines): string {
  const [ok, bad] = [sum(rtt, 'ok') + sum(ttft, 'ok'), sum(rtt, 'bad') + sum(ttft, 'bad')];
  if (ok + bad === 0) return '–';
  return `<strong>${esc(percent(ok / (ok + bad)))}</strong> <span class="kind">${ok} of ${ok + bad}</span>`;
}

const sum = (points: readonly LinePoint[], key: 'ok' | 'bad'): number => points.reduce((n, p) => n + p[key], 0);
