import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { receiverOf, someAlert, someAttempt } from './deliver.case.ts';
import { createDialer } from './dialer.ts';
import type { Attempt, Sent } from './receiver.ts';
import { sendTo } from './receivers/index.ts';
import { readSecrets } from './secrets.ts';

/** What a peer that plays the receiver does with a message. */
export type Behaviour = 'takes' | 'refuses' | 'fails' | 'busy' | 'hangs' | 'resets';

/** A peer of one kind of receiver, on loopback. */
export interface Peer {
  /** Lines of the network file, and the environment with their secrets. */
  receiver: Record<string, unknown>;
  env: Record<string, string>;
  /** Messages that it got, as text. */
  messages(): string[];
  close(): Promise<void>;
}

export const canary = 'c4n4ry-Zz9-secret';

/** One attempt against a peer, with real sockets. */
export async function attemptAt(
  peer: Pick<Peer, 'receiver' | 'env'>,
  attempt: Attempt,
  { timeoutMs = 5000, allow = ['127.0.0.0/8'], signal = new AbortController().signal } = {},
): Promise<Sent> {
  const io = fakeIo({ realClock: true, env: peer.env, hosts: { localhost: [{ address: '127.0.0.1', family: 4 }] } });
  const receiver = receiverOf({ name: 'it', ...peer.receiver });
  const dialer = createDialer({ dns: io.dns, clock: io.clock, allow, timeoutMs });
  const secrets = await readSecrets(receiver, io);
  return sendTo(receiver, attempt, { dialer, secrets, signal });
}

/** What every kind of receiver must do, whatever it speaks. */
export function receiverCases(name: string, start: (behaviour: Behaviour) => Promise<Peer>): void {
  const withPeer = async (behaviour: Behaviour, check: (peer: Peer) => Promise<void>) => {
    const peer = await start(behaviour);
    try {
      await check(peer);
    } finally {
      await peer.close();
    }
  };

  describe(`receiver: ${name}`, () => {
    test('tells what, since when, where, whose side, and what to do, and that it is over', () =>
      withPeer('takes', async (peer) => {
        for (const action of ['fire', 'resolve'] as const)
          expect(await attemptAt(peer, someAttempt(action))).toMatchObject({ kind: 'accepted' });
        const [fired = '', resolved = ''] = peer.messages();
        for (const part of ['chat-eu', '31 of 60 requests failed', '2026-01-02T03:00:00', 'between 10.0.0.1'])
          expect(fired).toContain(part);
        expect(fired).toContain('network');
        expect(fired).toContain('last router that answers');
        expect(resolved).toContain('a1b2-1767322800');
        expect(resolved).not.toBe(fired);
      }));

    test('what fails is tried again, what is refused is not, what hangs or breaks off is never taken for told', async () => {
      const kinds: Record<Exclude<Behaviour, 'takes' | 'hangs'>, string> = {
        refuses: 'refused',
        fails: 'retry',
        busy: 'retry',
        resets: 'retry',
      };
      for (const [behaviour, kind] of Object.entries(kinds))
        await withPeer(behaviour as Behaviour, async (peer) => {
          const sent = await attemptAt(peer, someAttempt());
          expect([behaviour, sent.kind]).toEqual([behaviour, kind]);
          expect(sent.words).not.toBe('');
        });
      await withPeer('hangs', async (peer) => {
        const signal = AbortSignal.timeout(300);
        expect(await attemptAt(peer, someAttempt(), { signal })).toMatchObject({ kind: 'retry', isOurs: true });
      });
    });

    test('sends nothing to a network that the operator has not named', () =>
      withPeer('takes', async (peer) => {
        const sent = await attemptAt(peer, someAttempt(), { allow: [] });
        expect(sent.kind).not.toBe('accepted');
        expect(sent.words).toContain('is not public');
        expect(peer.messages()).toEqual([]);
      }));

    test('says no secret, even when the peer sends it back', async () => {
      for (const behaviour of ['takes', 'refuses', 'fails'] as const)
        await withPeer(behaviour, async (peer) => {
          expect(JSON.stringify(await attemptAt(peer, someAttempt()))).not.toContain(canary);
        });
    });

    test('takes text of any kind, and a message that is hostile stays one message', () =>
      withPeer('takes', async (peer) => {
        const claim = '</script>"\\\r\nBcc: x@example.com\r\n.\r\nQUIT\r\n{{incident}} <!channel> \u0000\ud800 é 漢';
        const attempt = someAttempt('fire', { subject: claim, finding: { ...someAlert().finding, claim } });
        expect(await attemptAt(peer, attempt)).toMatchObject({ kind: 'accepted' });
        expect(peer.messages()).toHaveLength(1);
        expect(peer.messages()[0]).not.toMatch(/^(Bcc|QUIT)/m);
        expect(peer.messages()[0]).not.toMatch(/\\ud[89a-f]/);
      }));
  });
}
