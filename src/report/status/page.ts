import type { Verdict } from '../../model/finding.ts';
import { printable } from '../../model/outcome.ts';
import { headline } from '../facts.ts';
import { plural } from '../format.ts';
import { badge } from '../html/badge.ts';
import { reportBody } from '../html/body.ts';
import { esc } from '../html/escape.ts';
import { alertList } from './alerts.ts';
import { board } from './board.ts';
import { budgetList } from './budgets.ts';
import { frame, liveMark, livePage } from './frame.ts';
import type { AgentState, StatusView } from './view.ts';

/** An agent that was silent for so long is told as silent. */
const silentMs = 60_000;

/** The live page of a server: what assess would say of the last hour, below what is now. */
export function renderStatus(view: StatusView): string {
  const { report } = view;
  const { word } = heroOf(view);
  const parts: [string, string][] = [
    ['top', top(view)],
    ['trouble', troubleNote(view)],
    ['alerts', alertList(view)],
    ['board', board(view)],
    ['budgets', budgetList(view)],
    ['agents', agentList(view)],
    ['report', reportBody(report).join('\n')],
  ];
  const skip = { to: 'board-title', words: 'Skip to the endpoints' };
  return livePage(`inferpath: ${word}`, skip, parts, report.version);
}

/** The page that asks for a token; a link of `inferpath up` logs in by itself. */
export function renderLogin(): string {
  return frame(
    'inferpath: log in',
    `<main class="login"><div class="brand">inferpath</div><h1>Log in</h1><p id="why" role="status">This page wants a session.</p>
<form id="login" class="card"><label for="secret">API token or log-in link</label><input id="secret" name="secret" type="password" autocomplete="off" spellcheck="false" required><button type="submit">Log in</button></form>
<p class="facts">On the machine of the server, <code>inferpath admin login</code> prints a link, and <code>inferpath token create NAME</code> makes a token.</p>
<noscript><p>Logging in needs script.</p></noscript></main>`,
    '/assets/login.js',
  );
}

/** What fires now goes before what the last hour comes to: an outage of minutes is not yet a verdict of the rules. */
function heroOf({ report, alerts, trouble }: StatusView): {
  verdict: Verdict;
  word: string;
  why: string;
  isAlert: boolean;
} {
  const firing = alerts
    .filter((a) => a.state === 'firing' && a.suppressedBy === null && a.severity !== 'info')
    .toSorted((a, b) => a.severity.localeCompare(b.severity) || a.sinceMs - b.sinceMs);
  const [gravest] = firing;
  if (!gravest && trouble)
    return {
      verdict: 'unknown',
      word: 'NOT RECORDING',
      why: 'what is shown below ends when this began',
      isAlert: false,
    };
  if (!gravest) return { verdict: report.ready, ...headline(report), isAlert: false };
  const word = plural(firing.length, 'ALERT', 'ALERTS');
  return { verdict: 'fail', word, why: printable(`${gravest.subject}: ${gravest.finding.claim}`, 300), isAlert: true };
}

function top(view: StatusView): string {
  const { report } = view;
  const { verdict, word, why, isAlert } = heroOf(view);
  const facts = [
    plural(report.endpoints.length, 'endpoint'),
    plural(view.agents.length, 'agent'),
    isAlert ? `readiness over the last hour: ${headline(report).word}` : 'no alert fires',
    'judged over the last hour',
  ].slice(0, isAlert ? 3 : 4);
  return `<div class="top"><div class="brand">inferpath watch ${liveMark(view.nowMs)}</div><h1 class="hero">${badge(verdict, word, 'big')} <span class="why">${esc(why)}</span></h1><p class="facts">${esc(facts.join(' · '))}</p></div>`;
}

/** What comes of it differs: agents keep samples and send them again; without documents nobody is paged. */
function troubleNote({ trouble }: StatusView): string {
  if (!trouble) return '';
  const { what, isFull, forMs } = trouble;
  const since = forMs < 60_000 ? 'less than a minute' : words(forMs);
  const why = isFull ? 'The disk of the store is full' : `The store takes no ${what}`;
  const so =
    what === 'samples'
      ? 'Agents keep what they measure and send it when there is room; alerts are judged by what is there.'
      : 'No alert can change its state and no page can be sent from here; agents alarm by themselves.';
  const remedy = isFull ? 'make room on the disk' : 'see the log of the server';
  return `<section aria-labelledby="trouble-title"><h2 id="trouble-title">Not recording</h2><div class="card" role="alert"><p class="lead">${esc(`${why}, for ${since}.`)} ${esc(so)}</p><div class="remedy"><strong>→</strong> ${esc(remedy)}</div></div></section>`;
}

function agentList({ agents, nowMs }: StatusView): string {
  const items = agents.map(
    (agent) =>
      `<li>${agentBadge(agent, nowMs)} <strong>${esc(printable(agent.name))}</strong>${agent.site === null ? '' : ` <span class="kind">${esc(printable(agent.site))}</span>`}</li>`,
  );
  const none = '<p>No agent has reported yet. <code>inferpath agents invite NAME</code> lets one join.</p>';
  return `<section aria-labelledby="agents-title"><h2 id="agents-title">Agents</h2><div class="card">${items.length === 0 ? none : `<ul class="agents">${items.join('')}</ul>`}</div></section>`;
}

function agentBadge({ lastArrivalMs }: AgentState, nowMs: number): string {
  if (lastArrivalMs === null) return badge('unknown', 'not heard of');
  const silentForMs = nowMs - lastArrivalMs;
  return silentForMs < silentMs ? badge('pass', 'reports') : badge('fail', `silent for ${words(silentForMs)}`);
}

function words(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
