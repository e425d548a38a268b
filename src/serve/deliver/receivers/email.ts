import { deadlineOf } from '../../../wire/deadline.ts';
import type { Notice } from '../../../model/delivery.ts';
import type { Receiver } from '../../../model/watch.ts';
import { abortable, attemptMs } from '../dialer.ts';
import { bodyLines, headline } from '../notice.ts';
import type { Attempt, Means, ReceiverKind, Sent } from '../receiver.ts';
import { failed } from './post-json.ts';

const defaultUrl = 'smtp://localhost:25';

/**
 * E-mail by SMTP. The URL is smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the first octet. Without TLS nothing is
 * sent but to hosts that the operator has named.
 */
export const email: ReceiverKind<'email'> = {
  type: 'email',
  kind: 'event',
  spacingMs: 0,
  send: async (receiver, attempt, means) => {
    const url = means.secrets.url ?? new URL(defaultUrl);
    if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:')
      return { kind: 'refused', words: `${url.protocol} is no scheme for mail; allowed: smtp, smtps` };
    // A server that answers each step at the last moment has no end by itself.
    const deadline = deadlineOf(means.signal, 2 * attemptMs);
    try {
      return await mail(url, receiver, attempt, { ...means, signal: deadline.signal });
    } catch (error) {
      return refusedByServer(error, means) ?? failed(error, means);
    } finally {
      deadline.clear();
    }
  },
};

async function mail(
  url: URL,
  { from, to }: Extract<Receiver, { type: 'email' }>,
  { notice, key }: Attempt,
  { dialer, signal, secrets }: Means,
): Promise<Sent> {
  const place = await abortable(dialer.resolve(url.hostname), signal);
  const isTls = url.protocol === 'smtps:';
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    // The address that was checked: a name would be looked up once more.
    host: place.addresses[0] ?? '',
    port: Number(url.port || (isTls ? 465 : 587)),
    secure: isTls,
    requireTLS: !place.isNamed,
    tls: { servername: place.host },
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
    connectionTimeout: attemptMs / 3,
    greetingTimeout: attemptMs / 3,
    socketTimeout: attemptMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const domain = from.slice(from.lastIndexOf('@') + 1);
    const thread = `<${notice.incident.replace(/[^\w.-]+/g, '-')}@${domain}>`;
    const sending = transport.sendMail({
      from,
      to: [...to],
      subject: headline(notice),
      text: `${textOf(notice)}\n`,
      // The same at every attempt: mail servers drop the second one, and the end is shown below the beginning.
      messageId: `<${key}@${domain}>`,
      references: [thread],
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    const { response } = await abortable(sending, signal);
    return { kind: 'accepted', words: secrets.hide(response) };
  } finally {
    transport.close();
  }
}

const textOf = (notice: Notice): string => [headline(notice), '', ...bodyLines(notice)].join('\n');

/** What the mail server said, RFC 5321 §4.2.1: 5yz is for good, 4yz for now. A password may be put right meanwhile. */
function refusedByServer(error: unknown, { secrets }: Means): Sent | null {
  const { responseCode, response, code } = error as { responseCode?: number; response?: string; code?: string };
  if (responseCode === undefined) return null;
  const words = secrets.hide(`SMTP ${response ?? responseCode}`);
  return responseCode >= 500 && code !== 'EAUTH' ? { kind: 'refused', words } : { kind: 'retry', words };
}
