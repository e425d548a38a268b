import { bodyLines, headline } from '../notice.ts';
import { type ReceiverKind, sentOf } from '../receiver.ts';
import { postJson } from './post-json.ts';

/** A Slack incoming webhook. Its URL is the secret. More than a message a second to a channel may be dropped without a word. */
export const slack: ReceiverKind<'slack'> = {
  type: 'slack',
  kind: 'event',
  spacingMs: 1100,
  send: async (_receiver, { notice }, means) => {
    const title = escaped(headline(notice));
    const lines = escaped(bodyLines(notice).join('\n'));
    const body = {
      // What a notification and a screen reader show; the blocks are for the channel.
      text: title,
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text: cut(`*${title}*`) } },
        { type: 'section', text: { type: 'mrkdwn', text: cut(lines) } },
      ],
    };
    const reply = await postJson(means, body, () => ({}));
    if ('kind' in reply) return reply;
    if (reply.status === 200 && reply.excerpt.trim() !== 'ok')
      return { kind: 'retry', words: 'HTTP 200, but not the "ok" of Slack: something else answers in its place' };
    return sentOf(reply, means.secrets);
  },
};

/** So that text from outside mentions nobody and makes no links. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Slack refuses a longer section. */
const cut = (text: string): string => (text.length > 3000 ? `${text.slice(0, 2990)}…` : text);
