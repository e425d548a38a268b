import { bodyLines, headline, isoTime } from '../notice.ts';
import type { Notice } from '../../../model/delivery.ts';
import { type Attempt, type ReceiverKind, sentOf } from '../receiver.ts';
import { postJson } from './post-json.ts';

/**
 * Prometheus Alertmanager, API v2. It forgets what it is not reminded of (resolve_timeout, five minutes), so it is told every
 * minute while it fires, with an end a little further each time; an end of now resolves. Its identity is the set of labels, so
 * whatever changes (numbers, agents) is an annotation.
 */
export const alertmanager: ReceiverKind<'alertmanager'> = {
  type: 'alertmanager',
  kind: 'state',
  spacingMs: 0,
  send: async (_receiver, attempt, means) => {
    const sent = await postJson(
      means,
      [alertOf(attempt)],
      () => ({}),
      (url) => {
        const path = url.pathname.replace(/\/$/, '');
        url.pathname = path.endsWith('/api/v2/alerts') ? path : `${path}/api/v2/alerts`;
      },
    );
    if ('kind' in sent) return sent;
    // A proxy that answers everything with its own page has not told Alertmanager.
    if (sent.status < 300 && sent.contentType.includes('html'))
      return { kind: 'retry', words: `HTTP ${sent.status} with a web page: this is no Alertmanager` };
    return sentOf(sent, means.secrets);
  },
};

/** Survives four reminders that get lost, and ends by itself when this server dies. */
const holdMs = 5 * 60_000;

function alertOf({ notice, action, atMs }: Attempt) {
  const endsAt =
    action === 'resolve' ? Math.min(atMs, Math.max(notice.endedAtMs ?? atMs, notice.sinceMs)) : atMs + holdMs;
  return {
    labels: labelsOf(notice),
    annotations: {
      summary: headline(notice),
      description: bodyLines(notice).join('\n'),
      incident: notice.incident,
      runbook: `docs/${notice.page}`,
    },
    startsAt: isoTime(notice.sinceMs),
    endsAt: isoTime(endsAt),
    ...(notice.link === null ? {} : { generatorURL: notice.link }),
  };
}

function labelsOf(notice: Notice): Record<string, string> {
  const { rule, subject, severity, alert, isTest } = notice;
  const own = { alertname: rule, subject, severity, alert_id: alert, job: 'inferpath' };
  return { ...own, ...concernOf(notice), ...(isTest && { test: 'true' }) };
}

/**
 * The agent or the endpoint that an alert is about, under the label that /metrics has for it: so that inhibitions can join it with what
 * Prometheus says of the same one. Only what belongs to the identity of the alert: whom else it concerns changes while it fires.
 */
function concernOf({ rule, subject, endpoints: [endpoint, ...others] }: Notice): Record<string, string> {
  if (rule === 'agent-silent' || rule === 'agent-uplink') return { agent: subject };
  return endpoint === undefined || others.length > 0 || rule === 'shared-failure' ? {} : { endpoint };
}
