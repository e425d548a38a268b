import { afterEach, describe, expect, test } from 'vitest';
import { memoryDocuments } from '../../../test/fakes/memory-store.ts';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { Network } from '../../model/network.ts';
import type { Documents } from '../../store/documents.ts';
import { type Listener, listener, someNetwork, transition } from './deliver.case.ts';
import { type Delivery, startDelivery } from './delivery.ts';
import { outboxWrites, readOutbox } from './outbox.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

async function listening(...[answer]: Parameters<typeof listener>): Promise<Listener> {
  const it = await listener(answer);
  open.push(it);
  return it;
}

function hookNetwork(...urls: string[]): Network {
  return someNetwork({ receivers: urls.map((url, i) => ({ name: `hook${i}`, type: 'webhook', url })) });
}

interface Bench {
  documents: Documents;
  io: ReturnType<typeof fakeIo>;
  delivery: Delivery;
  /** Commits what is due for a transition, as the evaluation does, and wakes the worker. */
  tell(...what: Parameters<typeof transition>): Promise<void>;
  /** What the outbox says of each entry. */
  states(): Promise<string[]>;
}

function bench(
  network: Network,
  { documents = memoryDocuments(), wallMs = transition('fire').atMs }: { documents?: Documents; wallMs?: number } = {},
): Bench {
  const io = fakeIo({ realClock: true, wallMs });
  // The wall clock of the bench begins at the transition, not at the machine's uptime.
  const beganMs = io.clock.monoMs();
  const clock = { ...io.clock, wallMs: () => wallMs + io.clock.monoMs() - beganMs };
  const receivers = () => network.watch!.receivers;
  const delivery = startDelivery({ documents, receivers, io: { ...io, clock }, allow: ['127.0.0.0/8'] });
  open.push({ close: () => delivery.stop() });
  return {
    documents,
    io,
    delivery,
    tell: async (...what) => {
      expect(await documents.commit(await outboxWrites(documents, [transition(...what)], network))).toBe(true);
      delivery.wake();
    },
    states: async () => (await readOutbox(documents)).map(({ entry }) => `${entry.action} ${entry.state}`).sort(),
  };
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await what()) return;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error('did not come about in 10 s');
}

describe('startDelivery()', () => {
  test('tells of the beginning and of the end, in order, each once, under keys of their own', async () => {
    const hook = await listening((response) => response.writeHead(204).end());
    const it = bench(hookNetwork(hook.url));
    await it.tell('fire');
    await it.tell('resolve', { state: 'resolved' }, transition('fire').atMs + 5);
    await until(async () => (await it.states()).join() === 'fire done,resolve done');
    expect(hook.heard.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
      'alert.firing',
      'alert.resolved',
    ]);
    expect(new Set(hook.heard.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
    expect(it.delivery.figures).toEqual({ accepted: 2, retried: 0, failed: 0 });
  });

  test('a receiver that hangs holds up nobody else, and what it was told ends with the worker', async () => {
    const hangs = await listening(() => undefined);
    const hook = await listening((response) => response.end());
    const it = bench(hookNetwork(hangs.url, hook.url));
    await it.tell('fire');
    await until(() => hook.heard.length === 1 && hangs.heard.length === 1);
    await it.delivery.stop();
    const entries = (await readOutbox(it.documents)).map(({ entry }) => entry);
    expect(entries.find(({ receiver }) => receiver === 'hook0')).toMatchObject({
      state: 'waiting',
      attempts: 0,
      claim: null,
    });
  });

  test.each([
    ['redirects', 302, {}, 'waiting', 4500],
    ['answers 500', 500, {}, 'waiting', 4500],
    ['answers 408', 408, {}, 'waiting', 4500],
    ['answers 429 and when to come back', 429, { 'retry-after': '120' }, 'waiting', 119_000],
    ['answers 503 and a year', 503, { 'retry-after': '31536000' }, 'waiting', 3_590_000],
    ['answers 400', 400, {}, 'failed', 0],
    ['answers 410', 410, {}, 'failed', 0],
  ])('a receiver that %s', async (_, status, headers, state, leastMs) => {
    const hook = await listening((response) =>
      response.writeHead(status, { location: '/elsewhere', ...headers }).end('why'),
    );
    const it = bench(hookNetwork(hook.url));
    await it.tell('fire');
    await until(async () => (await readOutbox(it.documents))[0]?.entry.last != null);
    const { entry } = (await readOutbox(it.documents))[0]!;
    expect(entry).toMatchObject({ state, attempts: 1, claim: null });
    expect(entry.nextAtMs - entry.madeAtMs).toBeGreaterThanOrEqual(leastMs);
    expect(entry.nextAtMs - entry.madeAtMs).toBeLessThan(3_700_000);
    expect(hook.heard.map(({ path }) => path)).toEqual(['/']);
    expect(it.io.stderr()).toContain(`HTTP ${status}`);
  });

  test('a receiver that answered 410 hears nothing more, until its lines in the file change', async () => {
    const hook = await listening((response) => response.writeHead(410).end());
    const it = bench(hookNetwork(hook.url));
    await it.tell('fire');
    await until(async () => (await it.states()).join() === 'fire failed');
    await it.tell('fire', { incident: 'another' });
    await until(async () => (await it.states()).join() === 'fire failed,fire failed');
    expect(hook.heard).toHaveLength(1);
    const changed = bench(hookNetwork(`${hook.url}/new`), { documents: it.documents });
    await it.delivery.stop();
    await changed.tell('fire', { incident: 'a third' });
    await until(() => hook.heard.length === 2);
  });

  test('killed between sending and recording it, it sends again, under the same key, when the claim is over', async () => {
    const hook = await listening((response) => response.end());
    const documents = memoryDocuments();
    let isKilled = false;
    // What a dead process would have written after it had sent.
    const mortal: Documents = {
      ...documents,
      commit: (writes) => (isKilled ? new Promise(() => undefined) : documents.commit(writes)),
    };
    const network = hookNetwork(hook.url);
    const first = bench(network, { documents: mortal });
    open.pop();
    hook.heard.push = ((push) =>
      function (this: Listener['heard'], ...items: Listener['heard']) {
        isKilled = true;
        return push.apply(this, items);
      })(hook.heard.push.bind(hook.heard));
    await first.tell('fire');
    await until(() => hook.heard.length === 1);
    expect(await first.states()).toEqual(['fire waiting']);
    const tooEarly = bench(network, { documents });
    tooEarly.delivery.wake();
    await new Promise((done) => setTimeout(done, 50));
    expect(hook.heard).toHaveLength(1);
    const later = bench(network, { documents, wallMs: transition('fire').atMs + 60_000 });
    await until(async () => (await later.states()).join() === 'fire done');
    expect(hook.heard).toHaveLength(2);
    expect(hook.heard[1]!.headers['webhook-id']).toBe(hook.heard[0]!.headers['webhook-id']);
    expect(hook.heard[1]!.body).toBe(hook.heard[0]!.body);
  });

  test('of three nodes on the same documents one sends each of a hundred incidents', async () => {
    const hook = await listening((response) => response.end());
    const documents = memoryDocuments();
    const nodes = [1, 2, 3].map(() => bench(hookNetwork(hook.url), { documents }));
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        await nodes[i % 3]!.tell('fire', { incident: `incident-${i}` });
        for (const { delivery } of nodes) delivery.wake();
      }),
    );
    await until(async () => (await nodes[0]!.states()).every((state) => state === 'fire done'));
    const keys = hook.heard.map(({ headers }) => headers['webhook-id']);
    expect(keys).toHaveLength(100);
    expect(new Set(keys).size).toBe(100);
  });

  test('what goes to a receiver that the file has no more is given up with a reason', async () => {
    const hook = await listening((response) => response.end());
    const documents = memoryDocuments();
    const known = hookNetwork(hook.url);
    await documents.commit(await outboxWrites(documents, [transition('fire')], known));
    const it = bench(someNetwork({ receivers: [] }), { documents });
    await until(async () => (await it.states()).join() === 'fire failed');
    expect(it.io.stderr()).toContain('no receiver of this name');
  });
});

describe('secrets', () => {
  test('a canary in URL and key reaches no log, no document and no error, whatever the receiver sends back', async () => {
    const canary = 'c4n4ry-T0k3n-Zz9';
    const key = `whsec_${Buffer.from(`${canary}-of-thirty-octets-or-so`).toString('base64')}`;
    for (const status of [200, 302, 400, 410, 500]) {
      const hook = await listening((response, heard) =>
        response
          .writeHead(status, { location: heard.path })
          .end(`you sent ${heard.path} ${decodeURIComponent(heard.path)} with ${canary} and ${key}`),
      );
      const network = someNetwork({
        receivers: [{ name: 'hook', type: 'webhook', urlEnv: 'HOOK', secretEnv: 'KEY' }],
      });
      const documents = memoryDocuments();
      const io = fakeIo({
        realClock: true,
        env: { HOOK: `${hook.url}/services/${canary}?token=${canary}`, KEY: key, INFERPATH_DEBUG: '1' },
      });
      const delivery = startDelivery({
        documents,
        receivers: () => network.watch!.receivers,
        io,
        allow: ['127.0.0.0/8'],
      });
      await documents.commit(await outboxWrites(documents, [transition('fire')], network));
      delivery.wake();
      await until(async () => (await readOutbox(documents))[0]?.entry.last != null);
      await delivery.stop();
      const everything = JSON.stringify([...documents.all.values()]) + io.stderr() + io.stdout();
      expect(hook.heard[0]!.path).toContain(canary);
      expect(everything).toContain(`HTTP ${status}`);
      expect(everything).not.toContain(canary);
      expect(everything).not.toContain(key.slice(6, 30));
    }
  });

  test('a missing variable or file is named, and tried again: it may be there in a minute', async () => {
    const network = someNetwork({ receivers: [{ name: 'team', type: 'slack', urlEnv: 'SLACK_URL' }] });
    const it = bench(network);
    await it.tell('fire');
    await until(async () => (await readOutbox(it.documents))[0]?.entry.last != null);
    expect((await readOutbox(it.documents))[0]!.entry).toMatchObject({
      state: 'waiting',
      last: 'urlEnv: neither SLACK_URL nor SLACK_URL_FILE is set',
    });
  });
});
