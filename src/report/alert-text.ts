import type { Alert, AlertBlame, AlertState } from '../model/alert.ts';
import { printable } from '../model/outcome.ts';
import { hang, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import { evidenceText, moment } from './format.ts';

/** Whose side it is, in words. */
export const blameWords: Record<AlertBlame, string> = {
  network: 'the network',
  server: 'the server',
  client: 'the agents themselves',
  undetermined: 'the evidence does not tell',
};

/** The gravest first: what fires, what is not known any more, what is on its way in or out, what is over. */
export const stateOrder: Record<AlertState, number> = { firing: 0, unknown: 1, recovering: 2, pending: 3, resolved: 4 };

const time = (ms: number): string => moment(new Date(ms).toISOString());

/** `inferpath alert list`: two lines for each, so that the claim is read and not cut. */
export function renderAlertList(alerts: readonly Alert[], options: TextOptions): string {
  const paint = palette(options.colors);
  const inOrder = alerts.toSorted((a, b) => stateOrder[a.state] - stateOrder[b.state] || b.changedAtMs - a.changedAtMs);
  return inOrder.map((alert) => `${listed(alert, options.columns, paint).join('\n')}\n`).join('');
}

function listed(alert: Alert, columns: number, paint: Palette): string[] {
  const { id, rule, severity, subject, suppressedBy, sinceMs, finding } = alert;
  const why = suppressedBy === null ? '' : `, explained by ${suppressedBy}`;
  return [
    `${paint.bold(printable(subject))}  ${state(alert, paint)}  ${severity}`,
    ...wrap(printable(finding.claim, 600), columns - 2).map((line) => `  ${line}`),
    ...wrap(`${id} ${rule}, since ${time(sinceMs)}${why}`, columns - 2).map((line) => `  ${paint.dim(line)}`),
  ];
}

/** `inferpath alert show`: everything that is known about one. */
export function renderAlertText(alert: Alert, link: string, options: TextOptions): string {
  const paint = palette(options.colors);
  const { finding } = alert;
  const columns = Math.max(40, options.columns);
  const rows: [string, string][] = [
    ['since', time(alert.sinceMs)],
    ...maybe('ended', alert.endedAtMs === null ? null : time(alert.endedAtMs)),
    ['told', alert.toldAtMs === null ? 'nobody' : time(alert.toldAtMs)],
    ...maybe('explained by', alert.suppressedBy),
    ['where', alert.where ?? 'nothing tells where on the path'],
    ['whose side', blameWords[alert.blame]],
    ...maybe('seen by', alert.agents.join(', ') || null),
    ...maybe('endpoints', alert.endpoints.join(', ') || null),
    ...finding.details.map((detail): [string, string] => ['', detail]),
    ...maybe('', alert.flapping ? 'it comes and goes: flapping' : null),
    ...finding.evidence.map((one, i): [string, string] => [i === 0 ? 'evidence' : '', evidenceText(one)]),
    ['confidence', finding.confidence],
    ...maybe('what to do', finding.remedy?.text ?? null),
    ['rule', `${alert.rule} (docs/${alert.page})`],
    ['incident', alert.incident],
    ['page', link],
  ];
  return [
    `${paint.bold(printable(alert.subject))}  ${state(alert, paint)}  ${alert.severity}`,
    ...wrap(printable(finding.claim, 600), columns),
    '',
    ...rows.flatMap(([label, text]) => hang(paint.dim(label.padEnd(14)), printable(text, 600), columns)),
    '',
  ].join('\n');
}

function maybe(label: string, text: string | null): [string, string][] {
  return text === null ? [] : [[label, text]];
}

function state({ state: name }: Alert, { verdict }: Palette): string {
  if (name === 'firing') return verdict.fail(name);
  return name === 'resolved' ? verdict.pass(name) : verdict.unknown(name);
}
