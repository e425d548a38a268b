import { createHash } from 'node:crypto';
import { bodyLines, clean, headline, isoTime } from '../notice.ts';
import type { Notice } from '../../../model/delivery.ts';
import { type ReceiverKind, sentOf } from '../receiver.ts';
import { postJson } from './post-json.ts';

const eventsUrl = new URL('https://events.pagerduty.com/v2/enqueue');
const severityOf = { page: 'critical', ticket: 'warning', info: 'info' } as const;

/** PagerDuty Events API v2. One incident is one dedup_key, so that whatever comes twice is one page. */
export const pagerduty: ReceiverKind<'pagerduty'> = {
  type: 'pagerduty',
  kind: 'event',
  spacingMs: 0,
  send: async (_receiver, { notice, action }, means) => {
    const [key] = means.secrets.keys;
    if (key === undefined) return { kind: 'refused', words: 'no secret: the integration key of the service' };
    const body = {
      routing_key: key,
      event_action: action === 'fire' ? 'trigger' : 'resolve',
      dedup_key: dedupKey(notice.incident),
      ...(action === 'fire' && { client: 'inferpath', payload: payloadOf(notice), links: linksOf(notice) }),
    };
    const reply = await postJson(means, body, () => ({}), means.secrets.url ?? eventsUrl);
    if ('kind' in reply) return reply;
    if (reply.status < 300 && reply.status !== 202)
      return {
        kind: 'retry',
        words: `HTTP ${reply.status}, where PagerDuty says 202: something else answers in its place`,
      };
    return sentOf(reply, means.secrets);
  },
};

/** At most 255 characters. */
function dedupKey(incident: string): string {
  return incident.length <= 255 ? incident : createHash('sha256').update(incident).digest('hex');
}

function payloadOf(notice: Notice) {
  return {
    summary: clean(headline(notice), 1024),
    source: notice.subject,
    severity: severityOf[notice.severity],
    timestamp: isoTime(notice.sinceMs),
    component: notice.where ?? undefined,
    group: notice.blame,
    class: notice.rule,
    custom_details: { text: bodyLines(notice).join('\n') },
  };
}

const linksOf = ({ link }: Notice) => (link === null ? [] : [{ href: link, text: 'The alert on the server' }]);
