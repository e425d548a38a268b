import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { listener, someAlert, someAttempt } from '../deliver.case.ts';
import { attemptAt, type Behaviour, canary, type Peer, receiverCases } from '../receiver.case.ts';
import { receiverKinds } from './index.ts';
import { smtpPeer } from './smtp.case.ts';

const statuses = { refuses: 400, fails: 500, busy: 429 } as const;

/** A peer that speaks HTTP; `taken` is its answer to what it takes. */
const httpPeer =
  (receiver: (url: string) => Pick<Peer, 'receiver' | 'env'>, taken: (response: ServerResponse) => void) =>
  async (behaviour: Behaviour): Promise<Peer> => {
    const it = await listener((response, heard) => {
      if (behaviour === 'takes') taken(response);
      else if (behaviour === 'resets') response.destroy();
      else if (behaviour !== 'hangs')
        response
          .writeHead(statuses[behaviour], { 'retry-after': '7' })
          .end(`no: ${heard.path} ${heard.body} ${canary}`);
    });
    return {
      ...receiver(it.url),
      messages: () => it.heard.map(({ body }) => body.replaceAll(String.raw`\u003c`, '<')),
      close: it.close,
    };
  };

const key = `whsec_${Buffer.from(`${canary} and more octets`).toString('base64')}`;
const peers = {
  alertmanager: httpPeer(
    (url) => ({ receiver: { type: 'alertmanager', urlEnv: 'URL' }, env: { URL: `${url}/${canary}` } }),
    (response) => response.end(),
  ),
  webhook: httpPeer(
    (url) => ({
      receiver: { type: 'webhook', urlEnv: 'URL', secretEnv: 'KEY' },
      env: { URL: `${url}/${canary}`, KEY: key },
    }),
    (response) => response.writeHead(202).end(canary),
  ),
  slack: httpPeer(
    (url) => ({ receiver: { type: 'slack', urlEnv: 'URL' }, env: { URL: `${url}/services/${canary}` } }),
    (response) => response.end('ok'),
  ),
  pagerduty: httpPeer(
    (url) => ({ receiver: { type: 'pagerduty', urlEnv: 'URL', secretEnv: 'KEY' }, env: { URL: url, KEY: canary } }),
    (response) => response.writeHead(202).end(`{"status":"success","message":"${canary}"}`),
  ),
  email: smtpPeer,
};

for (const [name, start] of Object.entries(peers)) receiverCases(name, start);

test('every kind of receiver has a peer in this suite', () => {
  expect(Object.keys(peers).sort()).toEqual(Object.keys(receiverKinds).sort());
});

/** What one attempt of a webhook sends. */
async function webhookSends(receiver: Record<string, unknown>, env: Record<string, string> = {}) {
  const it = await listener((response) => response.end());
  try {
    const attempt = someAttempt();
    const sent = await attemptAt({ receiver: { type: 'webhook', url: it.url, ...receiver }, env }, attempt);
    return { sent, attempt, heard: it.heard[0] };
  } finally {
    await it.close();
  }
}

describe('webhook', () => {
  test('is signed as Standard Webhooks has it, by every key while keys are rotated, with the time of the attempt', async () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const { attempt, heard } = await webhookSends({ secretEnv: 'KEYS' }, { KEYS: `${key} ${other}` });
    const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = heard!.headers;
    expect(id).toBe(attempt.key);
    expect(Number(time)).toBe(Math.floor(attempt.atMs / 1000));
    const expected = [key, other].map((k) => {
      const octets = Buffer.from(k.slice('whsec_'.length), 'base64');
      return `v1,${createHmac('sha256', octets)
        .update(`${id as string}.${time as string}.${heard!.body}`)
        .digest('base64')}`;
    });
    expect(signature).toBe(expected.join(' '));
    expect(JSON.parse(heard!.body)).toMatchObject({
      type: 'alert.firing',
      timestamp: new Date(attempt.notice.atMs).toISOString(),
      data: { incident: attempt.notice.incident, severity: 'page' },
    });
  });

  test('is not signed with a key that is too short, and says so without the key', async () => {
    const { sent, heard } = await webhookSends({ secretEnv: 'KEY' }, { KEY: 'whsec_c2hvcnQtY2FuYXJ5' });
    expect(sent).toMatchObject({ kind: 'retry', words: expect.stringContaining('24 to 64 octets') as string });
    expect(JSON.stringify(sent)).not.toContain('c2hvcnQ');
    expect(heard).toBeUndefined();
  });

  test('fills a template, as Opsgenie and others want it; no value can change its shape', async () => {
    const template =
      '{"message":"{{headline}}","alias":"{{incident}}","priority":"{{priority}}","tags":"{{endpoints}}","note":"by {{agents}}","n":[1,{"since":"{{since}}"}]}';
    const { heard, attempt } = await webhookSends({ template });
    expect(JSON.parse(heard!.body)).toEqual({
      message: '[PAGE] chat-eu: 14.4 times too fast: 31 of 60 requests failed in an hour',
      alias: attempt.notice.incident,
      priority: 'P1',
      tags: ['chat-eu'],
      note: 'by berlin, paris',
      n: [1, { since: '2026-01-02T03:00:00.000Z' }],
    });
  });
});

describe('a receiver that lies', () => {
  test.each([
    ['alertmanager', {}, 200, { 'content-type': 'text/html' }, '<html>Please log in</html>'],
    ['slack', {}, 200, {}, '<html>Please log in</html>'],
    ['pagerduty', { secretEnv: 'KEY' }, 200, {}, 'ok'],
  ])(
    'a proxy in the place of %s that answers everything with 200 has not told anybody',
    async (type, more, status, headers, body) => {
      const it = await listener((response) => response.writeHead(status, headers).end(body));
      const sent = await attemptAt({ receiver: { type, url: it.url, ...more }, env: { KEY: 'k' } }, someAttempt());
      await it.close();
      expect(sent.kind).toBe('retry');
    },
  );
});

test('PagerDuty gets one dedup_key for an incident, and ends it by the same', async () => {
  const peer = await peers.pagerduty('takes');
  for (const action of ['fire', 'resolve'] as const) await attemptAt(peer, someAttempt(action));
  const [fired, resolved] = peer.messages().map((text) => JSON.parse(text) as Record<string, unknown>);
  await peer.close();
  expect(fired).toMatchObject({ event_action: 'trigger', payload: { severity: 'critical', source: 'chat-eu' } });
  expect(resolved).toEqual({ routing_key: canary, event_action: 'resolve', dedup_key: fired!['dedup_key'] });
});

test('Slack mentions nobody and shows no link that a peer wrote', async () => {
  const peer = await peers.slack('takes');
  const finding = { ...someAlert().finding, claim: '<!channel> <https://evil.example|docs> & more' };
  await attemptAt(peer, someAttempt('fire', { finding }));
  const [message = ''] = peer.messages();
  await peer.close();
  expect(message).toContain('&lt;!channel&gt; &lt;https://evil.example|docs&gt; &amp; more');
  expect(message).not.toContain('<');
});
