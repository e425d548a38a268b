import type { AlertTransition } from '../../model/alert.ts';
import type { Notice } from '../../model/delivery.ts';
import type { Evidence } from '../../model/finding.ts';
import { printable } from '../../model/outcome.ts';

/** Standard Webhooks wants less than 20 kB: these bounds keep the largest notice at half of that. */
const most = { lines: 8, lineLength: 300, names: 40, summary: 500 };

/**
 * What receivers are told about a transition. Text that came from peers is made printable here, once for all of them.
 * @param serverUrl address of the server for people, without a slash at its end; null where it is not known
 */
export function noticeOf({ alert, notify, atMs }: AlertTransition, serverUrl: string | null): Notice {
  const { finding } = alert;
  return {
    incident: alert.incident,
    alert: alert.id,
    status: notify === 'resolve' ? 'resolved' : 'firing',
    severity: alert.severity,
    rule: alert.rule,
    subject: clean(alert.subject),
    summary: clean(finding.claim, most.summary),
    details: lines(finding.details),
    evidence: lines(finding.evidence.map(evidenceLine)),
    remedy: finding.remedy ? clean(finding.remedy.text, most.summary) : null,
    where: alert.where === null ? null : clean(alert.where),
    blame: alert.blame,
    agents: names(alert.agents),
    endpoints: names(alert.endpoints),
    flapping: alert.flapping,
    sinceMs: alert.sinceMs,
    atMs,
    endedAtMs: notify === 'resolve' ? (alert.endedAtMs ?? atMs) : null,
    page: alert.page,
    link: serverUrl === null ? null : `${serverUrl}/alerts/${encodeURIComponent(alert.id)}`,
    isTest: false,
  };
}

function evidenceLine({ metric, value, unit, n, how }: Evidence): string {
  return `${metric} ${Number(value.toPrecision(6))}${unit === '' ? '' : ` ${unit}`} (n=${n}, ${how})`;
}

function lines(texts: readonly string[]): string[] {
  return texts.slice(0, most.lines).map((text) => clean(text, most.lineLength));
}

/** All names, or the first ones and how many are not shown: what is left out is never silent. */
function names(all: readonly string[]): string[] {
  if (all.length <= most.names) return all.map((name) => clean(name, 63));
  const shown = all.slice(0, most.names - 1).map((name) => clean(name, 63));
  return [...shown, `and ${all.length - shown.length} more`];
}

/** For the subject of a mail, the first line of a message, the summary of a page. */
export function headline(notice: Notice): string {
  const test = notice.isTest ? 'TEST ' : '';
  const status = notice.status === 'resolved' ? 'RESOLVED' : notice.severity.toUpperCase();
  return `${test}[${status}] ${notice.subject}: ${notice.summary}`;
}

/** The rest, a line each. */
export function bodyLines(notice: Notice): string[] {
  const maybe = (label: string, text: string | null) => (text === null || text === '' ? [] : [`${label}: ${text}`]);
  return [
    ...maybe('Since', isoTime(notice.sinceMs)),
    ...maybe('Ended', notice.endedAtMs === null ? null : isoTime(notice.endedAtMs)),
    ...maybe('Where', notice.where),
    `Whose side: ${notice.blame}`,
    ...maybe('Endpoints', notice.endpoints.join(', ')),
    ...maybe('Seen by', notice.agents.join(', ')),
    ...notice.details,
    ...notice.evidence.map((line) => `Evidence: ${line}`),
    ...maybe('What to do', notice.remedy),
    ...(notice.flapping ? ['It comes and goes: flapping.'] : []),
    ...maybe('Alert', notice.link),
    `Rule: ${notice.rule} (docs/${notice.page})`,
    `Incident: ${notice.incident}`,
  ];
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** Text from outside, safe to show, and valid Unicode: half a character would make some receivers refuse the whole message. */
export function clean(text: string, max?: number): string {
  return Buffer.from(printable(text, max)).toString();
}
