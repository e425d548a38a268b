import { createHmac } from 'node:crypto';
import type { Notice } from '../../../model/delivery.ts';
import { isoTime } from '../notice.ts';
import { type ReceiverKind, sentOf } from '../receiver.ts';
import { ReceiverMistake } from '../secrets.ts';
import { fillTemplate } from '../template.ts';
import { postJson } from './post-json.ts';

/** Any program that takes a POST, by Standard Webhooks 1.0.0: signed, with an id that stays and the time of the attempt. */
export const webhook: ReceiverKind<'webhook'> = {
  type: 'webhook',
  kind: 'event',
  spacingMs: 0,
  send: async ({ template }, { notice, key, atMs }, means) => {
    const { keys } = means.secrets;
    const event = notice.isTest ? 'test' : notice.status;
    const body =
      template === undefined
        ? { type: `alert.${event}`, timestamp: isoTime(notice.atMs), data: dataOf(notice) }
        : fillTemplate(template, notice);
    const seconds = Math.floor(atMs / 1000);
    const reply = await postJson(means, body, (text) => ({
      'webhook-id': key,
      'webhook-timestamp': String(seconds),
      ...(keys.length > 0 && { 'webhook-signature': signatures(keys, `${key}.${seconds}.${text}`) }),
    }));
    return 'kind' in reply ? reply : sentOf(reply, means.secrets);
  },
};

/** With the times as people and most programs read them, beside those in ms. */
function dataOf(notice: Notice) {
  const { sinceMs, endedAtMs } = notice;
  return { ...notice, since: isoTime(sinceMs), ended: endedAtMs === null ? null : isoTime(endedAtMs) };
}

/** One for each key, so that receivers may change theirs at any time of a rotation. */
function signatures(keys: readonly string[], content: string): string {
  return keys.map((key) => `v1,${createHmac('sha256', keyOctets(key)).update(content).digest('base64')}`).join(' ');
}

function keyOctets(key: string): Buffer {
  const octets = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  if (!key.startsWith('whsec_') || octets.length < 24 || octets.length > 64)
    throw new ReceiverMistake(
      'secret: must be whsec_ and 24 to 64 octets in base64 (Standard Webhooks), or several of them',
    );
  return octets;
}
