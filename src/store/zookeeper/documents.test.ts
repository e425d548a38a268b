import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CuttingProxy, cuttingProxy } from '../../../test/fakes/cutting-proxy.ts';
import { whyNoZookeeper, type ZookeeperServer, zookeeperServer } from '../../../test/fakes/zookeeper-server.ts';
import { ZookeeperClient } from '../../wire/zookeeper/client.ts';
import { documentsCases } from '../documents.case.ts';
import { ZookeeperDocuments } from './documents.ts';

const random = { next: () => Math.random(), uuid: () => randomUUID() };
const why = whyNoZookeeper();

describe.skipIf(why !== undefined)(
  `with a real ZooKeeper${why === undefined ? '' : ` (${why})`}`,
  { timeout: 60_000 },
  () => {
    let server: ZookeeperServer;
    let proxy: CuttingProxy;
    beforeAll(async () => {
      server = await zookeeperServer();
      proxy = await cuttingProxy(server.port);
    }, 60_000);
    afterAll(async () => {
      await proxy.close();
      await server.close();
    });
    // A root for each test and each try of it: what a failed one leaves is not found by the next.
    let root = '';
    beforeEach(() => void (root = `/${randomUUID()}`));
    const open = (own: { port?: number; root?: string; auth?: string | null; sessionMs?: number } = {}) => {
      const { port = server.port, sessionMs = 10_000, auth = null } = own;
      const servers = [{ host: '127.0.0.1', port }];
      return ZookeeperDocuments.open({ servers, root: own.root ?? root, auth, random, sessionMs });
    };

    documentsCases('ZooKeeper', {
      runs: 20,
      open: async () => {
        let documents = await open({ root: '/suite/inferpath' });
        return {
          documents,
          close: () => documents.close(),
          reopen: async () => {
            await documents.close();
            return (documents = await open({ root: '/suite/inferpath' }));
          },
        };
      },
    });

    /** What a node has read before it is told of in the server's own time when another changes it. */
    const soon = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: 15_000 });
    const count = (value: number, version: number, id = 'n') => ({
      put: { collection: 'count', id, body: value },
      version,
    });

    test('a connection that is cut at any moment neither loses nor doubles a commit', async () => {
      const [mine, other] = [await open({ port: proxy.port }), await open()];
      const told: boolean[] = [];
      for (let n = 0; n < 40; n++) {
        // Requests on their way in, and answers on their way back: some of them pings, events and the resolving of doubts itself.
        if (n % 2 === 0) proxy.cutNext(n % 4 === 0 ? 'to server' : 'to client', (n >> 2) % 3);
        // Each wants the version that the one before has left: a commit that is made twice, or told wrongly, breaks the chain.
        told.push(await mine.commit([count(n, n), count(n, 0, `n${n}`)]));
        if (n % 5 === 0) await soon(() => other.get('count', 'n')).toMatchObject({ version: n + 1, body: n });
      }
      expect(told).toEqual(told.map(() => true));
      expect(proxy.cuts).toBeGreaterThan(10);
      await soon(() => other.list('count')).toHaveLength(41);
      await Promise.all([mine.close(), other.close()]);
    });

    test('of commits under way at once through a cut, each is told as it went', async () => {
      const mine = await open({ port: proxy.port });
      const tell = async (i: number) => ((await mine.commit([count(i, 0, `${i % 10}`)])) ? i : -1);
      const first = Promise.all(Array.from({ length: 40 }, (_, i) => tell(i)));
      setTimeout(() => proxy.cutAll(), 3);
      const winners = (await first).filter((i) => i >= 0).sort((a, b) => a - b);
      const kept = (await mine.list('count')).map(({ body }) => body as number).sort((a, b) => a - b);
      expect(winners).toEqual(kept);
      expect(kept).toHaveLength(10);
      await mine.close();
    });

    test('a session that has expired, and a server that was killed and comes again, cost a wait and nothing else', async () => {
      const mine = await open({ port: proxy.port, sessionMs: 2000 });
      expect(await mine.commit([count(1, 0)])).toBe(true);
      proxy.hold = true;
      const held = mine.commit([count(2, 1)]);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      proxy.hold = false;
      expect(await held).toBe(true);
      await server.kill();
      const meanwhile = mine.commit([count(3, 2)]);
      await server.start();
      expect(await meanwhile).toBe(true);
      expect(await mine.get('count', 'n')).toMatchObject({ version: 3, body: 3 });
      await mine.close();
    });

    test('what another node changes is seen although it was read before', async () => {
      const [mine, other] = [await open(), await open()];
      const seen = async (wanted: unknown[]) => {
        const bodies = async () => (await mine.list('count')).map(({ body }) => body as number).sort((a, b) => a - b);
        await expect.poll(bodies, { timeout: 15_000 }).toEqual(wanted);
      };
      await other.commit([count(1, 0, 'a'), count(2, 0, 'b')]);
      await seen([1, 2]);
      await other.commit([count(3, 1, 'a'), count(4, 0, 'c')]);
      await seen([2, 3, 4]);
      await other.commit([{ remove: { collection: 'count', id: 'b' }, version: 1 }]);
      await seen([3, 4]);
      await Promise.all([mine.close(), other.close()]);
    });

    test('a commit larger than a request, and a document larger than a node, are whole or not there', async () => {
      const [mine, other] = [await open(), await open()];
      // Random text: nothing makes it smaller.
      const random = (octets: number) => randomBytes(octets).toString('base64');
      const bodies = [random(1_500_000), ...Array.from({ length: 40 }, () => random(60_000))];
      const writes = bodies.map((body, i) => ({ put: { collection: 'large', id: `${i}`, body }, version: 0 }));
      expect(await mine.commit([...writes, count(1, 5)])).toBe(false);
      expect(await other.list('large')).toEqual([]);
      expect(await mine.commit([...writes, count(1, 0)])).toBe(true);
      await soon(() => other.list('large')).toHaveLength(bodies.length);
      const found = (await other.list('large')).sort((a, b) => Number(a.id) - Number(b.id));
      expect(found.map(({ body }) => body)).toEqual(bodies);
      expect(await mine.commit([{ put: { collection: 'large', id: '0', body: 'small' }, version: 1 }])).toBe(true);
      await soon(() => other.get('large', '0')).toMatchObject({ body: 'small' });
      await Promise.all([mine.close(), other.close()]);
    });

    test('what a process leaves behind that dies before its commit, or after, is swept away, and nothing else', async () => {
      const [mine, dying] = [await open(), await open({ port: proxy.port, sessionMs: 2000 })];
      const large = () => randomBytes(1_200_000).toString('base64');
      const put = (id: string, body: string, version: number) => ({
        put: { collection: 'large', id, body },
        version,
      });
      const kept = large();
      expect(await mine.commit([put('kept', kept, 0), put('replaced', large(), 0)])).toBe(true);
      const laid = async () => (await raw(`${root}/+staged`)).length;
      const before = await laid();
      // Cut from then on: parts are laid, and no commit names them. Of a document that is there, and of one that is not.
      const lost = dying.commit([put('replaced', large(), 1), put('never', large(), 0)]).catch(() => 'lost');
      await expect.poll(laid, { timeout: 10_000, interval: 2 }).toBeGreaterThan(before + 1);
      proxy.hold = true;
      proxy.cutAll();
      // While its session lives it may still commit.
      await mine.sweep();
      expect(await laid()).toBeGreaterThan(before);
      await expect.poll(async () => (await mine.sweep(), laid()), { timeout: 10_000, interval: 200 }).toBe(before);
      // It wakes up, and does not name what is gone.
      proxy.hold = false;
      expect(await lost).toBe(false);
      expect((await mine.get('large', 'kept'))?.body).toBe(kept);
      expect((await mine.get('large', 'replaced'))?.version).toBe(1);
      expect(await mine.commit([put('replaced', 'small', 1)])).toBe(true);
      expect(await mine.count()).toBe(2);
      await expect.poll(async () => (await mine.sweep(), laid()), { timeout: 15_000 }).toBe(before - 2);
      await Promise.all([mine.close(), dying.close()]);
    });

    /** Names of the nodes below a path, as they are. */
    async function raw(path: string): Promise<string[]> {
      const client = new ZookeeperClient({
        servers: [{ host: '127.0.0.1', port: server.port }],
        auth: null,
        sessionMs: 2000,
        patienceMs: 5000,
        random: () => Math.random(),
        listener: { changed: () => undefined, lost: () => undefined },
      });
      const names = await client.children(path, (names) => names, false);
      await client.close();
      return names;
    }

    test('what belongs to a user is closed to everybody else', async () => {
      const mine = await open({ auth: 'inferpath:secret' });
      await mine.commit([count(1, 0)]);
      await mine.close();
      for (const auth of [null, 'inferpath:wrong']) {
        const opened = open({ auth });
        await expect(opened).rejects.toThrow('not allowed');
      }
      const again = await open({ auth: 'inferpath:secret' });
      expect(await again.get('count', 'n')).toMatchObject({ body: 1 });
      await again.close();
    });
  },
);

test('where no server answers, opening says which were tried and why', async () => {
  const nobody = { servers: [{ host: '127.0.0.1', port: 1 }], root: '/x', auth: null, random, patienceMs: 300 };
  await expect(ZookeeperDocuments.open(nobody)).rejects.toThrow(/no server of 127\.0\.0\.1:1 answers .*ECONNREFUSED/);
});
